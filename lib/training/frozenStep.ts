// In: a model whose encoder is frozen, and tokenised pairs. Out: training steps of the head alone, on cached vectors.
import * as tf from "@tensorflow/tfjs-core";
import type { PairDataset } from "../batching/pairArrays";
import type { AdamW } from "../engine/adamw";
import { compile, type CompiledFunction } from "../engine/compile";
import { headShapes } from "../models/heads";
import { scorePooled, type RewardModel } from "../models/rewardModel";
import type { EncoderCache } from "../checkpoints/encoderCache";
import type { Update } from "../batching/trainingPlan";
import { encodeOnce, type EncodingPlan } from "./frozenEncoder";
import { createOptimizer, lossAndGradients } from "./lossGradients";
import type { StepOutcome, TrainingStep, TrainingStepOptions } from "./step";

/** Of a small batch dispatch takes more time than the products; more updates a run bring little beyond this. */
const UPDATES_PER_RUN = 8;
const DEFAULT_RESIDENT_BYTES = 2 ** 30;

/** Whether the trained parameters all belong to the head, so that the encoder's vectors stay as they are. */
export function isHeadOnly(model: RewardModel, trainable: readonly string[]): boolean {
  const head = headShapes(model.config);
  return model.lora === null && trainable.every((name) => head.has(name));
}

export interface FrozenStepOptions extends Omit<TrainingStepOptions, "fused">, EncodingPlan {
  /** Vectors of so many bytes stay on the backend; of more each run uploads its own. Default 1 GiB. */
  readonly residentBytes?: number;
}

/** Thousands of steps of a head pass in the time that writing its model takes. */
const SAVES_APART_MS = 10_000;

/** The step of a head alone: several updates in one run of its graph. */
export interface FrozenStep extends Omit<TrainingStep, "differentiate" | "update" | "discard"> {
  /**
   * Takes consecutive updates of the same number of pairs, one after another.
   *
   * @param firstSeed seed of the first update; the next ones count on from it
   */
  takeTogether(updates: readonly Update[], learningRates: readonly number[], firstSeed: number): StepOutcome[];
}

/**
 * Several updates in one graph: table [N, H], rows [U, 2P] of the chosen, then the rejected texts, numbers [U, 3P + 1]:
 * shares, weights, margins and the learning rate → [U·(3P + 1)]: of each update the losses times their share, the 2P rewards
 * and the gradient's norm.
 */
function compileUpdates(options: FrozenStepOptions, optimizer: AdamW): CompiledFunction {
  const { model, precision } = options;
  const update = (table: tf.Tensor, rows: tf.Tensor, numbers: tf.Tensor, seeds: tf.Tensor) => {
    const [U, texts] = rows.shape,
      P = texts! / 2;
    const seen = Array.from({ length: U! }, (_, u) => {
      const part = (from: number, size: number) =>
        tf.reshape(tf.slice(numbers, [u, from], [1, size]), [size]) as tf.Tensor1D;
      const read = tf.gather(table, tf.reshape(tf.slice(rows, [u, 0], [1, 2 * P]), [2 * P])) as tf.Tensor2D;
      const score = (dropoutSeed?: tf.Tensor1D) => scorePooled(model, read, { dropoutSeed });
      const seed = tf.reshape(tf.slice(seeds, [u, 0], [1, 2]), [2]) as tf.Tensor1D;
      const [values, ...gradients] = lossAndGradients(options, score, {
        share: part(0, P),
        weights: part(P, P),
        margins: part(2 * P, P),
        seed,
      });
      const [gradNorm] = optimizer.apply(
        gradients,
        tf.reshape(part(3 * P, 1), []) as tf.Scalar,
        tf.slice(values, [0], [P]),
      );
      return [values, tf.reshape(gradNorm, [1])];
    });
    return tf.concat(seen.flat() as tf.Tensor1D[]);
  };
  return compile(update, { precision, name: "head", xla: false });
}

/**
 * `createTrainingStep` for a head on a frozen encoder: the same losses and gradients, without the encoder's dropout.
 * Forward, backward and AdamW of all updates of a run are one graph, with one upload and one read-back.
 */
