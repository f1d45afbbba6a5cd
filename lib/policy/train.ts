// In: a policy and weighted answers, or preferred pairs of them. Out: the policy after some steps of AdamW.
import * as tf from "@tensorflow/tfjs-core";
import { createAdamW } from "../engine/adamw";
import { compile } from "../engine/compile";
import { yieldToEvents } from "../interrupt";
import { createRandom } from "../random";
import { dpoLoss, sequenceLogProbabilities, weightedLikelihoodLoss } from "./losses";
import {
  answerBatch,
  createAnswerScorer,
  tokenLogProbabilities,
  widthOf,
  type AnswerBatch,
  type AnswerIds,
} from "./logProbabilities";
import type { Policy } from "./policy";

export interface PolicyTrainingOptions {
  readonly steps: number;
  /** Answers, or pairs of them, of one step. */
  readonly batchSize: number;
  /** Peak; a tenth of the steps warms up, then it falls linearly to zero. */
  readonly learningRate: number;
  readonly seed: number;
  readonly onStep?: (step: number, loss: number) => void;
}

/** An answer and how much it counts. */
export interface WeightedAnswer extends AnswerIds {
  readonly weight: number;
}

/** A better and a worse answer to one prompt. */
export interface AnswerPair {
  readonly prompt: readonly number[];
  readonly chosen: readonly number[];
  readonly rejected: readonly number[];
}

/**
 * Fine-tunes on answers by their weights: supervised where all are 1. @returns loss of every step
 *
 * @example
 * ```ts
 * const [prompt] = await encodePrompts(policy, ["2 + 2?"], "{prompt} {response}");
 * const [answer] = await encodeAnswers(policy, ["4"]);
 * await fitAnswers(policy, [{ prompt, answer, weight: 1 }], { steps: 10, batchSize: 1, learningRate: 1e-4, seed: 1 });
 * ```
 */
export function fitAnswers(
  policy: Policy,
  examples: readonly WeightedAnswer[],
  options: PolicyTrainingOptions,
): Promise<number[]> {
  const width = widthOf(examples, policy);
  const loss = (batch: AnswerBatch, [weights]: tf.Tensor[]) =>
    weightedLikelihoodLoss(tokenLogProbabilities(policy, batch), weights as tf.Tensor1D);
  return runSteps(policy, loss, options, (draw) => {
    const some = draw(examples);
    return { batch: answerBatch(some, width), extra: [tf.tensor1d(some.map(({ weight }) => weight))] };
  });
}

/**
 * Direct preference optimisation against the policy as it stands when it is called. @returns loss of every step
 *
 * @example
 * ```ts
 * const [prompt] = await encodePrompts(policy, ["2 + 2?"], "{prompt} {response}");
 * const [chosen, rejected] = await encodeAnswers(policy, ["4", "5"]);
 * const options = { steps: 10, batchSize: 1, learningRate: 1e-5, seed: 1, beta: 0.1 };
 * await fitPreferences(policy, [{ prompt, chosen, rejected }], options);
 * ```
 */
export function fitPreferences(
  policy: Policy,
  pairs: readonly AnswerPair[],
  { beta, ...options }: PolicyTrainingOptions & { readonly beta: number },
): Promise<number[]> {
  const side = (which: "chosen" | "rejected") => pairs.map(({ prompt, [which]: answer }) => ({ prompt, answer }));
  const [chosen, rejected] = [side("chosen"), side("rejected")];
  const scorer = createAnswerScorer(policy);
  const [startChosen, startRejected] = [scorer.logProbabilities(chosen), scorer.logProbabilities(rejected)];
  scorer.dispose();
  const width = widthOf([...chosen, ...rejected], policy);
  const P = options.batchSize;
  const loss = (batch: AnswerBatch, [referenceChosen, referenceRejected]: tf.Tensor[]) => {
    const sums = sequenceLogProbabilities(tokenLogProbabilities(policy, batch));
    const [own, other] = [tf.slice(sums, [0], [P]), tf.slice(sums, [P], [P])];
    return dpoLoss(
      {
        chosen: own,
        rejected: other,
        referenceChosen: referenceChosen as tf.Tensor1D,
        referenceRejected: referenceRejected as tf.Tensor1D,
      },
      beta,
    );
  };
  return runSteps(policy, loss, options, (draw) => {
    const some = draw(pairs.map((_, i) => i));
    const rows = [...some.map((i) => chosen[i]), ...some.map((i) => rejected[i])];
    const extra = [startChosen, startRejected].map((all) => tf.tensor1d(some.map((i) => all[i])));
    return { batch: answerBatch(rows, width), extra };
  });
}

interface StepInputs {
  readonly batch: AnswerBatch;
  readonly extra: tf.Tensor[];
}

/** The loop that both share: draw a batch, gradient, AdamW. */
async function runSteps(
  policy: Policy,
  loss: (batch: AnswerBatch, extra: tf.Tensor[]) => tf.Scalar,
  { steps, batchSize, learningRate, seed, onStep }: PolicyTrainingOptions,
  next: (draw: <T>(items: readonly T[]) => T[]) => StepInputs,
): Promise<number[]> {
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
  const random = createRandom(seed);
  const draw = createDraw(batchSize, random.shuffle);
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const { batch, extra } = next(draw);
    const inputs = [batch.ids, batch.mask, batch.targets, batch.answered, ...extra];
    const [value, ...gradients] = differentiate(...inputs);
    const rate = learningRate * Math.min(1, (10 * step) / steps, (steps + 1 - step) / (0.9 * steps));
    const { gradNorm, skipped } = optimizer.step(gradients, rate);
    losses.push(value.dataSync()[0]);
    tf.dispose([value, ...gradients, gradNorm, skipped, ...inputs]);
    onStep?.(step, losses[step - 1]);
    await yieldToEvents();
  }
  differentiate.dispose();
  optimizer.dispose();
  return losses;
}

/** Takes items in a shuffled order, all of them before any comes again. */
function createDraw(count: number, shuffle: <T>(items: readonly T[]) => T[]): <T>(items: readonly T[]) => T[] {
  let order: number[] = [];
  return <T>(items: readonly T[]) =>
    Array.from({ length: count }, () => {
      if (order.length === 0) order = shuffle(items.map((_, i) => i));
      return items[order.pop()!];
    });
}
