// In: token ids and segment ids. Out: the hidden states of Llama, Qwen 2, Qwen 3 and Mistral: rotary positions, grouped queries,
// RMS norm, SwiGLU. Reference: Touvron et al. (2023), arXiv 2302.13971; transformers, modeling_llama.py and its kin.

import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors";
import { attention } from "./attention";
import type { ModelConfig } from "./config";
import { gatherRows } from "./halfStorage";
import { activate, causalBias, linear, pickRows, rmsNorm, stored, type Forward, type Layout } from "./layers";
import { runLayer } from "./recompute";
import { rotaryTables } from "./rope";

/** Which projections carry a bias: Qwen 2's q, k, v always; Llama's and Qwen 3's by `attention_bias`; Mistral's never. */
function biased({ modelType, attentionBias, mlpBias }: ModelConfig, projection: string): boolean {
  if (modelType === "qwen2") return ["q_proj", "k_proj", "v_proj"].includes(projection);
  const inAttention = ["q_proj", "k_proj", "v_proj", "o_proj"].includes(projection);
  if (modelType === "llama") return inAttention ? attentionBias : mlpBias;
  return modelType === "qwen3" && inAttention && attentionBias;
}

/** Name → shape of the trunk's parameters, as transformers saves them; tied or not, the output table is no part of it. */
export function llamaShapes(config: ModelConfig): Map<string, number[]> {
  const { hiddenSize: H, intermediateSize: I, headSize: D, heads, keyValueHeads } = config;
  const shapes = new Map<string, number[]>([["model.embed_tokens.weight", [config.vocabSize, H]]]);
  for (let i = 0; i < config.layers; i++) {
    const layer = `model.layers.${i}`;
    const projection = (block: string, name: string, out: number, into: number) => {
      shapes.set(`${layer}.${block}.${name}.weight`, [out, into]);
      if (biased(config, name)) shapes.set(`${layer}.${block}.${name}.bias`, [out]);
    };
    shapes.set(`${layer}.input_layernorm.weight`, [H]);
    projection("self_attn", "q_proj", heads * D, H);
    projection("self_attn", "k_proj", keyValueHeads * D, H);
    projection("self_attn", "v_proj", keyValueHeads * D, H);
    projection("self_attn", "o_proj", H, heads * D);
    if (config.modelType === "qwen3")
      for (const n of ["q_norm", "k_norm"]) shapes.set(`${layer}.self_attn.${n}.weight`, [D]);
    shapes.set(`${layer}.post_attention_layernorm.weight`, [H]);
    projection("mlp", "gate_proj", I, H);
    projection("mlp", "up_proj", I, H);
    projection("mlp", "down_proj", H, I);
  }
  return shapes.set("model.norm.weight", [H]);
}

/** Cosines and sines of half the dimensions (the other half is the same): [T, 1, D/2], or of each row by itself, [B, T, 1, D/2]; of the rows that are read, [B, S, 1, D/2]. */
export interface Rotation {
  readonly cosine: tf.Tensor;
  readonly sine: tf.Tensor;
}

/** (a, b) → (a·cos − b·sin, b·cos + a·sin), a and b the halves of the last axis of x [B, T, heads, D]. */
function rotate(x: tf.Tensor4D, { cosine, sine }: Rotation): tf.Tensor4D {
  const [B, T, A, D] = x.shape;
  const a = tf.slice(x, [0, 0, 0, 0], [B, T, A, D / 2]);
  const b = tf.slice(x, [0, 0, 0, D / 2], [B, T, A, D / 2]);
  return tf.concat(
    [tf.sub(tf.mul(a, cosine), tf.mul(b, sine)), tf.add(tf.mul(b, cosine), tf.mul(a, sine))],
    3,
  ) as tf.Tensor4D;
}

/**
 * Positions count from 0 with padding included, as transformers does: only differences matter to a rotary model. Where texts
 * share their beginnings a row's order is not a text's, and `positions` [B, T] says where each token stands.
 */
export function rotationOf({ rope }: ModelConfig, T: number, positions?: tf.Tensor2D): Rotation {
  const { cosine, sine } = rotaryTables(rope!, T);
  const table = (values: Float32Array) => {
    const half = values.length / T;
    const inOrder = tf.tensor3d(values, [T, 1, half]);
    if (!positions) return inOrder;
    return tf.reshape(tf.gather(inOrder, tf.reshape(positions, [-1]) as tf.Tensor1D), [-1, T, 1, half]);
  };
  return { cosine: table(cosine), sine: table(sine) };
}

/** The rotation of the rows that are read: [B, S, 1, D/2]. */
function rotationOfRows({ cosine, sine }: Rotation, read: tf.Tensor1D, B: number): Rotation {
  const half = cosine.shape[cosine.rank - 1];
  if (cosine.rank === 4) {
    const rows = (table: tf.Tensor) => tf.reshape(tf.gather(tf.reshape(table, [-1, half]), read), [B, -1, 1, half]);
    return { cosine: rows(cosine), sine: rows(sine) };
  }
  const T = cosine.shape[0];
  const starts = tf.reshape(tf.range(0, B * T, T, "int32"), [B, 1]);
  const place = tf.reshape(tf.sub(tf.reshape(read, [B, -1]), starts), [-1]) as tf.Tensor1D;
  const rows = (table: tf.Tensor) => tf.reshape(tf.gather(table, place), [B, -1, 1, half]);
  return { cosine: rows(cosine), sine: rows(sine) };
}

