// In: pairs and their embeddings. Out: how many labels look wrong, and which.
import { createRandom } from "../random";
import type { PreferencePair } from "../pairs/pair";

/** Gives one vector a text of question and answer; all of one length. */
export type Embed = (
  items: readonly { readonly prompt: string; readonly response: string }[],
) => Promise<readonly ArrayLike<number>[]>;

export interface SuspiciousPair {
  readonly line: number;
  readonly id: string;
  /** Probability that the chosen answer is the better one, to a judge who has not seen the question. */
  readonly probability: number;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

export interface LabelNoise {
  /** Share of labels that look wrong. */
  readonly estimate: number;
  /** Pairs the estimate was made on. */
  readonly pairs: number;
  readonly folds: number;
  /** Accuracy of the judge on questions it has not seen: far above one half, or the estimate means little. */
  readonly judge_accuracy: number;
  readonly suspicious: readonly SuspiciousPair[];
}

export interface NoiseOptions {
  /** Default 5. */
  readonly folds?: number;
  readonly seed?: number;
  /** How many suspicious pairs are listed. Default 30. */
  readonly listed?: number;
}

const CLIPPED = 600;
/** Ridge strengths that are tried, as shares of the mean diagonal. */
const STRENGTHS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10];

/**
 * Cross-validated judge: ridge regression of 1 on the difference of the two embeddings, without intercept, so that
 * swapping a pair changes the sign. Folds share no question. Out-of-fold scores are calibrated by one slope, and a label
 * counts as wrong where the other order is at least as probable as labels are on average.
 *
 * Reference: Northcutt, Jiang, Chuang (2021), Confident Learning, JAIR 70, section 3.1 (confident joint).
 */
export async function estimateLabelNoise(
  pairs: readonly PreferencePair[],
  embed: Embed,
  options: NoiseOptions = {},
): Promise<LabelNoise> {
  const { folds = 5, seed = 42, listed = 30 } = options;
  const vectors = await embed(
    pairs.flatMap(({ prompt, chosen, rejected }) => [
      { prompt, response: chosen },
      { prompt, response: rejected },
    ]),
  );
  const differences = pairs.map((_, i) =>
    Float64Array.from(vectors[2 * i], (value, k) => value - vectors[2 * i + 1][k]),
  );
  const scores = crossValidatedScores(differences, assignFolds(pairs, folds, seed), folds);
  const slope = fitSlope(scores);
  const probabilities = scores.map((score) => 1 / (1 + Math.exp(-slope * score)));
  const order = pairs.map((_, i) => i).sort((a, b) => probabilities[a] - probabilities[b] || a - b);
  return {
    estimate: confidentNoise(probabilities),
    pairs: pairs.length,
    folds,
    judge_accuracy:
      scores.reduce((sum, score) => sum + (score > 0 ? 1 : score === 0 ? 0.5 : 0), 0) / Math.max(1, scores.length),
    suspicious: order
      .slice(0, listed)
      .filter((i) => probabilities[i] < 0.5)
      .map((i) => {
        const { line, id, prompt, chosen, rejected } = pairs[i];
        const clip = (text: string) => (text.length > CLIPPED ? `${text.slice(0, CLIPPED)}…` : text);
        return {
          line,
          id,
          probability: probabilities[i],
          prompt: clip(prompt),
          chosen: clip(chosen),
          rejected: clip(rejected),
        };
      }),
  };
}

/** Questions are dealt out to the folds in shuffled order. */
function assignFolds(pairs: readonly PreferencePair[], folds: number, seed: number): number[] {
  const questions = createRandom(seed).shuffle([...new Set(pairs.map((pair) => pair.questionId))]);
  const foldOf = new Map(questions.map((question, i) => [question, i % folds]));
  return pairs.map((pair) => foldOf.get(pair.questionId)!);
}

/** D × D sums of products, row by row. */
type Gram = Float64Array;

