// In: activations and named parameters. Out: the layers all families are made of, in plain tfjs-core.
// Everything here can be traced: no value is read and no shape depends on data.

import * as tf from "@tensorflow/tfjs-core";
import { dropout } from "../engine/dropout";
import { fusedAddNorm, fusedGelu, usesKernels } from "../engine/fusedOps";
import type { ModelConfig } from "./config";
import type { Activation } from "./configSchemas";
import { widen } from "./halfStorage";

/** What one forward pass needs besides its inputs. */
export interface Forward {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  /** Adds the low-rank update where a projection has one; see lora.ts. */
  readonly lora: { readonly scale: number; readonly dropout: number } | null;
  readonly dropout: Dropout;
  /** Keeps only each layer's input and computes the layer again in the backward pass. */
  readonly recompute: boolean;
  /** Computes every row of the last layer although the head reads one: for measurements. */
  readonly fullLastLayer: boolean;
}

/** Dropout whose masks differ by place, counted in call order, and by seed; without a seed the identity. */
export interface Dropout {
  <T extends tf.Tensor>(x: T, rate: number): T;
  place: number;
  /** False without a seed. */
  readonly active: boolean;
}

export function createDropout(seed: tf.Tensor1D | undefined): Dropout {
  const apply = <T extends tf.Tensor>(x: T, rate: number): T =>
    seed === undefined || rate === 0 ? x : dropout(x, rate, seed, drop.place++);
  const drop = Object.assign(apply, { place: 0, active: seed !== undefined });
  return drop;
}

/** A parameter as it is kept. */
export function stored({ parameters }: Pick<Forward, "parameters">, name: string): tf.Tensor {
  const found = parameters.get(name);
  if (!found) throw new Error(`parameter: expected ${name} in the model, got none; it is listed by parameterShapes`);
  return found;
}

/** A parameter's value. */
export function parameter(forward: Pick<Forward, "parameters">, name: string): tf.Tensor {
  return widen(stored(forward, name));
}

/**
 * x·Wᵀ + b with W in Hugging Face orientation [out, in]; the bias where the model has one.
 * With LoRA: + scale · dropout(x)·Aᵀ·Bᵀ.
 *
 * @param x [N, in]
 * @param module name without `.weight`
 */
export function linear(forward: Forward, x: tf.Tensor2D, module: string): tf.Tensor2D {
  const { parameters, lora } = forward;
  const product = tf.matMul(x, parameter(forward, `${module}.weight`) as tf.Tensor2D, false, true);
  const bias = parameters.get(`${module}.bias`);
  const y = (bias ? tf.add(product, bias) : product) as tf.Tensor2D;
  const down = parameters.get(`${module}.lora_A.weight`);
  if (!lora || !down) return y;
  const narrow = tf.matMul(forward.dropout(x, lora.dropout), down as tf.Tensor2D, false, true);
  const update = tf.matMul(narrow, parameter(forward, `${module}.lora_B.weight`) as tf.Tensor2D, false, true);
  return tf.add(y, tf.mul(update, lora.scale)) as tf.Tensor2D;
}

/** The one product of linear layers that are no more than x·Wᵀ + b, side by side, and their biases; null where low-rank updates are added. */
export function plainProduct(
  forward: Forward,
  x: tf.Tensor2D,
  modules: readonly string[],
): { product: tf.Tensor2D; bias: tf.Tensor } | null {
  const { parameters, lora } = forward;
  if (
    !modules.every((module) => parameters.has(`${module}.bias`) && !(lora && parameters.has(`${module}.lora_A.weight`)))
  )
    return null;
  const joined = (part: string) => {
    const all = modules.map((module) => parameter(forward, `${module}.${part}`));
    return all.length === 1 ? all[0] : tf.concat(all, 0);
  };
  return { product: tf.matMul(x, joined("weight") as tf.Tensor2D, false, true), bias: joined("bias") };
}

/** The activation of a linear layer: [N, in] → [N, out]. */
export function activatedLinear(forward: Forward, x: tf.Tensor2D, module: string): tf.Tensor2D {
  const { activation } = forward.config;
  const plain = activation === "gelu" && usesKernels() ? plainProduct(forward, x, [module]) : null;
  return (plain && fusedGelu(plain.product, plain.bias)) ?? activate(linear(forward, x, module), activation);
}