interface DecoderLayer {
  readonly layer: string;
  readonly B: number;
  readonly rotation: Rotation;
  /** As in `attention`. */
  readonly segmentIds?: tf.Tensor;
  /** Causal, [B, 1, T, T]; or of the text alone, [B, 1, S, T], where only its last token is read: it sees every token. */
  readonly bias: tf.Tensor4D;
  /** The only rows needed, the last token of each text; none for all. */
  readonly read?: tf.Tensor1D;
}

/** Where a projection's heads stand in time. */
interface Positioned {
  readonly layer: string;
  /** `q` or `k`. */
  readonly name: "q" | "k";
  readonly B: number;
  readonly rotation: Rotation;
}

/** Queries or keys of B texts, rotated to their positions: [B·T, H] → [B·T, heads·D]. */
export function positioned(
  forward: Forward,
  input: tf.Tensor2D,
  { layer, name, B, rotation }: Positioned,
): tf.Tensor2D {
  const { config } = forward;
  const heads = name === "q" ? config.heads : config.keyValueHeads;
  const projected = linear(forward, input, `${layer}.self_attn.${name}_proj`);
  const y = tf.reshape(projected, [B, -1, heads, config.headSize]) as tf.Tensor4D;
  const normed = config.modelType === "qwen3" ? rmsNorm(forward, y, `${layer}.self_attn.${name}_norm`) : y;
  return tf.reshape(rotate(normed, rotation), [input.shape[0], heads * config.headSize]) as tf.Tensor2D;
}

/** What a layer makes of its input x and what its attention saw, both [N, H]: output projection, norm and SwiGLU. */
export function afterAttention(forward: Forward, x: tf.Tensor2D, mixed: tf.Tensor2D, layer: string): tf.Tensor2D {
  const middle = tf.add(x, linear(forward, mixed, `${layer}.self_attn.o_proj`)) as tf.Tensor2D;
  const z = rmsNorm(forward, middle, `${layer}.post_attention_layernorm`);
  const gated = tf.mul(
    activate(linear(forward, z, `${layer}.mlp.gate_proj`), forward.config.activation),
    linear(forward, z, `${layer}.mlp.up_proj`),
  );
  return tf.add(middle, linear(forward, gated as tf.Tensor2D, `${layer}.mlp.down_proj`));
}

/** One decoder layer, [B·T, H] → [B·T, H], or [B·S, H] with `read`. */
function decoderLayer(
  forward: Forward,
  x: tf.Tensor2D,
  { layer, B, rotation, bias, segmentIds, read }: DecoderLayer,
): tf.Tensor2D {
  const normed = rmsNorm(forward, x, `${layer}.input_layernorm`);
  const at = { layer, B, rotation };
  const mixed = attention(forward, {
    query: read
      ? positioned(forward, pickRows(normed, read), { ...at, name: "q", rotation: rotationOfRows(rotation, read, B) })
      : positioned(forward, normed, { ...at, name: "q" }),
    key: positioned(forward, normed, { ...at, name: "k" }),
    value: linear(forward, normed, `${layer}.self_attn.v_proj`),
    bias,
    segmentIds,
    causal: true,
  });
  return afterAttention(forward, read ? pickRows(x, read) : x, mixed, layer);
}

/** @throws InputError when a sliding window would hide tokens of a text of `length` tokens */
export function checkWindow({ slidingWindow }: ModelConfig, length: number): void {
  if (slidingWindow !== null && length > slidingWindow) {
    throw new InputError(
      `text: expected at most ${slidingWindow} tokens (sliding_window), got ${length}; lower max_length`,
    );
  }
}

/**
 * Last hidden states, after the final norm: [B·S, H] of the rows `read` names (last tokens), or [B·T, H].
 *
 * @throws InputError when a sliding window would hide tokens
 */
export function llamaHidden(forward: Forward, ids: tf.Tensor2D, layout: Layout, read: tf.Tensor1D | null): tf.Tensor2D {
  const { config, fullLastLayer } = forward;
  const { B, T, S } = layout;
  if (S === 1 && !layout.positions) checkWindow(config, T); // texts that share a row are shorter: the caller has looked at each
  const rotation = rotationOf(config, T, layout.positions);
  const causal = causalBias(layout);
  let x = tf.reshape(gatherRows(stored(forward, "model.embed_tokens.weight"), ids), [
    B * T,
    config.hiddenSize,
  ]) as tf.Tensor2D;
  for (let i = 0; i < config.layers; i++) {
    const shortcut = i === config.layers - 1 && !fullLastLayer ? read : null;
    const layer = `model.layers.${i}`;
    const constants = [
      rotation.cosine,
      rotation.sine,
      ...(shortcut ? [layout.textBias, shortcut] : [causal, layout.attendIds]),
    ];
    x = runLayer(forward, x, { prefix: `${layer}.`, constants }, (inside, input, [cosine, sine, bias, other]) =>
      decoderLayer(inside, input, {
        layer,
        B,
        rotation: { cosine, sine },
        bias: bias as tf.Tensor4D,
        ...(shortcut ? { read: other as tf.Tensor1D } : { segmentIds: other }),
      }),
    );
  }
  return rmsNorm(forward, read && fullLastLayer ? pickRows(x, read) : x, "model.norm");
}
