// In: a policy, a loss and a way to draw batches. Out: one step of AdamW after another.
import * as tf from "@tensorflow/tfjs-core";
import { createAdamW } from "../engine/adamw";
import { compile } from "../engine/compile";
import { InputError } from "../errors";
import type { LongWorkOptions } from "../longWork";
import { createRandom } from "../random";
import type { AnswerBatch } from "./logProbabilities";
import type { Policy } from "./policy";

export interface PolicyTrainingOptions extends Pick<LongWorkOptions, "signal" | "quiet"> {
  readonly steps: number;
  /** Answers, or pairs of them, of one step. */
  readonly batchSize: number;
  /** Peak; a tenth of the steps warms up, then it falls linearly to zero. */
  readonly learningRate: number;
  readonly seed: number;
  /** Takes the place of the notebook's bar. */
  readonly onStep?: (step: number, loss: number) => void;
}

export interface StepInputs {
  readonly batch: AnswerBatch;
  readonly extra: tf.Tensor[];
}

/** Steps of one policy: the gradient's graph, the optimizer and the order of the items, between two calls as well. */
export interface Course {
  readonly losses: number[];
  /**
   * One step. One whose loss or gradient is no finite number changes nothing. @returns its loss
   *
   * @throws InputError on the third of these in a row: the policy is as it was after the last one that worked
   */
  step(): number;
  dispose(): void;
}

/** So many steps in a row are no accident of the data. */
const MOST_IN_ROW = 3;

/**
 * @param lengths tokens of each item
 * @param inputsOf arrays of a step from the numbers of its items
 */
export function createCourse(
  policy: Policy,
  loss: (batch: AnswerBatch, extra: tf.Tensor[]) => tf.Scalar,
  { steps, batchSize, learningRate, seed }: PolicyTrainingOptions,
  lengths: readonly number[],
  inputsOf: (items: readonly number[]) => StepInputs,
): Course {
  const variables = [...policy.parameters.values()] as unknown as tf.Tensor[];
  const differentiate = compile(
    (ids, mask, targets, answered, ...extra) => {
      const { value, grads } = tf
        .engine()
        .gradients(() => loss({ ids, mask, targets, answered } as AnswerBatch, extra), variables);
      return [value, ...grads];
    },
    { name: "policy gradients", precision: "f32", xla: false },
  );
  const optimizer = createAdamW(policy.parameters, {
    weightDecay: 0,
    beta1: 0.9,
    beta2: 0.99,
    epsilon: 1e-8,
    gradClip: 1,
    xla: false,
    decays: () => false,
  });
  const draw = createDraw(lengths, batchSize, createRandom(seed).shuffle);
  const losses: number[] = [];
  let brokenInRow = 0;
  return {
    losses,
    step() {
      const { batch, extra } = inputsOf(draw());
      const inputs = [batch.ids, batch.mask, batch.targets, batch.answered, ...extra];
      const [value, ...gradients] = differentiate(...inputs);
      const step = losses.length + 1;
      const rate = learningRate * Math.min(1, (10 * step) / steps, (steps + 1 - step) / (0.9 * steps));
      const { gradNorm, skipped } = optimizer.step(gradients, rate);
      const [loss, norm] = [value.dataSync()[0], gradNorm.dataSync()[0]];
      losses.push(loss);
      tf.dispose([value, ...gradients, gradNorm, skipped, ...inputs]);
      brokenInRow = Number.isFinite(loss) && Number.isFinite(norm) ? 0 : brokenInRow + 1;
      if (brokenInRow < MOST_IN_ROW) return loss;
      throw new InputError(
        `policy: expected finite numbers, got none in ${MOST_IN_ROW} steps in a row, up to step ${step} (loss ${loss}, norm of the gradient ${norm}); ` +
          `open the policy again and train it with a lower learningRate than ${learningRate}`,
      );
    },
    dispose() {
      differentiate.dispose();
      optimizer.dispose();
    },
  };
}

/** Batches among which items are sorted by length: enough that few places are padding, few enough that batches differ. */
const SORTED_TOGETHER = 8;

/** Batches in a shuffled order, each of items of about one length; all items come before any comes again. */
export function createDraw(
  lengths: readonly number[],
  count: number,
  shuffle: <T>(items: readonly T[]) => T[],
): () => number[] {
  let batches: number[][] = [];
  let rest: number[] = [];
  const fill = () => {
    const order = rest;
    while (order.length < count) order.push(...shuffle(lengths.map((_, i) => i)));
    rest = order.splice(Math.floor(order.length / count) * count);
    const windows = chunks(order, SORTED_TOGETHER * count);
    batches = shuffle(
      windows.flatMap((some) =>
        chunks(
          [...some].sort((a, b) => lengths[a] - lengths[b]),
          count,
        ),
      ),
    );
  };
  return () => {
    if (batches.length === 0) fill();
    return batches.pop()!;
  };
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
