// In: the probability each pair's chosen answer was given, and whether it won. Out: how far the two are apart.

/**
 * Logistic function, exact at both ends: σ(x) = 1 / (1 + e^−x).
 *
 * @example
 * ```ts
 * sigmoid(0); // → 0.5
 * ```
 */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x));
  const e = Math.exp(x);
  return e / (1 + e);
}

/**
 * softplus(x) = log(1 + e^x), finite for every finite x; −log σ(x) = softplus(−x).
 *
 * @example
 * ```ts
 * softplus(0) === Math.LN2; // → true
 * ```
 */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * 1 where the chosen answer scored higher, 0 where lower, one half for a tie.
 *
 * @example
 * ```ts
 * [correctness(1.2), correctness(0), correctness(-3)]; // → [1, 0.5, 0]
 * ```
 */
export function correctness(delta: number): number {
  return delta > 0 ? 1 : delta < 0 ? 0 : 0.5;
}

/** Equal-width bins over [0, 1]; the names are those of the original notebook. */
export interface CalibrationBins {
  /** `bins + 1` edges. */
  readonly bin_edges: number[];
  readonly bin_counts: number[];
  /** Mean outcome of a bin; 0 where it is empty. */
  readonly bin_acc: number[];
  /** Mean probability of a bin; 0 where it is empty. */
  readonly bin_conf: number[];
}

export interface Calibration extends CalibrationBins {
  readonly ece: number;
  readonly mce: number;
}

/**
 * Bin of a probability: min(⌊p·bins⌋, bins − 1), multiplied in float32 as NumPy does with float32 probabilities,
 * so that a probability on an edge falls where the original notebook puts it.
 *
 * @example
 * ```ts
 * calibrationBin(0.95, 10); // → 9
 * ```
 */
export function calibrationBin(probability: number, bins: number): number {
  return Math.min(Math.floor(Math.fround(Math.fround(probability) * bins)), bins - 1);
}

/**
 * Expected and maximum calibration error over equal-width bins of [0, 1].
 *
 *   ECE = Σ_b (n_b / N) |acc_b − conf_b|,   MCE = max_b |acc_b − conf_b|,   empty bins skipped
 *
 * @param probabilities P(chosen) = σ(Δ) of each pair, in [0, 1]
 * @param corrects      outcome of each pair: 1, 0, or one half for a tie
 * @param bins          number of bins
 * @throws RangeError when the lists differ in length or a probability lies outside [0, 1]
 * Source: the original notebook's `evaluate_riskwise`; zeros for an empty list, as there.
 * @example
 * ```ts
 * expectedCalibrationError([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0]).ece; // → 0
 * ```
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  corrects: ArrayLike<number>,
  bins = 10,
): Calibration {
  const total = probabilities.length;
  if (corrects.length !== total) {
    throw new RangeError(
      `expectedCalibrationError: expected one outcome a probability, got ${corrects.length} for ${total}; ` +
        "pass lists of the same pairs",
    );
  }
  const counts = new Array<number>(bins).fill(0);
  const correctSums = new Array<number>(bins).fill(0);
  const confidenceSums = new Array<number>(bins).fill(0);
  for (let i = 0; i < total; i++) {
    const p = probabilities[i];
    if (!(p >= 0 && p <= 1)) {
      throw new RangeError(`expectedCalibrationError: expected a probability at ${i}, got ${p}; pass σ(Δ), not Δ`);
    }
    const bin = calibrationBin(p, bins);
    counts[bin]++;
    correctSums[bin] += corrects[i];
    confidenceSums[bin] += p;
  }
  const average = (sums: number[]) => sums.map((sum, b) => (counts[b] > 0 ? sum / counts[b] : 0));
  const bin_acc = average(correctSums);
  const bin_conf = average(confidenceSums);
  const gaps = bin_acc.map((accuracy, b) => Math.abs(accuracy - bin_conf[b]));
  return {
    ece: gaps.reduce((sum, gap, b) => sum + (counts[b] / Math.max(total, 1)) * gap, 0),
    mce: Math.max(0, ...gaps.filter((_, b) => counts[b] > 0)),
    bin_edges: Array.from({ length: bins + 1 }, (_, b) => b / bins),
    bin_counts: counts,
    bin_acc,
    bin_conf,
  };
}

/**
 * Calibration with every pair also seen the other way round: (p, 1) and (1 − p, 0).
 *
 * Without the flipped pairs the outcome is decided by p itself (p > ½ ⇔ correct), so the plain ECE only says how far
 * probabilities stay from 0 and 1. Flipped, a bin compares a stated probability with the share of answers preferred.
 * A pair falls once into a bin and once into its mirror image, so a bin's count is a count of distinct pairs.
 *
 * @example
 * ```ts
 * symmetricCalibrationError([0.5, 0.5]).ece; // → 0
 * ```
 */
export function symmetricCalibrationError(probabilities: ArrayLike<number>, bins = 10): Calibration {
  const total = probabilities.length;
  const both = new Float64Array(2 * total);
  const outcomes = new Float64Array(2 * total);
  for (let i = 0; i < total; i++) {
    both[i] = probabilities[i];
    both[total + i] = 1 - probabilities[i];
    outcomes[i] = 1;
  }
  return expectedCalibrationError(both, outcomes, bins);
}

/**
 * Brier score of "the chosen answer is better": mean (1 − p)²; ¼ for a coin. Zero for an empty list.
 *
 * @example
 * ```ts
 * brierScore([0.5, 0.5]); // → 0.25
 * ```
 */
export function brierScore(probabilities: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < probabilities.length; i++) sum += (1 - probabilities[i]) ** 2;
  return sum / Math.max(probabilities.length, 1);
}

/**
 * Negative log-likelihood of the labels: mean softplus(−Δ/T); ln 2 for a coin. Zero for an empty list.
 *
 * @example
 * ```ts
 * negativeLogLikelihood([0]) === Math.LN2; // → true
 * ```
 */
export function negativeLogLikelihood(deltas: ArrayLike<number>, temperature = 1): number {
  let sum = 0;
  for (let i = 0; i < deltas.length; i++) sum += softplus(-deltas[i] / temperature);
  return sum / Math.max(deltas.length, 1);
}
