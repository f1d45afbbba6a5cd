// In: outcomes of several runs (seeds) on the same clustered items. Out: the mean with an error that holds both sources, runs and prompts.
import { studentCdf, studentQuantile } from "./distributions";
import { type Interval, sumByCluster } from "./intervals";

/** Outcomes of one way of training: a list a run (seed), all on the same N items. */
export type RunOutcomes = readonly ArrayLike<number>[];

/** Squared standard errors by source: the two that are estimated, and what both of them contain. */
export interface ErrorParts {
  /** Which prompts were drawn, with the runs' disagreement about them. */
  readonly prompts: number;
  /** Which seeds were drawn, with the same disagreement; 0 where one model is meant and no seed was drawn. */
  readonly runs: number;
  /** The disagreement, which stands in both. */
  readonly both: number;
}

export interface CrossedEstimate extends Interval {
  readonly estimate: number;
  readonly standardError: number;
  /** Degrees of freedom of the t interval (Satterthwaite). */
  readonly degrees: number;
  /** Two-sided p-value of the estimate being `reference`. */
  readonly pValue: number;
  readonly clusters: number;
  readonly parts: ErrorParts;
}

/** One side taken apart: G clusters, S runs. */
interface Side {
  readonly runs: number;
  readonly means: Float64Array;
  /** Mean over runs of each cluster's deviation, scaled so that its mean over clusters is that of the items, [G]. */
  readonly deviations: Float64Array;
  /** Variance of the runs' means; null for a single run. */
  readonly runVariance: number | null;
  /** Of what is neither the run's nor the cluster's own, for a single run's mean; null for a single run. */
  readonly disagreement: number | null;
}

const meanOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
};
const squaresOf = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ** 2;
  return sum;
};

function takeApart(outcomes: RunOutcomes, clusters: readonly string[]): Side {
  const runs = outcomes.length;
  const items = clusters.length;
  const byRun = outcomes.map((values) => sumByCluster(values, clusters));
  const { counts } = byRun[0];
  const groups = counts.length;
  const means = Float64Array.from(outcomes, meanOf);
  const mean = meanOf(means);
  const scale = groups / items;
  const deviations = counts.map((count, g) => scale * (meanOf(byRun.map(({ sums }) => sums[g])) - count * mean));
  if (runs === 1) return { runs, means, deviations, runVariance: null, disagreement: null };
  let rest = 0;
  byRun.forEach(({ sums }, s) => {
    for (let g = 0; g < groups; g++) rest += (scale * (sums[g] - counts[g] * means[s]) - deviations[g]) ** 2;
  });
  return {
    runs,
    means,
    deviations,
    runVariance: squaresOf(means.map((one) => one - mean)) / (runs - 1),
    disagreement: groups > 1 ? rest / (groups * (runs - 1) * (groups - 1)) : 0,
  };
}

interface Estimated {
  readonly estimate: number;
  readonly deviations: Float64Array;
  /** Squared error of the mean from the runs of each side, with its degrees of freedom. */
  readonly runs: readonly { readonly variance: number; readonly both: number; readonly degrees: number }[];
  readonly confidence: number;
  readonly reference: number;
}

/**
 * Puts the sources together: V = V_prompts + V_runs − V_both, no less than either, because the disagreement stands in both.
 * Degrees of freedom by Satterthwaite over what was estimated.
 */
function estimateOf({ estimate, deviations, runs, confidence, reference }: Estimated): CrossedEstimate {
  const groups = deviations.length;
  const sum = (pick: (side: Estimated["runs"][number]) => number) =>
    runs.reduce((total, side) => total + pick(side), 0);
  const ofRuns = sum(({ variance }) => variance);
  const both = sum((side) => side.both);
  const parts = { prompts: groups > 1 ? squaresOf(deviations) / (groups * (groups - 1)) : 0, runs: ofRuns, both };
  if (groups === 1) {
    const unknown = { low: -Infinity, high: Infinity, standardError: Infinity, degrees: 0, pValue: 1 };
    return { estimate, ...unknown, clusters: 1, parts };
  }
  const variance = varianceOf(parts);
  const uncertain = parts.prompts ** 2 / (groups - 1) + sum((side) => side.variance ** 2 / side.degrees);
  const degrees = uncertain > 0 ? variance ** 2 / uncertain : groups - 1;
  const standardError = Math.sqrt(variance);
  const half = standardError > 0 ? studentQuantile((1 + confidence) / 2, degrees) * standardError : 0;
  const offset = Math.abs(estimate - reference);
  const pValue = standardError > 0 ? 2 * studentCdf(-offset / standardError, degrees) : offset > 0 ? 0 : 1;
  return {
    estimate,
    low: estimate - half,
    high: estimate + half,
    standardError,
    degrees,
    pValue,
    clusters: groups,
    parts,
  };
}

