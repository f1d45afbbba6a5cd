// In: the pairs of one update. Out: the model after one optimizer step, and what that step saw.
import * as tf from "@tensorflow/tfjs-core";
import type { TrainingConfig } from "../config";
import { pairArrays, type PairDataset } from "../batching/pairArrays";
import { sharingTensors } from "../models/rewardModel";
import type { AdamW } from "../engine/adamw";
import { compile } from "../engine/compile";
import { scoreInputs, type RewardModel } from "../models/rewardModel";
import { checkWindow } from "../models/llama";
import type { BatchShape, TrainingBatch, Update } from "../batching/trainingPlan";
import { createOptimizer, lossAndGradients } from "./lossGradients";

/** What one optimizer step saw. Rewards are those before the step. */
export interface StepOutcome {
  readonly loss: number;
  /** What each real pair brings to it, in batch order. */
  readonly losses: Float32Array;
  /** Rewards of the real pairs, in batch order. */
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
  /** Before clipping; when it is not finite the optimizer has changed nothing. */
  readonly gradNorm: number;
  /** Real and padded tokens that went through the model; a text that several pairs of a batch share counts once. */
  readonly tokens: number;
  readonly paddedTokens: number;
}

/** What the forward and backward pass of an update found. */
export interface UpdateGradients extends Omit<StepOutcome, "gradNorm"> {
  /** ∂loss/∂θ, one for each trained parameter in their order; whoever takes them disposes of them. */
  readonly gradients: readonly tf.Tensor[];
}

/** The compiled gradient and the optimizer of one run. */
export interface TrainingStep {
  /** Forward pass, loss and gradient over all batches of an update. @param seed of dropout */
  differentiate(update: Update, seed: number): UpdateGradients;
  /** Clips the gradients by their global norm and takes one step of AdamW. @returns the norm before clipping */
  update(gradients: readonly tf.Tensor[], learningRate: number): number;
  /** Takes no step: the loss was no finite number. @returns not a number, in the norm's place */
  discard(gradients: readonly tf.Tensor[]): number;
  /** Least time between two saves of the training state on the way, ms. */
  readonly savesApartMs: number;
  readonly optimizer: AdamW;
  readonly trainable: readonly string[];
  dispose(): void;
}

export interface TrainingStepOptions {
  readonly model: RewardModel;
  /** Names of the parameters that are trained, in a fixed order. */
  readonly trainable: readonly string[];
  readonly dataset: PairDataset;
  readonly config: TrainingConfig;
  readonly precision: "bf16" | "f32";
  readonly padId: number;
  /** Shapes whose graphs XLA compiles: those that run often enough to pay for it. */
  readonly fused: ReadonlySet<BatchShape>;
}

interface BatchGradients {
  /** @param pairs of the whole update. @returns losses, rewards of the chosen and of the rejected answers, each [P]; and the gradients */
  run(
    batch: TrainingBatch,
    pairs: number,
    seed: tf.Tensor1D,
  ): { numbers: Float32Array; gradients: tf.Tensor[]; tokens: number };
  dispose(): void;
}

/** Loss and gradients of a batch, in one compiled graph per shape. */
function createBatchGradients(options: TrainingStepOptions): BatchGradients {
  const { model, dataset, precision, padId } = options;
  const gradientsOf = (ids: tf.Tensor, segmentIds: tf.Tensor, ...numbers: tf.Tensor[]) => {
    const [segments, at, share, weights, margins, seed] = numbers as tf.Tensor1D[];
    const [before, positions] = numbers.slice(6) as tf.Tensor2D[];
    const sharing = before && { before, positions };
    const inputs = { ids: ids as tf.Tensor2D, segmentIds: segmentIds as tf.Tensor2D, segments, sharing };
    const score = (dropoutSeed?: tf.Tensor1D) => tf.gather(scoreInputs(model, inputs, { dropoutSeed }), at);
    return lossAndGradients(options, score, { share, weights, margins, seed });
  };
  const fused = compile(gradientsOf, { precision, name: "gradients" });
  const quick = compile(gradientsOf, { precision, name: "gradients", xla: false });
  const run: BatchGradients["run"] = (batch, pairs, seed) => {
    const arrays = pairArrays(dataset, batch, pairs, padId);
    const { height, width, slots } = batch.shape;
    const inputs = [
      tf.tensor2d(arrays.ids, [height, width], "int32"),
      tf.tensor2d(arrays.segmentIds, [height, width]),
      tf.range(1, slots + 1),
      tf.tensor1d(arrays.at, "int32"),
      tf.tensor1d(arrays.share),
      tf.tensor1d(arrays.weights),
      tf.tensor1d(arrays.margins),
    ];
    const sharing = sharingTensors(arrays.sharing, [height, width]);
    const [values, ...gradients] = (options.fused.has(batch.shape) ? fused : quick)(...inputs, seed, ...sharing);
    const numbers = values.dataSync() as Float32Array;
    tf.dispose([...inputs, ...sharing, values]);
    return { numbers, gradients, tokens: arrays.tokens };
  };
  const dispose = () => {
    fused.dispose();
    quick.dispose();
  };
  return { run, dispose };
}

