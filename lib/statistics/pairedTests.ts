// In: two systems judged on the same prompts. Out: whether their difference is more than luck.
import { createRandom } from "../random";
import { binomialCdf, logBinomial, normalCdf, studentQuantile } from "./distributions";
import { type Interval, sumByCluster } from "./intervals";

export interface PairedDifference extends Interval {
  readonly difference: number;
  /** Two-sided bootstrap p-value of no difference. */
  readonly pValue: number;
  readonly clusters: number;
}

export interface BootstrapOptions {
  readonly resamples?: number;
  readonly seed?: number;
  readonly confidence?: number;
}

/** Value at a share of a sorted list, interpolated between neighbours (NumPy's `linear`). */
export function quantileSorted(sorted: ArrayLike<number>, share: number): number {
  const at = Math.max(0, Math.min(1, share)) * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** Means of clusters drawn with replacement, sorted. */
function bootstrapMeans(sums: Float64Array, counts: Float64Array, resamples: number, seed: number): Float64Array {
  const random = createRandom(seed);
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    let count = 0;
    for (let g = 0; g < sums.length; g++) {
      const pick = random.integer(sums.length);
      sum += sums[pick];
      count += counts[pick];
    }
    means[r] = sum / count;
  }
  return means.sort();
}

/**
 * Mean paired difference with a cluster bootstrap interval: whole prompts are drawn with replacement.
 *
 * The percentiles are widened from α/2 to Φ(−√(G/(G−1)) t_{G−1, 1−α/2}), which removes the percentile interval's
 * narrowness for few clusters (Hesterberg 2015, The American Statistician 69, section 4.1).
 *
 * @param differences system A minus system B on each item (score, or outcome with a tie as one half)
 * @param clusters    prompt of each item
 * @throws RangeError for an empty list
 * @example
 * ```ts
 * console.log(pairedBootstrap([1, 0, 0, 1], ["a", "b", "c", "d"], { seed: 1 }));
 * ```
 */
export function pairedBootstrap(
  differences: ArrayLike<number>,
  clusters: readonly string[],
  options: BootstrapOptions = {},
): PairedDifference {
  const { resamples = 2000, seed = 0, confidence = 0.95 } = options;
  if (differences.length === 0) {
    throw new RangeError("pairedBootstrap: expected at least one item, got none; check that both systems saw the same");
  }
  const { sums, counts } = sumByCluster(differences, clusters);
  const groups = sums.length;
  const difference = sums.reduce((a, b) => a + b, 0) / differences.length;
  if (groups === 1) return { difference, low: -Infinity, high: Infinity, pValue: 1, clusters: 1 };
  const means = bootstrapMeans(sums, counts, resamples, seed);
  const tail = normalCdf(-Math.sqrt(groups / (groups - 1)) * studentQuantile((1 + confidence) / 2, groups - 1));
  const below = means.filter((mean) => mean <= 0).length;
  const above = means.filter((mean) => mean >= 0).length;
  return {
    difference,
    low: quantileSorted(means, tail),
    high: quantileSorted(means, 1 - tail),
    pValue: Math.min(1, (2 * (Math.min(below, above) + 1)) / (resamples + 1)),
    clusters: groups,
  };
}

export interface McNemar {
  /** Items only the first system got right, and only the second. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
  readonly exact: number;
  readonly midP: number;
}

/**
 * McNemar's test of two systems on the same items, exact and mid-p, two-sided.
 *
 *   exact = min(1, 2·P(X ≤ min(b, c))),   mid-p = 2·P(X ≤ min(b, c)) − P(X = min(b, c)),   X ~ Bin(b + c, ½)
 *
 * Outcomes are 1, 0 or one half; an item on which either system ties says nothing here and is left out.
 *
 * Reference: Fagerland, Lydersen, Laake (2013), BMC Med Res Methodol 13:91; exact equals statsmodels `mcnemar`.
 *
 * @example
 * ```ts
 * mcNemar([1, 1, 0], [1, 0, 0]).onlyFirst; // → 1
 * ```
 */
export function mcNemar(first: ArrayLike<number>, second: ArrayLike<number>): McNemar {
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let i = 0; i < first.length; i++) {
    if (first[i] === 1 && second[i] === 0) onlyFirst++;
    if (first[i] === 0 && second[i] === 1) onlySecond++;
  }
  const trials = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  const twice = 2 * binomialCdf(fewer, trials, 0.5);
  const midP = trials === 0 ? 1 : twice - Math.exp(logBinomial(fewer, trials, 0.5));
  return { onlyFirst, onlySecond, exact: Math.min(1, twice), midP: Math.min(1, midP) };
}

/**
 * Exact binomial test.
 *
 * @param options.alternative `two-sided` adds every outcome at most as likely as the one seen
 * Reference: equals `scipy.stats.binomtest`.
 * @example
 * ```ts
 * console.log(binomialTest(9, 10)); // 0.0215
 * ```
 */
export function binomialTest(
  successes: number,
  trials: number,
  options: { readonly p?: number; readonly alternative?: "two-sided" | "greater" | "less" } = {},
): number {
  const { p = 0.5, alternative = "two-sided" } = options;
  if (alternative === "less") return binomialCdf(successes, trials, p);
  if (alternative === "greater") return 1 - binomialCdf(successes - 1, trials, p);
  const seen = logBinomial(successes, trials, p);
  let total = 0;
  for (let k = 0; k <= trials; k++) {
    const other = logBinomial(k, trials, p);
    if (other <= seen + 1e-7) total += Math.exp(other);
  }
  return Math.min(1, total);
}