/** Scores of each pair under the weights fitted without its fold; the strength with the best accuracy wins. */
function crossValidatedScores(
  differences: readonly Float64Array[],
  foldOf: readonly number[],
  folds: number,
): number[] {
  const D = differences[0]?.length ?? 0;
  const grams = Array.from({ length: folds }, () => new Float64Array(D * D));
  const sums = Array.from({ length: folds }, () => new Float64Array(D));
  differences.forEach((d, i) => accumulate(grams[foldOf[i]], sums[foldOf[i]], d));
  const add = (arrays: readonly Float64Array[]) =>
    arrays.reduce((total, part) => total.map((value, k) => value + part[k]), new Float64Array(arrays[0].length));
  const [gram, sum] = [add(grams), add(sums)];
  let best: { right: number; scores: number[] } | undefined;
  for (const strength of STRENGTHS) {
    const weights = grams.map((held, fold) => {
      const rest = gram.map((value, k) => value - held[k]);
      let trace = 0;
      for (let k = 0; k < D; k++) trace += rest[k * D + k];
      const ridge = Math.max(1e-9, (strength * trace) / Math.max(1, D));
      for (let k = 0; k < D; k++) rest[k * D + k] += ridge;
      return solve(
        rest,
        sum.map((value, k) => value - sums[fold][k]),
      );
    });
    const scores = differences.map((d, i) => d.reduce((total, value, k) => total + value * weights[foldOf[i]][k], 0));
    const right = scores.filter((score) => score > 0).length;
    if (!best || right > best.right) best = { right, scores };
  }
  return best!.scores;
}

/** Upper triangle only; `solve` reads no other part. */
function accumulate(gram: Gram, sum: Float64Array, d: Float64Array): void {
  const D = d.length;
  for (let i = 0; i < D; i++) {
    const value = d[i];
    sum[i] += value;
    if (value !== 0) for (let j = i, at = i * D + i; j < D; j++, at++) gram[at] += value * d[j];
  }
}

/** x of A·x = b for a symmetric positive definite A given by its upper triangle (Cholesky, in place). */
function solve(A: Gram, b: Float64Array): Float64Array {
  const D = b.length;
  for (let i = 0; i < D; i++) {
    for (let k = 0; k < i; k++) {
      const factor = A[k * D + i];
      if (factor !== 0) for (let j = i; j < D; j++) A[i * D + j] -= factor * A[k * D + j];
    }
    const pivot = Math.sqrt(A[i * D + i]);
    for (let j = i; j < D; j++) A[i * D + j] /= pivot;
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < D; i++) {
    for (let k = 0; k < i; k++) x[i] -= A[k * D + i] * x[k];
    x[i] /= A[i * D + i];
  }
  for (let i = D - 1; i >= 0; i--) {
    for (let k = i + 1; k < D; k++) x[i] -= A[i * D + k] * x[k];
    x[i] /= A[i * D + i];
  }
  return x;
}

/** a that minimises Σ softplus(−a·score), by Newton's method; 0 where the judge is no better than chance. */
function fitSlope(scores: readonly number[]): number {
  let a = 0;
  for (let step = 0; step < 50; step++) {
    let [gradient, curvature] = [1e-6 * a, 1e-6];
    for (const score of scores) {
      const p = 1 / (1 + Math.exp(a * score));
      gradient -= score * p;
      curvature += score * score * p * (1 - p);
    }
    const next = Math.max(0, Math.min(1e4, a - gradient / curvature));
    if (Math.abs(next - a) < 1e-9) break;
    a = next;
  }
  return a;
}

/** Off-diagonal share of the confident joint of two symmetric classes. */
function confidentNoise(probabilities: readonly number[]): number {
  const average = probabilities.reduce((sum, p) => sum + p, 0) / Math.max(1, probabilities.length);
  const agree = probabilities.filter((p) => p >= average).length;
  const differ = probabilities.filter((p) => 1 - p >= average).length;
  return agree + differ === 0 ? 0 : differ / (agree + differ);
}
