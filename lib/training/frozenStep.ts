// In: a model whose encoder is frozen, and tokenised pairs. Out: training steps of the head alone, on vectors computed once.
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { layOut, type PairDataset, type TokenStore } from "../dataset";
import { createAdamW } from "../engine/adamw";
import { compile } from "../engine/compile";
import type { Scorer } from "../evaluation/score";
import { pairLoss } from "../loss";
import { headShapes } from "../models/heads";
import { poolInputs, scorePooled, type RewardModel } from "../models/rewardModel";
import { encoderKey, openEncoderCache, pruneEncoderCaches, textHash, type EncoderCache } from "../storage/encoderCache";
import type { LoadedModel } from "../storage/checkpoint";
import { planScoring, type Update } from "../text/batches";
import { decays, type StepOutcome, type TrainingStep, type TrainingStepOptions } from "./step";

/** From so many tokens on, XLA's compilation of the encoder pays. */
const FUSED_TOKENS = 200_000;

/** Relative to the working directory, as all that a run writes. */
const CACHE_DIR = join(".cache", "encoder");
const KEPT_FILES = 4;
const ROWS_PER_RUN = 1024;

/** Whether the trained parameters all belong to the head, so that the encoder's vectors stay as they are. */
export function isHeadOnly(model: RewardModel, trainable: readonly string[]): boolean {
  const head = headShapes(model.config);
  return model.lora === null && trainable.every((name) => head.has(name));
}

/** Opens the cache that fits a loaded model as it stands; of the files of other models the newest few stay. */
export function cacheFor(loaded: LoadedModel, options: { readonly dir: string; readonly precision: "bf16" | "f32" }): EncoderCache {
  const { model, tokenizer, settings } = loaded;
  pruneEncoderCaches(options.dir, KEPT_FILES);
  return openEncoderCache({ dir: options.dir, width: model.config.hiddenSize, key: encoderKey({ model, tokenizer, settings, precision: options.precision }) });
}

/** How texts become cached vectors. */
export interface EncodingPlan {
  readonly cache: EncoderCache;
  readonly padId: number;
  readonly precision: "bf16" | "f32";
  readonly tokensPerBatch: number;
}

/**
 * Puts the vector of each distinct text into the cache.
 *
 * @returns cache row of each text, shape [N]
 */
export function encodeOnce(
  model: RewardModel,
  tokens: TokenStore,
  { cache, padId, precision, tokensPerBatch, onProgress }: EncodingPlan & { readonly onProgress?: (done: number, total: number) => void },
): Int32Array {
  const hashes = Array.from({ length: tokens.size }, (_, i) => textHash(tokens.ids(i)));
  const missing = [...new Map(hashes.map((hash, i) => [hash, i])).entries()].filter(([hash]) => cache.row(hash) === undefined).map(([, i]) => i);
  const lengths = Int32Array.from(missing, (text) => tokens.length(text));
  const forward = compile((ids, mask) => poolInputs(model, { ids: ids as tf.Tensor2D, mask: mask as tf.Tensor2D }), {
    precision, name: "encode", xla: lengths.reduce((a, b) => a + b, 0) > FUSED_TOKENS ? undefined : false,
  });
  let done = 0;
  try {
    for (const { rows, width, capacity } of planScoring(lengths, { tokensPerBatch, maxLength: lengths.reduce((a, b) => Math.max(a, b), 1) })) {
      const { ids, mask } = layOut(rows.map((row) => tokens.ids(missing[row])), capacity, width, padId);
      const inputs = [tf.tensor2d(ids, [capacity, width], "int32"), tf.tensor2d(mask, [capacity, width])];
      const [output] = forward(...inputs);
      const values = output.dataSync() as Float32Array;
      tf.dispose([...inputs, output]);
      rows.forEach((row, i) => cache.put(hashes[missing[row]], values.slice(i * cache.width, (i + 1) * cache.width)));
      onProgress?.((done += rows.length), missing.length);
    }
  } finally {
    forward.dispose();
  }
  cache.flush();
  return Int32Array.from(hashes, (hash) => cache.row(hash)!);
}

