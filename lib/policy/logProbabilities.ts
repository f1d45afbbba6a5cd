// In: a policy, prompts and answers. Out: how probable the policy finds each answer.
import * as tf from "@tensorflow/tfjs-core";
import { compile, type CompiledFunction } from "../engine/compile";
import { layoutOf } from "../models/layers";
import { llamaHidden } from "../models/llama";
import { sequenceLogProbabilities, type AnswerLogProbabilities } from "./losses";
import { forwardOf, outputTable, type Policy } from "./policy";

/** A prompt and one answer, as token ids; the answer ends with the end-of-sequence token where it is finished. */
export interface AnswerIds {
  readonly prompt: readonly number[];
  readonly answer: readonly number[];
}

/** Rows of B answers, right-padded to T tokens, each [B, T]; `targets` is what each place has to predict. */
export interface AnswerBatch {
  readonly ids: tf.Tensor2D;
  readonly mask: tf.Tensor2D;
  readonly targets: tf.Tensor2D;
  /** 1 where the target belongs to the answer. */
  readonly answered: tf.Tensor2D;
}

/**
 * The arrays of a batch. With the prompt `p p`, the answer `a b` and T = 5:
 *
 *   ids p p a b 0   mask 1 1 1 1 0   targets p a b 0 0   answered 0 1 1 0 0
 */
export function answerBatch(rows: readonly AnswerIds[], T: number): AnswerBatch {
  const B = rows.length;
  const [ids, targets] = [new Int32Array(B * T), new Int32Array(B * T)];
  const [mask, answered] = [new Float32Array(B * T), new Float32Array(B * T)];
  rows.forEach(({ prompt, answer }, b) => {
    const text = [...prompt, ...answer].slice(0, T);
    ids.set(text, b * T);
    targets.set(text.slice(1), b * T);
    mask.fill(1, b * T, b * T + text.length);
    answered.fill(1, b * T + prompt.length - 1, b * T + Math.max(text.length - 1, prompt.length - 1));
  });
  return {
    ids: tf.tensor2d(ids, [B, T], "int32"),
    mask: tf.tensor2d(mask, [B, T]),
    targets: tf.tensor2d(targets, [B, T], "int32"),
    answered: tf.tensor2d(answered, [B, T]),
  };
}

/** log Σ exp over the last axis, [N, V] → [N]; its gradient is the softmax. */
const logSumExp = tf.customGrad((x, save) => {
  const logits = x as tf.Tensor2D;
  (save as tf.GradSaveFunc)([logits]);
  const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(tf.expandDims(dy, 1), tf.softmax(saved[0]));
  return { value: tf.logSumExp(logits, 1), gradFunc };
});

/**
 * log π(target | what comes before it) at every place, [B, T]. Traceable and differentiable.
 *
 * The target's logit is h·E[target], one row of the output table a place, so that no [B, T, V] is gathered from.
 */
export function tokenLogProbabilities(
  policy: Pick<Policy, "config" | "parameters">,
  batch: AnswerBatch,
): AnswerLogProbabilities {
  const { ids, mask, targets, answered } = batch;
  const [B, T] = ids.shape;
  const hidden = llamaHidden(forwardOf(policy), ids, layoutOf(mask), null); // [B·T, H]
  const table = outputTable(policy) as unknown as tf.Tensor2D;
  const normaliser = logSumExp(tf.matMul(hidden, table, false, true));
  const target = tf.sum(tf.mul(hidden, tf.gather(table, tf.reshape(targets, [B * T]))), 1);
  return { logProbabilities: tf.reshape(tf.sub(target, normaliser), [B, T]), mask: answered };
}

/** Graphs are compiled by shape: texts are padded to a multiple of so many tokens. */
const STEP = 32;

export const lengthOf = ({ prompt, answer }: AnswerIds): number => prompt.length + answer.length;

/** The width that holds every row, in whole steps and no longer than the model reads. */
export const widthOf = (rows: readonly AnswerIds[], { config }: Pick<Policy, "config">): number =>
  Math.min(Math.ceil(Math.max(...rows.map(lengthOf)) / STEP) * STEP, config.maxPositions);

/** Scores answers under one policy; its weights may change between two calls. */
export interface AnswerScorer {
  /** log π(y|x) of each answer. */
  logProbabilities(rows: readonly AnswerIds[]): number[];
  dispose(): void;
}

/**
 * Scores answers under a policy, many of one length in a graph run.
 *
 * @param rowsAtOnce answers of one graph run
 * @example
 * ```ts
 * const scorer = createAnswerScorer(policy);
 * console.log(scorer.logProbabilities([{ prompt: [1, 2], answer: [3] }]));
 * scorer.dispose();
 * ```
 */
export function createAnswerScorer(policy: Policy, rowsAtOnce = 32): AnswerScorer {
  const score: CompiledFunction = compile(
    (ids, mask, targets, answered) =>
      sequenceLogProbabilities(tokenLogProbabilities(policy, { ids, mask, targets, answered } as AnswerBatch)),
    { name: "log-probabilities", precision: "f32", xla: false },
  );
  const logProbabilities = (rows: readonly AnswerIds[]): number[] => {
    const out: number[] = [];
    for (let from = 0; from < rows.length; from += rowsAtOnce) {
      const some = rows.slice(from, from + rowsAtOnce);
      const filled = [...some, ...Array.from({ length: rowsAtOnce - some.length }, () => some[0])];
      const batch = answerBatch(filled, widthOf(filled, policy));
      const [sums] = score(batch.ids, batch.mask, batch.targets, batch.answered);
      out.push(...Array.from(sums.dataSync()).slice(0, some.length));
      tf.dispose([sums, ...Object.values(batch)]);
    }
    return out;
  };
  return { logProbabilities, dispose: score.dispose };
}
