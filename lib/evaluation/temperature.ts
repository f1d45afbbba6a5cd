// In: score differences of held-out pairs. Out: the temperature that makes σ(Δ/T) tell the truth.
import { negativeLogLikelihood, sigmoid } from "../ece";
import { createRandom } from "../random";

export interface FittedTemperature {
  readonly temperature: number;
  readonly nllBefore: number;
  readonly nllAfter: number;
  /**
   * `fitted`, or why T = 1 was kept: `empty`; `separable`, every pair right, so that any smaller T looks better;
   * `reversed`, the mean Δ is not positive, so that no finite T helps.
   */
  readonly status: "fitted" | "empty" | "separable" | "reversed";
}

/**
 * Temperature that minimises the negative log-likelihood of the labels: argmin_T mean softplus(−Δ/T).
 *
 * Convex in β = 1/T: the root of mean Δ·σ(−βΔ), found by Newton's method inside a bracket. T belongs to a difference
 * of two scores; σ(r/T) of a single answer means nothing. Fit it on a split other than the one reported.
 *
 * @param deltas chosen minus rejected scores of validation pairs
 * Reference: Guo et al. (2017), On calibration of modern neural networks, arXiv 1706.04599, section 4.2.
 * @example
 * ```ts
 * fitTemperature([2, 1, 3]).status; // → "separable"
 * ```
 */
export function fitTemperature(deltas: ArrayLike<number>): FittedTemperature {
  const nllBefore = negativeLogLikelihood(deltas);
  const keep = (status: FittedTemperature["status"]) => ({ temperature: 1, nllBefore, nllAfter: nllBefore, status });
  let sum = 0;
  let largest = 0;
  let wrong = 0;
  for (let i = 0; i < deltas.length; i++) {
    sum += deltas[i];
    largest = Math.max(largest, Math.abs(deltas[i]));
    if (deltas[i] < 0) wrong++;
  }
  if (deltas.length === 0) return keep("empty");
  if (sum <= 0) return keep("reversed");
  if (wrong === 0) return keep("separable");
  const temperature = 1 / likelihoodRoot(deltas, largest);
  return { temperature, nllBefore, nllAfter: negativeLogLikelihood(deltas, temperature), status: "fitted" };
}

/** β > 0 at which mean Δ·σ(−βΔ) changes from positive to negative. */
function likelihoodRoot(deltas: ArrayLike<number>, largest: number): number {
  let low = 0;
  let high = Infinity;
  let beta = 1 / largest;
  for (let i = 0; i < 500; i++) {
    let slope = 0;
    let curvature = 0;
    for (let k = 0; k < deltas.length; k++) {
      const s = sigmoid(-beta * deltas[k]);
      slope += deltas[k] * s;
      curvature += deltas[k] * deltas[k] * s * (1 - s);
    }
    if (slope > 0) low = beta;
    else high = beta;
    let next = beta + slope / curvature;
    if (!(next > low && next < high)) next = high === Infinity ? 2 * beta : (low + high) / 2;
    if (Math.abs(next - beta) <= 1e-15 * beta) return next;
    beta = next;
  }
  return beta;
}

/**
 * Δ/T of every pair with T fitted on the other folds only, whole prompts to a fold: calibration as unseen pairs would
 * have it, without a second held-out split.
 *
 * @param deltas   chosen minus rejected scores
 * @param clusters prompt of each pair
 * @returns shape [N]
 * @example
 * ```ts
 * console.log(crossFittedDeltas(rewardDeltas(scored), scored.map(({ promptKey }) => promptKey)));
 * ```
 */
export function crossFittedDeltas(
  deltas: ArrayLike<number>,
  clusters: readonly string[],
  { folds = 5, seed = 0 }: { readonly folds?: number; readonly seed?: number } = {},
): Float64Array {
  const prompts = createRandom(seed).shuffle([...new Set(clusters)].sort());
  const foldOf = new Map(prompts.map((prompt, i) => [prompt, i % folds]));
  const fold = clusters.map((prompt) => foldOf.get(prompt)!);
  const all = Array.from(deltas);
  const temperatures = Array.from(
    { length: Math.min(folds, prompts.length) },
    (_, f) => fitTemperature(all.filter((_delta, i) => fold[i] !== f)).temperature,
  );
  return Float64Array.from(all, (delta, i) => delta / temperatures[fold[i]]);
}