/** Sums of gradients over the batches of an update; what it is given it disposes of. */
function createAccumulator(): { add(sum: tf.Tensor[] | null, gradients: tf.Tensor[]): tf.Tensor[]; dispose(): void } {
  const both = compile((...all) => all.slice(0, all.length / 2).map((sum, i) => tf.add(sum, all[all.length / 2 + i])), {
    precision: "f32",
    name: "accumulate",
    xla: false,
  });
  const add = (sum: tf.Tensor[] | null, gradients: tf.Tensor[]) => {
    if (sum === null) return gradients;
    const total: tf.Tensor[] = both(...sum, ...gradients);
    tf.dispose([...sum, ...gradients]);
    return total;
  };
  return { add, dispose: both.dispose };
}

/**
 * The step of a whole model: loss and gradients of each batch of an update, summed over the batches (each pair carries its
 * share 1/N, so the split does not matter), then AdamW.
 */
export function createTrainingStep(options: TrainingStepOptions): TrainingStep {
  const { model, dataset, config, trainable } = options;
  for (let text = 0; text < dataset.tokens.size; text++) checkWindow(model.config, dataset.tokens.length(text));
  const optimizer = createOptimizer(options, options.fused.size > 0 ? undefined : false);
  const batches = createBatchGradients(options);
  const accumulator = createAccumulator();
  const differentiate = (update: Update, seed: number): UpdateGradients => {
    const losses = new Float32Array(update.pairs);
    const chosen = new Float32Array(update.pairs);
    const rejected = new Float32Array(update.pairs);
    let [loss, tokens, paddedTokens, seen] = [0, 0, 0, 0];
    let sum: tf.Tensor[] | null = null;
    const seedTensor = tf.tensor1d([config.seed, seed], "int32");
    for (const batch of update.batches) {
      const made = batches.run(batch, update.pairs, seedTensor);
      const [P, n] = [batch.shape.pairs, batch.pairs.length];
      for (let i = 0; i < n; i++) loss += made.numbers[i];
      losses.set(made.numbers.subarray(0, n), seen);
      chosen.set(made.numbers.subarray(P, P + n), seen);
      rejected.set(made.numbers.subarray(2 * P, 2 * P + n), seen);
      seen += n;
      tokens += made.tokens;
      paddedTokens += batch.shape.height * batch.shape.width;
      sum = accumulator.add(sum, made.gradients);
    }
    seedTensor.dispose();
    return { loss, losses, chosen, rejected, gradients: sum!, tokens, paddedTokens };
  };
  const update = (gradients: readonly tf.Tensor[], learningRate: number): number => {
    const { gradNorm, skipped } = optimizer.step(gradients, learningRate);
    const norm = gradNorm.dataSync()[0];
    tf.dispose([...gradients, gradNorm, skipped]);
    return norm;
  };
  const discard = (gradients: readonly tf.Tensor[]): number => {
    tf.dispose([...gradients]);
    return NaN;
  };
  const dispose = () => {
    for (const part of [batches, accumulator, optimizer]) part.dispose();
  };
  return { differentiate, update, discard, savesApartMs: 0, optimizer, trainable, dispose };
}
