// In: texts. Out: the hidden states of BERT, RoBERTa, XLM-RoBERTa and DistilBERT as operations of ONNX; see ../bert.ts, ../distilbert.ts.

import type { Value } from "../../engine/onnx/graph";
import type { ModelConfig } from "../config";
import { trunkPrefix } from "../families";
import { countTokens, type Texts } from "./inputs";
import { activate, biasOf, isSet, layerNorm, linear, pickRow, reshape, transpose, unsqueeze } from "./layers";
import { exact, rows, type Emitter } from "./weights";

/** Modules of one layer. */
interface LayerNames {
  readonly query: string;
  readonly key: string;
  readonly value: string;
  readonly output: string;
  readonly outputNorm: string;
  readonly wide: string;
  readonly narrow: string;
  readonly narrowNorm: string;
}

function layerNames(config: ModelConfig, i: number): LayerNames {
  if (config.modelType === "distilbert") {
    const layer = `distilbert.transformer.layer.${i}`;
    return {
      query: `${layer}.attention.q_lin`,
      key: `${layer}.attention.k_lin`,
      value: `${layer}.attention.v_lin`,
      output: `${layer}.attention.out_lin`,
      outputNorm: `${layer}.sa_layer_norm`,
      wide: `${layer}.ffn.lin1`,
      narrow: `${layer}.ffn.lin2`,
      narrowNorm: `${layer}.output_layer_norm`,
    };
  }
  const layer = `${trunkPrefix(config)}encoder.layer.${i}`;
  return {
    query: `${layer}.attention.self.query`,
    key: `${layer}.attention.self.key`,
    value: `${layer}.attention.self.value`,
    output: `${layer}.attention.output.dense`,
    outputNorm: `${layer}.attention.output.LayerNorm`,
    wide: `${layer}.intermediate.dense`,
    narrow: `${layer}.output.dense`,
    narrowNorm: `${layer}.output.LayerNorm`,
  };
}

/** Vectors of words, positions and, but for DistilBERT, segments: [B, T, H]. */
function embeddings(to: Emitter, texts: Texts): Value {
  const { modelType, padTokenId, hiddenSize } = to.config;
  const module = `${trunkPrefix(to.config)}embeddings`;
  const count = countTokens(to, texts);
  const fromZero = modelType === "bert" || modelType === "distilbert";
  const positions = fromZero
    ? to.op("Max", [to.op("Sub", [count, to.integers([1])]), to.integers([0])])
    : to.op("Add", [count, to.integers([padTokenId])]);
  const words = rows(to, texts.ids, `${module}.word_embeddings.weight`);
  let sum = to.op("Add", [words, rows(to, positions, `${module}.position_embeddings.weight`)]);
  const types = `${module}.token_type_embeddings.weight`;
  if (texts.tokenTypes) sum = to.op("Add", [sum, to.op("Gather", [exact(to, types), texts.tokenTypes])]);
  else if (modelType !== "distilbert") sum = to.op("Add", [sum, exact(to, types, [hiddenSize])]);
  return layerNorm(to, sum, `${module}.LayerNorm`);
}

/**
 * softmax(q·kᵀ/√D + bias)·v, heads joined again.
 *
 * @param asking [B, Tq, H] the states that ask, `x` [B, T, H] those that are looked at
 * @param bias [B, 1, 1, T]
 */
function attention(
  to: Emitter,
  { asking, x, bias, names }: { asking: Value; x: Value; bias: Value; names: LayerNames },
) {
  const { heads, headSize, hiddenSize } = to.config;
  const split = (states: Value, module: string) => reshape(to, linear(to, states, module), 0, 0, heads, headSize);
  const query = transpose(to, split(asking, names.query), 0, 2, 1, 3);
  const key = transpose(to, split(x, names.key), 0, 2, 3, 1);
  const value = transpose(to, split(x, names.value), 0, 2, 1, 3);
  const products = to.op("Div", [to.op("MatMul", [query, key]), to.floats([Math.sqrt(headSize)])]);
  const weights = to.op("Softmax", [to.op("Add", [products, bias])], { axis: { int: -1 } });
  return reshape(to, transpose(to, to.op("MatMul", [weights, value]), 0, 2, 1, 3), 0, 0, hiddenSize);
}

/** Last hidden states: [B, 1, H] of the token that is read, or [B, T, H]. The last layer computes no more than is read. */
export function encoderStates(to: Emitter, texts: Texts): Value {
  const { config } = to;
  const bias = biasOf(to, isSet(to, unsqueeze(to, texts.mask, 1, 2)));
  let x = embeddings(to, texts);
  for (let i = 0; i < config.layers; i++) {
    const names = layerNames(config, i);
    const asking = texts.read !== null && i === config.layers - 1 ? pickRow(to, x, texts.read) : x;
    const mixed = linear(to, attention(to, { asking, x, bias, names }), names.output);
    const middle = layerNorm(to, to.op("Add", [mixed, asking]), names.outputNorm);
    const wide = activate(to, linear(to, middle, names.wide), config.activation);
    x = layerNorm(to, to.op("Add", [linear(to, wide, names.narrow), middle]), names.narrowNorm);
  }
  return x;
}
