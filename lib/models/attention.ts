// In: states, or queries, keys and values. Out: what each token has seen of its own text: attention for all families, in plain tfjs-core.
import * as tf from "@tensorflow/tfjs-core";
import { fusedAttention, fusedSelfAttention, kernelInstructions, usesKernels } from "../engine/fusedOps";
import { isDecoder, type ModelConfig } from "./config";
import { linear, parameter, plainProduct, type Forward } from "./layers";

/** [B·T, heads·D] → [B, heads, T, D]. */
export function splitHeads(x: tf.Tensor2D, B: number, heads: number): tf.Tensor4D {
  return tf.transpose(tf.reshape(x, [B, x.shape[0] / B, heads, x.shape[1] / heads]), [0, 2, 1, 3]) as tf.Tensor4D;
}

export interface Attended {
  /** [B·Tq, heads·D]. */
  readonly query: tf.Tensor2D;
  /** [B·T, keyValueHeads·D], likewise `value`. */
  readonly key: tf.Tensor2D;
  readonly value: tf.Tensor2D;
  /** Broadcasts to [B, heads, Tq, T]. */
  readonly bias: tf.Tensor4D;
  /** `attendIds` of the layout, where all B·T tokens ask: what `bias` says, but for the order of the tokens. */
  readonly segmentIds?: tf.Tensor;
  readonly causal?: boolean;
}

/** Whether compiled graphs of a model compute attention in one kernel: time and memory then grow with each text's own length, not with the row's. */
export const fusesAttention = (config: ModelConfig, withDropout: boolean): boolean =>
  kernelInstructions() !== null && !(withDropout && config.dropout.attention > 0);

/**
 * Whether an encoder's layers are bare products and kernels alone: then XLA finds nothing to fuse. An epoch of real pairs took
 * 19.4 s of processor time with and without its compiled groups (96 pairs, bf16), 20.0 and 20.1 s (48 pairs, f32, AVX2).
 */
export const fusesLayers = (
  { config, lora }: { readonly config: ModelConfig; readonly lora: object | null },
  withDropout: boolean,
): boolean =>
  kernelInstructions() !== null && !isDecoder(config) && config.activation === "gelu" && lora === null && !withDropout;

/** softmax(q·kᵀ/√D + bias)·v, heads joined again: [B·Tq, heads·D]. In one kernel where there is one and nothing is dropped. */
export function attention(forward: Forward, attended: Attended): tf.Tensor2D {
  const { heads, keyValueHeads } = forward.config;
  const { query, key, value, segmentIds, causal = false } = attended;
  const fuses = segmentIds && fusesAttention(forward.config, forward.dropout.active);
  const fused = fuses ? fusedAttention({ query, key, value, segmentIds, heads, keyValueHeads, causal }) : null;
  return fused ?? attentionByParts(forward, attended);
}

export interface EncoderAttention extends Pick<Attended, "bias" | "segmentIds"> {
  /** The states that ask: all of them, with `segmentIds`, or some of their rows. */
  readonly rows: tf.Tensor2D;
  /** Projections of query, key and value, all with bias. */
  readonly modules: readonly [string, string, string];
}

/**
 * Attention of an encoder's layer, projections included, by the way that is the least work: one product for queries, keys
 * and values where attention is fused.
 *
 * @param x [B·T, H]
 * @returns [rows, heads·D]
 */
export function encoderAttention(
  forward: Forward,
  x: tf.Tensor2D,
  { rows, modules, bias, segmentIds }: EncoderAttention,
): tf.Tensor2D {
  const { heads, keyValueHeads } = forward.config;
  if (segmentIds && usesKernels() && fusesAttention(forward.config, forward.dropout.active)) {
    const joined = plainProduct(forward, x, modules);
    const fused = joined && fusedSelfAttention({ ...joined, segmentIds, heads, keyValueHeads, causal: false });
    if (fused) return fused;
  }
  const [ask, key, value] = modules;
  const query = linear(forward, rows, ask);
  if (!segmentIds && fewRows(forward, bias.shape[2])) return attendFromRows(forward, x, { query, bias, key, value });
  return attention(forward, {
    query,
    key: linear(forward, x, key),
    value: linear(forward, x, value),
    bias,
    segmentIds,
  });
}

