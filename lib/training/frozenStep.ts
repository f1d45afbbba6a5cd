// In: a model whose encoder is frozen, and tokenised pairs. Out: training steps of the head alone, on cached vectors.
import * as tf from "@tensorflow/tfjs-core";
import type { PairDataset } from "../dataset";
import { compile } from "../engine/compile";
import { headShapes } from "../models/heads";
import { scorePooled, type RewardModel } from "../models/rewardModel";
import type { EncoderCache } from "../storage/encoderCache";
import type { Update } from "../text/batches";
import { encodeOnce, type EncodingPlan } from "./frozenEncoder";
import { createOptimizer, lossAndGradients } from "./lossGradients";
import type { StepOutcome, TrainingStep, TrainingStepOptions } from "./step";

/** Whether the trained parameters all belong to the head, so that the encoder's vectors stay as they are. */
export function isHeadOnly(model: RewardModel, trainable: readonly string[]): boolean {
  const head = headShapes(model.config);
  return model.lora === null && trainable.every((name) => head.has(name));
}

/**
 * `createTrainingStep` for a head on a frozen encoder: the same losses and gradients, without the encoder's dropout.
 */
export function createFrozenStep(options: TrainingStepOptions & EncodingPlan): TrainingStep {
  const { model, dataset, config, precision, padId, cache, tokensPerBatch } = options;
  const optimizer = createOptimizer(options, false);
  const rowOf = encodeOnce(model, dataset.tokens, { cache, padId, precision, tokensPerBatch });

  // vectors [2P, H], chosen half first → [ℓ·share of P pairs, 2P rewards], then a gradient for each parameter of the
  // head.
  const gradientsOf = (vectors: tf.Tensor, numbers: tf.Tensor, seed: tf.Tensor) => {
    const P = numbers.shape[1]!;
    const [share, weights, margins] = [0, 1, 2].map(
      (row) => tf.reshape(tf.slice(numbers, [row, 0], [1, P]), [P]) as tf.Tensor1D,
    );
    const score = (dropoutSeed?: tf.Tensor1D) => scorePooled(model, vectors as tf.Tensor2D, { dropoutSeed });
    return lossAndGradients(options, score, { share, weights, margins, seed: seed as tf.Tensor1D });
  };
  const gradients = compile(gradientsOf, { precision, name: "head", xla: false });

  const run = (update: Update, learningRate: number, seed: number): StepOutcome => {
    const pairs = update.batches.flatMap(({ rows }) => rows),
      P = pairs.length;
    const arrays = headArrays(dataset, pairs, rowOf, cache);
    const inputs = [
      tf.tensor2d(arrays.vectors, [2 * P, cache.width]),
      tf.tensor2d(arrays.numbers, [3, P]),
      tf.tensor1d([config.seed, seed], "int32"),
    ];
    const [values, ...grads] = gradients(...inputs);
    const { gradNorm, skipped } = optimizer.step(grads, learningRate);
    const numbers = values.dataSync() as Float32Array;
    const norm = gradNorm.dataSync()[0];
    tf.dispose([...inputs, values, ...grads, gradNorm, skipped]);
    const tokens = pairs.reduce(
      (sum, pair) => sum + dataset.tokens.length(2 * pair) + dataset.tokens.length(2 * pair + 1),
      0,
    );
    return {
      loss: numbers.subarray(0, P).reduce((sum, value) => sum + value, 0),
      chosen: numbers.slice(P, 2 * P),
      rejected: numbers.slice(2 * P),
      gradNorm: norm,
      tokens,
      paddedTokens: tokens,
    };
  };
  return {
    run,
    optimizer,
    trainable: options.trainable,
    dispose: () => {
      gradients.dispose();
      optimizer.dispose();
    },
  };
}

/** Vectors of P pairs, [2P, H] with the chosen half first, and their shares, weights and margins, [3, P]. */
function headArrays(
  dataset: PairDataset,
  pairs: readonly number[],
  rowOf: Int32Array,
  cache: EncoderCache,
): { vectors: Float32Array; numbers: Float32Array } {
  const P = pairs.length;
  const rows = new Int32Array(2 * P),
    numbers = new Float32Array(3 * P),
    vectors = new Float32Array(2 * P * cache.width);
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