export function createFrozenStep(options: FrozenStepOptions): FrozenStep {
  const {
    model,
    dataset,
    config,
    precision,
    padId,
    cache,
    tokensPerBatch,
    residentBytes = DEFAULT_RESIDENT_BYTES,
  } = options;
  const optimizer = createOptimizer(options, false);
  const rowOf = encodeOnce(model, dataset.tokens, { cache, padId, precision, tokensPerBatch });
  const vectors = openVectors(cache, rowOf, residentBytes);
  const compiled = compileUpdates(options, optimizer);
  const takeTogether: FrozenStep["takeTogether"] = (updates, learningRates, firstSeed) => {
    const pairs = updates.map(({ batches }) => batches.flatMap(({ pairs }) => pairs)),
      P = pairs[0].length;
    const texts = pairs.flatMap((of) => [
      ...of.map((pair) => rowOf[2 * pair]),
      ...of.map((pair) => rowOf[2 * pair + 1]),
    ]);
    const { table, rows, release } = vectors(texts);
    const inputs = [
      tf.tensor2d(rows, [updates.length, 2 * P], "int32"),
      tf.tensor2d(pairNumbers(dataset, pairs, learningRates), [updates.length, 3 * P + 1]),
      tf.tensor2d(
        updates.flatMap((_, u) => [config.seed, firstSeed + u]),
        [updates.length, 2],
        "int32",
      ),
    ];
    const [output] = compiled(table, ...inputs);
    const numbers = output.dataSync() as Float32Array;
    tf.dispose([...inputs, output]);
    release();
    return pairs.map((of, u) => outcome(dataset, of, numbers.subarray(u * (3 * P + 1), (u + 1) * (3 * P + 1))));
  };
  return {
    takeTogether,
    savesApartMs: SAVES_APART_MS,
    optimizer,
    trainable: options.trainable,
    dispose: () => {
      compiled.dispose();
      optimizer.dispose();
      vectors.dispose();
    },
  };
}

/**
 * The updates from `from` on that run together: as many as fit one graph, all of the same size, or the next one alone.
 *
 * @param room updates before something else must happen (validation, a checkpoint, the end)
 */
export function groupUpdates(updates: readonly Update[], from: number, room = Infinity): readonly Update[] {
  const group = updates.slice(from, from + UPDATES_PER_RUN);
  const whole =
    group.length === UPDATES_PER_RUN && room >= UPDATES_PER_RUN && group.every(({ pairs }) => pairs === group[0].pairs);
  return whole ? group : group.slice(0, 1);
}

/** Shares, weights and margins of each update's pairs and its learning rate, [U, 3P + 1]. */
function pairNumbers(
  dataset: PairDataset,
  updates: readonly number[][],
  learningRates: readonly number[],
): Float32Array {
  const P = updates[0].length,
    width = 3 * P + 1;
  const numbers = new Float32Array(updates.length * width);
  updates.forEach((pairs, u) => {
    pairs.forEach((pair, i) => {
      numbers[u * width + i] = 1 / P;
      numbers[u * width + P + i] = dataset.weights[pair];
      numbers[u * width + 2 * P + i] = dataset.margins[pair];
    });
    numbers[(u + 1) * width - 1] = learningRates[u];
  });
  return numbers;
}

function outcome(dataset: PairDataset, pairs: readonly number[], numbers: Float32Array): StepOutcome {
  const P = pairs.length;
  const tokens = pairs.reduce(
    (sum, pair) => sum + dataset.tokens.length(2 * pair) + dataset.tokens.length(2 * pair + 1),
    0,
  );
  return {
    loss: numbers.subarray(0, P).reduce((sum, value) => sum + value, 0),
    losses: numbers.slice(0, P),
    chosen: numbers.slice(P, 2 * P),
    rejected: numbers.slice(2 * P, 3 * P),
    gradNorm: numbers[3 * P],
    tokens,
    paddedTokens: tokens,
  };
}

/** A table of vectors and where in it each text of a run stands. */
interface VectorTable {
  readonly table: tf.Tensor2D;
  readonly rows: Int32Array;
  release(): void;
}

/** The vectors at rows of the cache: all stay on the backend where they fit, else those of a run are uploaded for it. */
function openVectors(
  cache: EncoderCache,
  used: Int32Array,
  residentBytes: number,
): ((rows: readonly number[]) => VectorTable) & { dispose(): void } {
  const upload = (rows: ArrayLike<number>): tf.Tensor2D => {
    const values = new Float32Array(rows.length * cache.width);
    cache.read(rows, values);
    return tf.tensor2d(values, [rows.length, cache.width]);
  };
  const distinct = [...new Set(used)];
  if (4 * distinct.length * cache.width > residentBytes) {
    const range = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
    const each = (rows: readonly number[]) => {
      const table = upload(rows);
      return { table, rows: range(rows.length), release: () => table.dispose() };
    };
    return Object.assign(each, { dispose: () => {} });
  }
  const table = upload(distinct);
  const place = new Map(distinct.map((row, i) => [row, i]));
  const all = (rows: readonly number[]) => ({
    table,
    rows: Int32Array.from(rows, (row) => place.get(row)!),
    release: () => {},
  });
  return Object.assign(all, { dispose: () => table.dispose() });
}
