// In: token ids and segment ids. Out: the hidden states of BERT, RoBERTa and XLM-RoBERTa, whose layers are the same.
// Reference: Devlin et al. (2019), arXiv 1810.04805; transformers, modeling_bert.py and modeling_roberta.py.

import * as tf from "@tensorflow/tfjs-core";
import { encoderAttention } from "./attention";
import type { ModelConfig } from "./config";
import {
  activatedLinear,
  layerNorm,
  linearAddNorm,
  parameter,
  pickRows,
  stored,
  type Forward,
  type Layout,
} from "./layers";
import { gatherRows } from "./halfStorage";
import { runLayer } from "./recompute";

const trunk = (config: ModelConfig) => (config.modelType === "bert" ? "bert" : "roberta");

/** Name → shape of the trunk's parameters, as transformers saves them. */
export function bertShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize: H, intermediateSize: I } = config;
  const shapes = new Map<string, number[]>();
  const weightAndBias = (module: string, out: number, into?: number) => {
    shapes.set(`${module}.weight`, into === undefined ? [out] : [out, into]);
    shapes.set(`${module}.bias`, [out]);
  };
  const embeddings = `${trunk(config)}.embeddings`;
  shapes.set(`${embeddings}.word_embeddings.weight`, [config.vocabSize, H]);
  shapes.set(`${embeddings}.position_embeddings.weight`, [config.maxPositions, H]);
  shapes.set(`${embeddings}.token_type_embeddings.weight`, [config.tokenTypes, H]);
  weightAndBias(`${embeddings}.LayerNorm`, H);
  for (let i = 0; i < config.layers; i++) {
    const layer = `${trunk(config)}.encoder.layer.${i}`;
    for (const name of ["query", "key", "value"]) weightAndBias(`${layer}.attention.self.${name}`, H, H);
    weightAndBias(`${layer}.attention.output.dense`, H, H);
    weightAndBias(`${layer}.attention.output.LayerNorm`, H);
    weightAndBias(`${layer}.intermediate.dense`, I, H);
    weightAndBias(`${layer}.output.dense`, H, I);
    weightAndBias(`${layer}.output.LayerNorm`, H);
  }
  return shapes;
}

/**
 * Position of each token. BERT counts tokens from 0, RoBERTa from padding_idx + 1 with padding at padding_idx.
 * Taken from the segment ids, so that left padding moves nothing (transformers' BERT counts padding too; padded right it is equal).
 */
function positionIds(config: ModelConfig, { count }: Layout): tf.Tensor2D {
  const ids = config.modelType === "bert" ? tf.maximum(tf.sub(count, 1), 0) : tf.add(count, config.padTokenId);
  return tf.cast(ids, "int32") as tf.Tensor2D;
}

function embeddings(forward: Forward, ids: tf.Tensor2D, layout: Layout): tf.Tensor2D {
  const { config } = forward;
  const module = `${trunk(config)}.embeddings`;
  const words = gatherRows(stored(forward, `${module}.word_embeddings.weight`), ids);
  const positions = gatherRows(stored(forward, `${module}.position_embeddings.weight`), positionIds(config, layout));
  const segments = parameter(forward, `${module}.token_type_embeddings.weight`);
  const types = tf.slice(segments, [0, 0], [1, config.hiddenSize]); // a text is one segment
  const sum = tf.add(tf.reshape(tf.add(words, positions), [-1, config.hiddenSize]), types) as tf.Tensor2D;
  return forward.dropout(layerNorm(forward, sum, `${module}.LayerNorm`), config.dropout.hidden);
}

interface EncoderLayer {
  readonly layer: string;
  readonly bias: tf.Tensor4D;
  /** As in `attention`. */
  readonly segmentIds?: tf.Tensor2D;
  /** The only rows needed, or none for all: keys and values still come from every row. */
  readonly read?: tf.Tensor1D;
}

/**
 * One encoder layer.
 *
 * @param x [B·T, H]
 * @returns [B·T, H], or [B·S, H] with `read`
 */
function encoderLayer(forward: Forward, x: tf.Tensor2D, { layer, bias, segmentIds, read }: EncoderLayer): tf.Tensor2D {
  const { config } = forward;
  const rows = read ? pickRows(x, read) : x;
  const self = `${layer}.attention.self`;
  const mixed = encoderAttention(forward, x, {
    rows,
    bias,
    segmentIds,
    modules: [`${self}.query`, `${self}.key`, `${self}.value`],
  });
  const rate = config.dropout.hidden;
  const output = `${layer}.attention.output`;
  const middle = linearAddNorm(forward, mixed, {
    residual: rows,
    module: `${output}.dense`,
    norm: `${output}.LayerNorm`,
    rate,
  });
  const wide = activatedLinear(forward, middle, `${layer}.intermediate.dense`);
  return linearAddNorm(forward, wide, {
    residual: middle,
    module: `${layer}.output.dense`,
    norm: `${layer}.output.LayerNorm`,
    rate,
  });
}

/**
 * Last hidden states.
 *
 * @param read rows of the states that the head reads, or null for all
 * @returns [B·S, H] with `read`, [B·T, H] without
 */
export function bertHidden(forward: Forward, ids: tf.Tensor2D, layout: Layout, read: tf.Tensor1D | null): tf.Tensor2D {
  const { config, fullLastLayer } = forward;
  let x = embeddings(forward, ids, layout);
  for (let i = 0; i < config.layers; i++) {
    const shortcut = i === config.layers - 1 && !fullLastLayer ? read : null;
    const layer = `${trunk(config)}.encoder.layer.${i}`;
    const constants = shortcut ? [layout.textBias, shortcut] : [layout.bias, layout.segmentIds];
    x = runLayer(forward, x, { prefix: `${layer}.`, constants }, (inside, input, [bias, other]) =>
      encoderLayer(inside, input, {
        layer,
        bias: bias as tf.Tensor4D,
        ...(shortcut ? { read: other as tf.Tensor1D } : { segmentIds: other as tf.Tensor2D }),
      }),
    );
  }
  return read && fullLastLayer ? pickRows(x, read) : x;
}