/**
 * layerNorm(residual + dropout(linear(x))).
 *
 * @param module the linear layer; `norm` the normalisation; `rate` of the dropout between them
 */
export function linearAddNorm(
  forward: Forward,
  x: tf.Tensor2D,
  { residual, module, norm, rate }: { residual: tf.Tensor2D; module: string; norm: string; rate: number },
): tf.Tensor2D {
  const fuses = usesKernels() && !(forward.dropout.active && rate > 0);
  const plain = fuses ? plainProduct(forward, x, [module]) : null;
  const fused =
    plain &&
    fusedAddNorm({
      ...plain,
      residual,
      weight: parameter(forward, `${norm}.weight`),
      beta: parameter(forward, `${norm}.bias`),
      epsilon: forward.config.normEpsilon,
    });
  return (
    fused ??
    layerNorm(forward, tf.add(residual, forward.dropout(linear(forward, x, module), rate)) as tf.Tensor2D, norm)
  );
}

/** (x − mean)/√(variance + ε)·w + b over the last axis. */
export function layerNorm<T extends tf.Tensor>(forward: Forward, x: T, module: string): T {
  const centred = tf.sub(x, tf.mean(x, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const unit = tf.mul(centred, tf.rsqrt(tf.add(variance, forward.config.normEpsilon)));
  return tf.add(tf.mul(unit, parameter(forward, `${module}.weight`)), parameter(forward, `${module}.bias`));
}

/** x/√(mean(x²) + ε)·w over the last axis. */
export function rmsNorm<T extends tf.Tensor>(forward: Forward, x: T, module: string): T {
  const scale = tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), forward.config.normEpsilon));
  return tf.mul(tf.mul(x, scale), parameter(forward, `${module}.weight`));
}

/** `gelu` is the exact one, x·Φ(x); `gelu_new` its tanh approximation, as in transformers. */
export function activate<T extends tf.Tensor>(x: T, kind: Activation): T {
  switch (kind) {
    case "gelu":
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    case "gelu_new": {
      const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.square(x), x), 0.044715)), Math.sqrt(2 / Math.PI));
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1));
    }
    case "relu":
      return tf.relu(x);
    case "silu":
      return tf.mul(x, tf.sigmoid(x));
    case "tanh":
      return tf.tanh(x);
  }
}

/** What the segment ids say: all a family needs to know about padding and about texts that share a row, made once a call. */
export interface Layout {
  readonly B: number;
  readonly T: number;
  /** Texts that a row has room for. */
  readonly S: number;
  /** [B, S, T] 1 on the tokens of each text, but those of a beginning that it shares. */
  readonly own: tf.Tensor3D;
  /** [B, S, T] 1 on all tokens of each text. */
  readonly whole: tf.Tensor3D;
  /** [B, T] 0 on padding, else the number of the text that the token belongs to. */
  readonly segmentIds: tf.Tensor2D;
  /** What fused attention goes by: the segment ids, or [B, 2, T] with what each token's text goes on from. */
  readonly attendIds: tf.Tensor;
  /** int32 [B, T] place of each token in its text, from 0, where texts share their beginnings; else a row's order will do. */
  readonly positions?: tf.Tensor2D;
  /** [B, T] place of each token in its text, from 1; 0 on padding. */
  readonly count: tf.Tensor2D;
  /** [B, 1, 1, T], or [B, 1, T, T] with S > 1: 0 where a token may look, very negative elsewhere. Finite, so that a row of padding alone gives no NaN. */
  readonly bias: tf.Tensor4D;
  /** [B, 1, S, T] the same for one row a text. */
  readonly textBias: tf.Tensor4D;
  /** int32 [B·S] row of the [B·T, H] states that holds the first token of each text; of a place without text, any. */
  readonly first: tf.Tensor1D;
  readonly last: tf.Tensor1D;
}

/**
 * Texts of a row that go on from a common beginning, which stands before them under a number above those of the texts.
 * Reference: Wang and Hegde (2024), Accelerating direct preference optimization with prefix sharing, arXiv 2410.20305.
 */
export interface Sharing {
  /** [B, T] number of the beginning that the token's text goes on from; 0 where there is none. */
  readonly before: tf.Tensor2D;
  /** int32 [B, T] place of the token in its text, from 0, the shared beginning included. */
  readonly positions: tf.Tensor2D;
}

