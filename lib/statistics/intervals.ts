// In: outcomes, and the prompt each belongs to. Out: how far the mean may be off.
import { normalQuantile, studentCdf, studentQuantile } from "./distributions";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson score interval of a proportion, without continuity correction.
 *
 *   centre = (p + z²/2n) / (1 + z²/n),   half = z √(p(1−p)/n + z²/4n²) / (1 + z²/n)
 *
 * @param successes  count in [0, trials]; a tie counts one half
 * @param trials     count > 0
 * @param confidence share of repetitions the interval covers
 * @throws RangeError when the counts do not describe a proportion
 * Reference: Wilson (1927), JASA 22; equals statsmodels `proportion_confint(method="wilson")`.
 * @example
 * ```ts
 * const { low, high } = wilsonInterval(8, 10);
 * console.log(low, high); // 0.490 to 0.943
 * ```
 */
export function wilsonInterval(successes: number, trials: number, confidence = 0.95): Interval {
  if (!(trials > 0) || !(successes >= 0 && successes <= trials)) {
    throw new RangeError(
      `wilsonInterval: expected 0 ≤ successes ≤ trials and trials > 0, got ${successes} of ${trials}; ` +
        "drop empty groups before asking for an interval",
    );
  }
  const z = normalQuantile((1 + confidence) / 2);
  const p = successes / trials;
  const shrink = 1 + (z * z) / trials;
  const centre = (p + (z * z) / (2 * trials)) / shrink;
  const half = (z * Math.sqrt((p * (1 - p)) / trials + (z * z) / (4 * trials * trials))) / shrink;
  return { low: Math.max(0, centre - half), high: Math.min(1, centre + half) };
}

/** Sums of a list within each cluster. */
export interface ClusterSums {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/** Adds up values by cluster key, in order of first appearance. */
export function sumByCluster(values: ArrayLike<number>, clusters: readonly string[]): ClusterSums {
  if (values.length !== clusters.length) {
    throw new RangeError(
      `sumByCluster: expected one cluster a value, got ${clusters.length} for ${values.length}; pass the prompt of each`,
    );
  }
  const index = new Map<string, number>();
  const sums: number[] = [];
  const counts: number[] = [];
  for (let i = 0; i < values.length; i++) {
    let c = index.get(clusters[i]);
    if (c === undefined) {
      c = sums.length;
      index.set(clusters[i], c);
      sums.push(0);
      counts.push(0);
    }
    sums[c] += values[i];
    counts[c]++;
  }
  return { sums: Float64Array.from(sums), counts: Float64Array.from(counts) };
}

export interface ClusteredMean extends Interval {
  readonly mean: number;
  readonly standardError: number;
  readonly clusters: number;
  /** Two-sided p-value of the mean being `reference`; 1 where nothing varies and the mean equals it. */
  readonly pValue: number;
}

/**
 * Mean whose observations come in clusters (pairs of one prompt), with a cluster-robust t interval.
 *
 *   SE² = G/(G−1) · Σ_g (Σ_{i∈g} (x_i − x̄))² / N²   (CR1),   x̄ ± t_{G−1} · SE
 *
 * With one cluster nothing is known about the spread: the interval is (−∞, ∞).
 *
 * @throws RangeError for an empty list
 * Reference: Miller (2024), arXiv 2411.00640, eq. 4; equals statsmodels `OLS(y, 1).fit(cov_type="cluster", use_t=True)`.
 * @example
 * ```ts
 * clusteredMean([1, 0, 1, 1], ["a", "a", "b", "c"]).clusters; // → 3
 * ```
 */
export function clusteredMean(
  values: ArrayLike<number>,
  clusters: readonly string[],
  options: { readonly confidence?: number; readonly reference?: number } = {},
): ClusteredMean {
  const { confidence = 0.95, reference = 0 } = options;
  const total = values.length;
  if (total === 0)
    throw new RangeError("clusteredMean: expected at least one value, got none; check for an empty split");
  const { sums, counts } = sumByCluster(values, clusters);
  const groups = sums.length;
  const mean = sums.reduce((a, b) => a + b, 0) / total;
  if (groups === 1) {
    return { mean, standardError: Infinity, clusters: 1, low: -Infinity, high: Infinity, pValue: 1 };
  }
  let squares = 0;
  for (let g = 0; g < groups; g++) squares += (sums[g] - counts[g] * mean) ** 2;
  const standardError = Math.sqrt((groups / (groups - 1)) * squares) / total;
  const half = studentQuantile((1 + confidence) / 2, groups - 1) * standardError;
  const offset = Math.abs(mean - reference);
  const pValue = standardError > 0 ? 2 * studentCdf(-offset / standardError, groups - 1) : offset > 0 ? 0 : 1;
  return { mean, standardError, clusters: groups, low: mean - half, high: mean + half, pValue };
}

/**
 * Interval of a share (an accuracy) whose observations come in clusters: `clusteredMean` cut to [0, 1].
 *
 * Where the clusters do not differ (all right, all wrong, one prompt) the spread says nothing and Wilson's interval
 * over the number of clusters stands in.
 *
 * @example
 * ```ts
 * const { mean, low, high } = clusteredShare([1, 0, 1, 1], ["a", "a", "b", "c"]);
 * console.log(mean, low, high);
 * ```
 */
export function clusteredShare(
  values: ArrayLike<number>,
  clusters: readonly string[],
  confidence = 0.95,
): ClusteredMean {
  const estimate = clusteredMean(values, clusters, { confidence, reference: 0.5 });
  if (estimate.clusters > 1 && estimate.standardError > 1e-12) {
    return { ...estimate, low: Math.max(0, estimate.low), high: Math.min(1, estimate.high) };
  }
  return { ...estimate, ...wilsonInterval(estimate.mean * estimate.clusters, estimate.clusters, confidence) };
}