/** `createTrainingStep` for a head on a frozen encoder: the same losses and gradients, without the encoder's dropout. */
export function createFrozenStep(
  options: TrainingStepOptions & EncodingPlan,
): TrainingStep {
  const { model, dataset, config, precision, padId, cache, tokensPerBatch } = options;
  const variables = options.trainable.map((name) => model.parameters.get(name)!);
  const optimizer = createAdamW(new Map(options.trainable.map((name, i) => [name, variables[i]])), {
    weightDecay: config.weight_decay, beta1: config.adam_beta1, beta2: config.adam_beta2, epsilon: config.adam_epsilon,
    gradClip: config.grad_clip || Infinity, decays, xla: false,
  });
  const lossOptions = { kind: config.loss, labelSmoothing: config.label_smoothing, centering: config.centering };
  const rowOf = encodeOnce(model, dataset.tokens, { cache, padId, precision, tokensPerBatch });

  // vectors [2P, H], chosen half first → [ℓ·share of P pairs, 2P rewards], then a gradient for each parameter of the head.
  const lossAndGradients = (vectors: tf.Tensor, numbers: tf.Tensor, seed: tf.Tensor) => {
    const P = numbers.shape[1]!;
    const forward = () => {
      const rewards = scorePooled(model, vectors as tf.Tensor2D, { dropoutSeed: config.dropout ? (seed as tf.Tensor1D) : undefined });
      const [share, weights, margins] = [0, 1, 2].map((row) => tf.reshape(tf.slice(numbers, [row, 0], [1, P]), [P]) as tf.Tensor1D);
      const loss = pairLoss({ chosen: tf.slice(rewards, [0], [P]), rejected: tf.slice(rewards, [P], [P]), weights, margins }, lossOptions);
      return tf.concat([tf.mul(loss, share), rewards]);
    };
    const direction = tf.concat([tf.ones([P]), tf.zeros([2 * P])]);
    const { value, grads } = tf.engine().gradients(forward, variables as unknown as tf.Tensor[], direction);
    return [value, ...grads];
  };
  const gradients = compile(lossAndGradients, { precision, name: "head", xla: false });

  const run = (update: Update, learningRate: number, seed: number): StepOutcome => {
    const pairs = update.batches.flatMap(({ rows }) => rows), P = pairs.length;
    const arrays = headArrays(dataset, pairs, rowOf, cache);
    const inputs = [tf.tensor2d(arrays.vectors, [2 * P, cache.width]), tf.tensor2d(arrays.numbers, [3, P]), tf.tensor1d([config.seed, seed], "int32")];
    const [values, ...grads] = gradients(...inputs);
    const { gradNorm, skipped } = optimizer.step(grads, learningRate);
    const numbers = values.dataSync() as Float32Array;
    const norm = gradNorm.dataSync()[0];
    tf.dispose([...inputs, values, ...grads, gradNorm, skipped]);
    const tokens = pairs.reduce((sum, pair) => sum + dataset.tokens.length(2 * pair) + dataset.tokens.length(2 * pair + 1), 0);
    return {
      loss: numbers.subarray(0, P).reduce((sum, value) => sum + value, 0),
      chosen: numbers.slice(P, 2 * P), rejected: numbers.slice(2 * P),
      gradNorm: norm, tokens, paddedTokens: tokens,
    };
  };
  return {
    run, optimizer, trainable: options.trainable,
    dispose: () => {
      gradients.dispose();
      optimizer.dispose();
    },
  };
}

/** `createScorer` for a model whose encoder is frozen: texts it has met need the head alone. */
export function createFrozenScorer(model: RewardModel, plan: EncodingPlan): Scorer {
  const { cache, precision } = plan;
  const forward = compile((vectors) => scorePooled(model, vectors as tf.Tensor2D), { precision, name: "score head", xla: false });
  const score: Scorer["score"] = async (tokens, { onProgress, signal } = {}) => {
    signal?.throwIfAborted();
    const rowOf = encodeOnce(model, tokens, plan);
    const rewards = new Float64Array(tokens.size);
    for (let from = 0; from < tokens.size; from += ROWS_PER_RUN) {
      const rows = rowOf.subarray(from, from + ROWS_PER_RUN);
      const vectors = new Float32Array(ROWS_PER_RUN * cache.width);
      cache.read(rows, vectors);
      const input = tf.tensor2d(vectors, [ROWS_PER_RUN, cache.width]);
      const [output] = forward(input);
      rewards.set(output.dataSync().subarray(0, rows.length), from);
      tf.dispose([input, output]);
      onProgress?.(Math.min(from + ROWS_PER_RUN, tokens.size), tokens.size);
    }
    return rewards;
  };
  return { score, dispose: () => forward.dispose() };
}

/** The cache of a model whose encoder is frozen, and the scorer that reads it. */
export interface FrozenEncoder {
  readonly plan: EncodingPlan;
  readonly scorer: Scorer;
  dispose(): void;
}

export function openFrozenEncoder(loaded: LoadedModel, options: Omit<EncodingPlan, "cache">): FrozenEncoder {
  const plan = { ...options, cache: cacheFor(loaded, { dir: CACHE_DIR, precision: options.precision }) };
  const scorer = createFrozenScorer(loaded.model, plan);
  return {
    plan, scorer,
    dispose: () => {
      scorer.dispose();
      plan.cache.close();
    },
  };
}

/** Vectors of P pairs, [2P, H] with the chosen half first, and their shares, weights and margins, [3, P]. */
function headArrays(dataset: PairDataset, pairs: readonly number[], rowOf: Int32Array, cache: EncoderCache): { vectors: Float32Array; numbers: Float32Array } {
  const P = pairs.length;
  const rows = new Int32Array(2 * P), numbers = new Float32Array(3 * P), vectors = new Float32Array(2 * P * cache.width);
  pairs.forEach((pair, i) => {
    rows[i] = rowOf[2 * pair];
    rows[P + i] = rowOf[2 * pair + 1];
    numbers[i] = 1 / P;
    numbers[P + i] = dataset.weights[pair];
    numbers[2 * P + i] = dataset.margins[pair];
  });
  cache.read(rows, vectors);
  return { vectors, numbers };
}
