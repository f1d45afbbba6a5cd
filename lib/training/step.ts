// In: the pairs of one update. Out: the model after one optimizer step, and what that step saw.
import * as tf from "@tensorflow/tfjs-core";
import type { TrainingConfig } from "../config";
import { pairArrays, type PairDataset } from "../dataset";
import { createAdamW, type AdamW } from "../engine/adamw";
import { compile, type CompiledFunction } from "../engine/compile";
import { pairLoss } from "../loss";
import { scoreInputs, type RewardModel } from "../models/rewardModel";
import type { Batch, Update } from "../text/batches";

/** What one optimizer step saw. Rewards are those before the step. */
export interface StepOutcome {
  readonly loss: number;
  /** Rewards of the real pairs, in batch order. */
  readonly chosen: Float32Array;
  readonly rejected: Float32Array;
  /** Before clipping; when it is not finite the optimizer has changed nothing. */
  readonly gradNorm: number;
  /** Real and padded tokens that went through the model. */
  readonly tokens: number;
  readonly paddedTokens: number;
}

/** The compiled gradient and the optimizer of one run. */
export interface TrainingStep {
  run(update: Update, learningRate: number, seed: number): StepOutcome;
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
  /** Widths whose graphs XLA compiles: those that run often enough to pay for it. */
  readonly fusedWidths: ReadonlySet<number>;
}

/** Biases and normalisation weights do not decay (Loshchilov and Hutter 2019 leave it open; transformers' Trainer does the same). */
export const decays = (name: string): boolean => !/bias$|norm|ln_/i.test(name);

/**
 * One optimizer step for the pairs of an update: loss and gradients of each batch in one compiled graph per width,
 * gradients summed over the batches (each pair carries its share 1/N, so the split does not matter), then AdamW.
 */
export function createTrainingStep(options: TrainingStepOptions): TrainingStep {
  const { model, dataset, config, precision, padId } = options;
  const variables = options.trainable.map((name) => model.parameters.get(name)!);
  const optimizer = createAdamW(new Map(options.trainable.map((name, i) => [name, variables[i]])), {
    weightDecay: config.weight_decay,
    beta1: config.adam_beta1,
    beta2: config.adam_beta2,
    epsilon: config.adam_epsilon,
    gradClip: config.grad_clip || Infinity,
    xla: options.fusedWidths.size > 0 ? undefined : false,
    decays,
  });
  const lossOptions = { kind: config.loss, labelSmoothing: config.label_smoothing, centering: config.centering };

  // → [share·ℓ of the P pairs, then the 2P rewards], then a gradient for each trained parameter.
  const lossAndGradients = (ids: tf.Tensor, mask: tf.Tensor, share: tf.Tensor, weights: tf.Tensor, margins: tf.Tensor, seed: tf.Tensor) => {
    const P = share.shape[0]!;
    const forward = () => {
      const dropoutSeed = config.dropout ? (seed as tf.Tensor1D) : undefined;
      const rewards = scoreInputs(model, { ids: ids as tf.Tensor2D, mask: mask as tf.Tensor2D }, { dropoutSeed });
      const loss = pairLoss(
        {
          chosen: tf.slice(rewards, [0], [P]),
          rejected: tf.slice(rewards, [P], [P]),
          weights: weights as tf.Tensor1D,
          margins: margins as tf.Tensor1D,
        },
        lossOptions,
      );
      return tf.concat([tf.mul(loss, share), rewards]);
    };
    // Only the losses carry a gradient; the rewards ride along so that one run returns both.
    const direction = tf.concat([tf.ones([P]), tf.zeros([2 * P])]);
    const { value, grads } = tf.engine().gradients(forward, variables as unknown as tf.Tensor[], direction);
    return [value, ...grads];
  };
  const fused = compile(lossAndGradients, { precision, name: "gradients" });
  const quick = compile(lossAndGradients, { precision, name: "gradients", xla: false });
  const gradientsFor = (width: number): CompiledFunction => (options.fusedWidths.has(width) ? fused : quick);
  const accumulate = compile(
    (...both) => both.slice(0, both.length / 2).map((sum, i) => tf.add(sum, both[both.length / 2 + i])),
    { precision: "f32", name: "accumulate", xla: false },
  );

  const runBatch = (batch: Batch, pairs: number, seed: tf.Tensor1D) => {
    const arrays = pairArrays(dataset, batch, pairs, padId);
    const shape: [number, number] = [2 * batch.capacity, batch.width];
    const inputs = [
      tf.tensor2d(arrays.ids, shape, "int32"),
      tf.tensor2d(arrays.mask, shape),
      tf.tensor1d(arrays.share),
      tf.tensor1d(arrays.weights),
      tf.tensor1d(arrays.margins),
    ];
    const [values, ...grads] = gradientsFor(batch.width)(...inputs, seed);
    const numbers = values.dataSync() as Float32Array;
    tf.dispose([...inputs, values]);
    return { numbers, grads, tokens: arrays.tokens };
  };

  const run = (update: Update, learningRate: number, seed: number): StepOutcome => {
    const chosen = new Float32Array(update.pairs);
    const rejected = new Float32Array(update.pairs);
    let [loss, tokens, paddedTokens, seen] = [0, 0, 0, 0];
    let sum: tf.Tensor[] | null = null;
    const seedTensor = tf.tensor1d([config.seed, seed], "int32");
    for (const batch of update.batches) {
      const { numbers, grads, tokens: real } = runBatch(batch, update.pairs, seedTensor);
      const [P, n] = [batch.capacity, batch.rows.length];
      for (let i = 0; i < n; i++) loss += numbers[i];
      chosen.set(numbers.subarray(P, P + n), seen);
      rejected.set(numbers.subarray(2 * P, 2 * P + n), seen);
      seen += n;
      tokens += real;
      paddedTokens += 2 * P * batch.width;
      if (sum === null) sum = grads;
      else {
        const total: tf.Tensor[] = accumulate(...sum, ...grads);
        tf.dispose([...sum, ...grads]);
        sum = total;
      }
    }
    const { gradNorm, skipped } = optimizer.step(sum!, learningRate);
    const norm = gradNorm.dataSync()[0];
    tf.dispose([...sum!, gradNorm, skipped, seedTensor]);
    return { loss, chosen, rejected, gradNorm: norm, tokens, paddedTokens };
  };
  return {
    run,
    optimizer,
    trainable: options.trainable,
    dispose: () => {
      fused.dispose();
      quick.dispose();
      accumulate.dispose();
      optimizer.dispose();
    },
  };
}