/** Finite, so that −1e9 − 1e9 stays a number and exp of it is exactly 0. */
const MASKED = -1e9;

/**
 * Several texts may share a row ("packing"): they do not see each other, and positions count anew in each.
 *
 * @param segmentIds  [B, T]: 0 on padding, else the number of the text that the token belongs to
 * @param segments [S] those numbers, 1…S; without it a row holds one text, number 1
 * @param sharing  texts that begin alike: their tokens see the common beginning, whose tokens see no more than itself
 * Reference: Krell et al. (2021), Efficient sequence packing without cross-contamination, arXiv 2107.02027.
 */
export function layoutOf(segmentIds: tf.Tensor2D, segments?: tf.Tensor1D, sharing?: Sharing): Layout {
  const [B, T] = segmentIds.shape;
  const S = segments?.shape[0] ?? 1;
  const isNumber = (numbers: tf.Tensor) =>
    tf.cast(tf.equal(tf.reshape(segmentIds, [B, 1, T]), tf.reshape(numbers, [1, S, 1])), "float32");
  const own = (segments === undefined ? tf.reshape(segmentIds, [B, 1, T]) : isNumber(segments)) as tf.Tensor3D;
  const whole = sharing ? withBeginnings(own, segmentIds, sharing) : own;
  const upTo = tf.mul(own, tf.cumsum(own, 2));
  const rows = tf.reshape(tf.mul(tf.range(0, B), T), [B, 1]);
  const placeOf = (count: tf.Tensor | number) => {
    const there = tf.mul(own, tf.cast(tf.equal(upTo, count), "float32"));
    return tf.reshape(tf.cast(tf.add(tf.sum(tf.mul(there, tf.range(0, T)), 2), rows), "int32"), [B * S]) as tf.Tensor1D;
  };
  const textBias = tf.reshape(tf.mul(tf.sub(1, whole), MASKED), [B, 1, S, T]) as tf.Tensor4D;
  const isNot = (numbers: tf.Tensor2D) =>
    tf.notEqual(tf.reshape(numbers, [B, 1, T, 1]), tf.reshape(segmentIds, [B, 1, 1, T]));
  const others = () => {
    if (!sharing) return tf.cast(isNot(segmentIds), "float32");
    const nowhere = tf.cast(tf.equal(sharing.before, 0), "float32"); // 0 would be the padding
    return tf.cast(tf.logicalAnd(isNot(segmentIds), isNot(tf.sub(sharing.before, nowhere))), "float32");
  };
  return {
    B,
    T,
    S,
    own,
    whole,
    segmentIds,
    attendIds: sharing ? tf.stack([segmentIds, sharing.before], 1) : segmentIds,
    positions: sharing?.positions,
    count: tf.sum(upTo, 1),
    bias: S === 1 && !sharing ? textBias : tf.mul(others(), MASKED),
    textBias,
    first: placeOf(1),
    last: placeOf(tf.sum(own, 2, true)),
  };
}

/** [B, S, T] 1 on the tokens of each text and on those of the beginning that it goes on from. */
function withBeginnings(own: tf.Tensor3D, segmentIds: tf.Tensor2D, { before }: Sharing): tf.Tensor3D {
  const [B, , T] = own.shape;
  const from = tf.max(tf.mul(own, tf.reshape(before, [B, 1, T])), 2, true); // 0 where a text shares nothing
  const isFrom = tf.logicalAnd(tf.equal(tf.reshape(segmentIds, [B, 1, T]), from), tf.greater(from, 0));
  return tf.add(own, tf.cast(isFrom, "float32"));
}

/** Bias [B, 1, T, T] that also hides the future. */
export function causalBias({ T, bias }: Layout): tf.Tensor4D {
  const at = tf.range(0, T);
  const future = tf.cast(tf.greater(tf.reshape(at, [1, T]), tf.reshape(at, [T, 1])), "float32");
  return tf.add(tf.reshape(tf.mul(future, MASKED), [1, 1, T, T]), bias);
}

/** The rows of the states [B·T, H] that are read: [B·S, H]. */
export function pickRows(x: tf.Tensor2D, read: tf.Tensor1D): tf.Tensor2D {
  return tf.gather(x, read);
}
