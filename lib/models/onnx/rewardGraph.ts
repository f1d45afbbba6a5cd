// In: a reward model's configuration and parameters. Out: the ONNX graph of its scores.

import { createGraph, type OnnxGraph, type Value } from "../../engine/onnx/graph";
import { ElementType } from "../../engine/onnx/messages";
import { isDecoder, type ModelConfig } from "../config";
import { outputModule } from "../heads";
import { decoderStates } from "./decoder";
import { encoderStates } from "./encoder";
import { declareTexts, meanOverTokens } from "./inputs";
import { linear, reshape } from "./layers";
import type { Emitter, OnnxDtype, OnnxWeight } from "./weights";

export interface RewardGraphOptions {
  readonly config: ModelConfig;
  /** Low-rank updates folded in. */
  readonly weights: ReadonlyMap<string, OnnxWeight>;
  readonly dtype: OnnxDtype;
  /** The token that does not count at a text's end; null for none. */
  readonly unreadId: number | null;
}

/**
 * Inputs `input_ids`, `attention_mask` and, of a BERT, `token_type_ids`: int64 [batch_size, sequence_length], padded left or right.
 * Output `logits`, f32 [batch_size, 1]: what `scoreInputs` gives.
 */
export function rewardGraph({ config, weights, dtype, unreadId }: RewardGraphOptions): OnnxGraph {
  const to: Emitter = { ...createGraph(), config, weights, dtype, quantisedInputs: new Map() };
  const texts = declareTexts(to, unreadId);
  const states = isDecoder(config) ? decoderStates(to, texts) : encoderStates(to, texts);
  const pooled = texts.read === null ? meanOverTokens(to, states, texts) : reshape(to, states, 0, config.hiddenSize);
  to.output({ name: "logits", type: ElementType.F32, shape: ["batch_size", 1] }, head(to, pooled));
  return to.graph;
}

/** Scores [B, 1] of pooled states [B, H], in f32 whatever the file's type: a row a text costs nothing. */
function head(to: Emitter, x: Value): Value {
  const { modelType } = to.config;
  const output = (input: Value) => linear(to, input, outputModule(to.config), true);
  const dense = (activation: string, module: string) => to.op(activation, [linear(to, x, module, true)]);
  if (to.config.head !== "classification" || isDecoder(to.config)) return output(x);
  if (modelType === "bert") return output(dense("Tanh", "bert.pooler.dense"));
  if (modelType === "distilbert") return output(dense("Relu", "pre_classifier"));
  return output(dense("Tanh", "classifier.dense"));
}