/** V_prompts + V_runs − V_both, no less than either. */
export const varianceOf = ({ prompts, runs, both }: ErrorParts): number =>
  Math.max(prompts, runs, prompts + runs - both);

interface CrossedOptions {
  readonly confidence?: number;
  readonly reference?: number;
}

function requireItems(sides: readonly RunOutcomes[], clusters: readonly string[]): void {
  if (clusters.length === 0 || sides.some((side) => side.length === 0))
    throw new RangeError("crossed: expected at least one item and one run a side, got none; check for an empty split");
  const odd = sides.flat().find((values) => values.length !== clusters.length);
  if (odd)
    throw new RangeError(
      `crossed: expected an outcome an item of every run, got ${odd.length} for ${clusters.length}; score all runs on the same items`,
    );
}

/**
 * Mean over runs (seeds) and items, with a t interval for another draw of both seeds and prompts:
 *
 *   V = Σ_g r̄_g²/(G(G−1)) + Σ_s (x̄_s − x̄)²/(S(S−1)) − Σ_{s,g} e_{sg}²/(S G (S−1)(G−1))
 *
 * r̄_g: a cluster's share of the deviation from the mean, averaged over runs; e: what is left of a run's. With one run only
 * the prompts are drawn: it equals `clusteredMean`.
 *
 * @param outcomes [S][N], clusters [N]
 * @throws RangeError for no items, or runs on different items
 * Reference: two-way random effects without replication, as in reader studies (Obuchowski and Rockette 1995; Hillis 2007,
 * Statistics in Medicine 26); clustering as in Miller 2024, arXiv 2411.00640.
 * @example
 * ```ts
 * const estimate = crossedMean([[1, 1, 0], [1, 0, 0]], ["a", "b", "c"]);
 * console.log(estimate.low, estimate.high);
 * ```
 */
export function crossedMean(
  outcomes: RunOutcomes,
  clusters: readonly string[],
  { confidence = 0.95, reference = 0 }: CrossedOptions = {},
): CrossedEstimate {
  requireItems([outcomes], clusters);
  const { runs, means, deviations, runVariance, disagreement } = takeApart(outcomes, clusters);
  const drawn =
    runVariance === null ? [] : [{ variance: runVariance / runs, both: disagreement! / runs, degrees: runs - 1 }];
  return estimateOf({ estimate: meanOf(means), deviations, runs: drawn, confidence, reference });
}

/**
 * Difference of two ways of training, each with one run or several on the same items; runs of the two are independent.
 *
 * One run on each side: the two models are compared, prompts alone are drawn. One run on one side only: its seeds are
 * taken to vary as much as those of the other.
 *
 * @throws RangeError for no items, or runs on different items
 * @example
 * ```ts
 * const estimate = crossedDifference([[1, 1, 0], [1, 0, 0]], [[0, 1, 0], [1, 0, 0]], ["a", "b", "c"]);
 * console.log(estimate.low, estimate.high);
 * ```
 */
export function crossedDifference(
  outcomes: RunOutcomes,
  others: RunOutcomes,
  clusters: readonly string[],
  { confidence = 0.95, reference = 0 }: CrossedOptions = {},
): CrossedEstimate {
  requireItems([outcomes, others], clusters);
  const [first, second] = [takeApart(outcomes, clusters), takeApart(others, clusters)];
  const drawn = [
    [first, second],
    [second, first],
  ].flatMap(([side, other]) => {
    const known = side.runVariance === null ? other : side;
    if (known.runVariance === null) return [];
    const { runs } = side;
    return { variance: known.runVariance / runs, both: known.disagreement! / runs, degrees: known.runs - 1 };
  });
  return estimateOf({
    estimate: meanOf(first.means) - meanOf(second.means),
    deviations: first.deviations.map((one, g) => one - second.deviations[g]),
    runs: drawn,
    confidence,
    reference,
  });
}
