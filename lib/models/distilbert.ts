// In: token ids and segment ids. Out: the hidden states of DistilBERT: BERT without segments and pooler, half the layers.
// Reference: Sanh et al. (2019), arXiv 1910.01108; transformers, modeling_distilbert.py.

import * as tf from "@tensorflow/tfjs-core";
import { encoderAttention } from "./attention";
import type { ModelConfig } from "./config";
import { activatedLinear, layerNorm, linearAddNorm, pickRows, stored, type Forward, type Layout } from "./layers";
import { gatherRows } from "./halfStorage";
import { runLayer } from "./recompute";

/** Name → shape of the trunk's parameters, as transformers saves them. */
export function distilbertShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize: H, intermediateSize: I } = config;
  const shapes = new Map<string, number[]>();
  const weightAndBias = (module: string, out: number, into?: number) => {
    shapes.set(`${module}.weight`, into === undefined ? [out] : [out, into]);
    shapes.set(`${module}.bias`, [out]);
  };
  shapes.set("distilbert.embeddings.word_embeddings.weight", [config.vocabSize, H]);
  shapes.set("distilbert.embeddings.position_embeddings.weight", [config.maxPositions, H]);
  weightAndBias("distilbert.embeddings.LayerNorm", H);
  for (let i = 0; i < config.layers; i++) {
    const layer = `distilbert.transformer.layer.${i}`;
    for (const name of ["q_lin", "k_lin", "v_lin", "out_lin"]) weightAndBias(`${layer}.attention.${name}`, H, H);
    weightAndBias(`${layer}.sa_layer_norm`, H);
    weightAndBias(`${layer}.ffn.lin1`, I, H);
    weightAndBias(`${layer}.ffn.lin2`, H, I);
    weightAndBias(`${layer}.output_layer_norm`, H);
  }
  return shapes;
}

/** Word and position vectors; positions count tokens from 0, so that left padding moves nothing. */
function embeddings(forward: Forward, ids: tf.Tensor2D, { count }: Layout): tf.Tensor2D {
  const words = gatherRows(stored(forward, "distilbert.embeddings.word_embeddings.weight"), ids);
  const at = tf.cast(tf.maximum(tf.sub(count, 1), 0), "int32");
  const positions = gatherRows(stored(forward, "distilbert.embeddings.position_embeddings.weight"), at);
  const sum = tf.reshape(tf.add(words, positions), [-1, forward.config.hiddenSize]) as tf.Tensor2D;
  return forward.dropout(layerNorm(forward, sum, "distilbert.embeddings.LayerNorm"), forward.config.dropout.hidden);
}

interface TransformerLayer {
  readonly layer: string;
  readonly bias: tf.Tensor4D;
  /** As in `attention`. */
  readonly segmentIds?: tf.Tensor2D;
  /** The only rows needed, or none for all. */
  readonly read?: tf.Tensor1D;
}

/** One layer, [B·T, H] → [B·T, H]; with `read`, [B·S, H]. No dropout after attention's output: the original has none. */
function transformerLayer(
  forward: Forward,
  x: tf.Tensor2D,
  { layer, bias, segmentIds, read }: TransformerLayer,
): tf.Tensor2D {
  const rows = read ? pickRows(x, read) : x;
  const self = `${layer}.attention`;
  const mixed = encoderAttention(forward, x, {
    rows,
    bias,
    segmentIds,
    modules: [`${self}.q_lin`, `${self}.k_lin`, `${self}.v_lin`],
  });
  const middle = linearAddNorm(forward, mixed, {
    residual: rows,
    module: `${layer}.attention.out_lin`,
    norm: `${layer}.sa_layer_norm`,
    rate: 0,
  });
  const wide = activatedLinear(forward, middle, `${layer}.ffn.lin1`);
  const rate = forward.config.dropout.hidden;
  return linearAddNorm(forward, wide, {
    residual: middle,
    module: `${layer}.ffn.lin2`,
    norm: `${layer}.output_layer_norm`,
    rate,
  });
}

/** Last hidden states: [B·S, H] of the rows `read` names, or [B·T, H] when it is null. */
export function distilbertHidden(
  forward: Forward,
  ids: tf.Tensor2D,
  layout: Layout,
  read: tf.Tensor1D | null,
): tf.Tensor2D {
  const { config, fullLastLayer } = forward;
  let x = embeddings(forward, ids, layout);
  for (let i = 0; i < config.layers; i++) {
    const shortcut = i === config.layers - 1 && !fullLastLayer ? read : null;
    const layer = `distilbert.transformer.layer.${i}`;
    const constants = shortcut ? [layout.textBias, shortcut] : [layout.bias, layout.segmentIds];
    x = runLayer(forward, x, { prefix: `${layer}.`, constants }, (inside, input, [bias, other]) =>
      transformerLayer(inside, input, {
        layer,
        bias: bias as tf.Tensor4D,
        ...(shortcut ? { read: other as tf.Tensor1D } : { segmentIds: other as tf.Tensor2D }),
      }),
    );
  }
  return read && fullLastLayer ? pickRows(x, read) : x;
}
