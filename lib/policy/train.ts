// In: a policy and weighted answers, or preferred pairs of them. Out: the policy after some steps of AdamW.
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import { Interrupted } from "../errors";
import { yieldToEvents } from "../interrupt";
import { longWork } from "../longWork";
import { weightsKey } from "../models/weightsKey";
import { createCourse, type Course, type PolicyTrainingOptions } from "./course";
import { dpoLoss, sequenceLogProbabilities, weightedLikelihoodLoss } from "./losses";
import {
  answerBatch,
  createAnswerScorer,
  lengthOf,
  tokenLogProbabilities,
  widthOf,
  type AnswerBatch,
  type AnswerIds,
} from "./logProbabilities";
import type { Policy } from "./policy";

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
 * Fine-tunes on answers by their weights: supervised where all are 1. Stopped in a notebook, the policy keeps what it has
 * learnt, and the same call goes on from there. @returns loss of every step
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
  return runSteps(policy, { kind: "answers", examples }, options, () => {
    const loss = (batch: AnswerBatch, [weights]: tf.Tensor[]) =>
      weightedLikelihoodLoss(tokenLogProbabilities(policy, batch), weights as tf.Tensor1D);
    return createCourse(policy, loss, options, examples.map(lengthOf), (items) => {
      const some = items.map((i) => examples[i]);
      const batch = answerBatch(some, widthOf(some, policy));
      return { batch, extra: [tf.tensor1d(some.map(({ weight }) => weight))] };
    });
  });
}

/**
 * Direct preference optimisation against the policy as it stands when it is called; stopped and called again, it goes on
 * as `fitAnswers` does. @returns loss of every step
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
  const work = { kind: "preferences", examples: pairs, beta };
  return runSteps(policy, work, options, () => preferenceCourse(policy, pairs, { beta, ...options }));
}

/** The policy as it stands now is the reference. */
function preferenceCourse(
  policy: Policy,
  pairs: readonly AnswerPair[],
  { beta, ...options }: PolicyTrainingOptions & { readonly beta: number },
): Course {
  const side = (which: "chosen" | "rejected") => pairs.map(({ prompt, [which]: answer }) => ({ prompt, answer }));
  const [chosen, rejected] = [side("chosen"), side("rejected")];
  const scorer = createAnswerScorer(policy);
  const [startChosen, startRejected] = [scorer.logProbabilities(chosen), scorer.logProbabilities(rejected)];
  scorer.dispose();
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
  const lengths = pairs.map((_, i) => Math.max(lengthOf(chosen[i]), lengthOf(rejected[i])));
  return createCourse(policy, loss, options, lengths, (items) => {
    const rows = [...items.map((i) => chosen[i]), ...items.map((i) => rejected[i])];
    const extra = [startChosen, startRejected].map((all) => tf.tensor1d(items.map((i) => all[i])));
    return { batch: answerBatch(rows, widthOf(rows, policy)), extra };
  });
}

/** Courses that were stopped; the policy holds the weights that they had come to. */
const stopped = new WeakMap<Policy, { readonly key: string; readonly weights: string; readonly course: Course }>();

/** What a course learns from, and how. */
interface Work {
  readonly kind: string;
  readonly examples: readonly object[];
  readonly beta?: number;
}

const workKey = (work: Work, { steps, batchSize, learningRate, seed }: PolicyTrainingOptions): string =>
  createHash("sha256")
    .update(JSON.stringify([work, steps, batchSize, learningRate, seed]))
    .digest("base64");

/** The course that was stopped, where this call asks for the same; another one is given up. */
function stoppedCourse(policy: Policy, key: string): Course | null {
  const before = stopped.get(policy);
  stopped.delete(policy);
  if (!before) return null;
  if (before.key === key && before.weights === weightsKey(policy.parameters)) return before.course;
  before.course.dispose();
  return null;
}

/** The loop that both share. A stop keeps the course; the same call goes on with it. */
async function runSteps(
  policy: Policy,
  work: Work,
  options: PolicyTrainingOptions,
  begin: () => Course,
): Promise<number[]> {
  const { steps, onStep, quiet, signal: outer } = options;
  const key = workKey(work, options);
  const course = stoppedCourse(policy, key) ?? begin();
  const hooks = { quiet: quiet ?? onStep !== undefined, signal: outer };
  const what = { label: "policy", unit: "steps", again: "run it again to go on from there" };
  try {
    await longWork(what, hooks, async ({ signal, onProgress, onKnown }) => {
      onKnown(course.losses.length);
      while (course.losses.length < steps) {
        const loss = course.step();
        const step = course.losses.length;
        onStep?.(step, loss);
        onProgress(step, steps);
        await yieldToEvents();
        if (step < steps) signal.throwIfAborted();
      }
    });
  } catch (error) {
    if (error instanceof Interrupted) stopped.set(policy, { key, weights: weightsKey(policy.parameters), course });
    else course.dispose();
    throw error;
  }
  course.dispose();
  return course.losses;
}