/** Grouped queries need no copies of keys: the queries of a group are stacked along time, [B, keyValueHeads, group·Tq, D]. */
function attentionByParts(forward: Forward, attended: Attended): tf.Tensor2D {
  const { heads: A, keyValueHeads: KV } = forward.config;
  const { bias } = attended;
  const [B, , , T] = bias.shape;
  const query = splitHeads(attended.query, B, A);
  const [key, value] = [attended.key, attended.value].map((x) => splitHeads(x, B, KV));
  const [, , Tq, D] = query.shape;
  const grouped = (x: tf.Tensor4D, last: number) =>
    KV === A ? x : (tf.reshape(x, [B, KV, (A / KV) * Tq, last]) as tf.Tensor4D);
  const scaled = tf.mul(query, 1 / Math.sqrt(D)) as tf.Tensor4D; // cheaper here than on the [.., T] products
  const products = tf.reshape(tf.matMul(grouped(scaled, D), key, false, true), [B, A, Tq, T]);
  const weights = tf.softmax(tf.add(products, bias)) as tf.Tensor4D;
  const dropped = forward.dropout(weights, forward.config.dropout.attention);
  const mixed = tf.reshape(tf.matMul(grouped(dropped, T), value), [B, A, Tq, D]);
  return tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [B * Tq, A * D]);
}

/**
 * What a few rows of a text see, as `attention` has it, without keys and values of all the others:
 * q·(Wₖx + bₖ) = (Wₖᵀq)·x + q·bₖ, and Σp·(Wᵥx + bᵥ) = Wᵥ·Σp·x + bᵥ·Σp.
 *
 * @param x     [B·T, H] the states that are looked at
 * @param query [B·S, heads·D]
 * @param bias  [B, 1, S, T]
 * @param key   module of the key's projection, likewise `value`; each with weight [heads·D, H] and bias
 * @returns [B·S, heads·D]
 */
function attendFromRows(
  forward: Forward,
  x: tf.Tensor2D,
  { query, bias, key, value }: { query: tf.Tensor2D; bias: tf.Tensor4D; key: string; value: string },
): tf.Tensor2D {
  const A = forward.config.heads;
  const [B, , S, T] = bias.shape;
  const [D, H] = [query.shape[1] / A, x.shape[1]];
  const states = tf.reshape(x, [B, T, H]) as tf.Tensor3D;
  const weightOf = (module: string) => tf.reshape(parameter(forward, `${module}.weight`), [A, D, H]);
  const byHead = (rows: tf.Tensor, last: number) =>
    tf.reshape(tf.transpose(tf.reshape(rows, [B, A, S, last]), [1, 0, 2, 3]), [A, B * S, last]);
  const byText = (rows: tf.Tensor, last: number) => tf.transpose(tf.reshape(rows, [A, B, S, last]), [1, 0, 2, 3]);
  const scaled = tf.mul(splitHeads(query, B, A), 1 / Math.sqrt(D));
  const asked = byText(tf.matMul(byHead(scaled, D), weightOf(key)), H);
  const products = tf.reshape(tf.matMul(tf.reshape(asked, [B, A * S, H]), states, false, true), [B, A, S, T]);
  const constant = tf.sum(tf.mul(scaled, tf.reshape(parameter(forward, `${key}.bias`), [1, A, 1, D])), 3, true);
  const scores = tf.add(tf.add(products, constant), bias);
  const weights = forward.dropout(tf.softmax(scores) as tf.Tensor4D, forward.config.dropout.attention);
  const seen = byHead(tf.matMul(tf.reshape(weights, [B, A * S, T]), states), H);
  const offset = tf.mul(byHead(tf.sum(weights, 3), 1), tf.reshape(parameter(forward, `${value}.bias`), [A, 1, D]));
  const mixed = tf.add(tf.matMul(seen, weightOf(value), false, true), offset);
  return tf.reshape(tf.transpose(tf.reshape(mixed, [A, B, S, D]), [1, 2, 0, 3]), [B * S, A * D]);
}

/** Whether `attendFromRows` is less work for S rows a text, and allowed: it multiplies by the weights themselves, which low-rank updates are not part of. */
const fewRows = ({ lora, config }: Forward, S: number): boolean =>
  lora === null && S * config.heads < config.hiddenSize / 2;
