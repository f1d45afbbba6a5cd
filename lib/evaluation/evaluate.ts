// In: scored pairs. Out: everything `rewardbook evaluate` says about a model, and the original notebook's file.
import {
  brierScore,
  correctness,
  expectedCalibrationError,
  negativeLogLikelihood,
  sigmoid,
  symmetricCalibrationError,
  type CalibrationBins,
} from "../ece";
import { compareOutcomes, type Comparison } from "./compare";
import { groupBy, metricsBy, metricsByLengthQuartile, type GroupMetrics, type LengthQuartile } from "./groups";
import { clusteredMean, clusteredShare, wilsonInterval } from "../statistics/intervals";
import { lengthBias, type LengthBias } from "./lengthBias";
import { pairLossValue, type PairLossSettings } from "./pairLossValue";
import { preferenceType } from "./preferenceType";
import { requireFiniteScores, rewardDeltas, type ScoredPair } from "../scoring/scoredPair";
import { crossFittedDeltas, fitTemperature, type FittedTemperature } from "./temperature";

export interface EvaluationOptions {
  /**
   * T from the checkpoint, fitted there on validation pairs; 1 where none was fitted. `fit`, for the validation pairs
   * themselves: T is fitted on all of them, and `calibrated` on each from the others (`crossFittedDeltas`); where that
   * does not help, T is 1.
   */
  readonly temperature?: number | "fit";
  readonly loss?: PairLossSettings;
  /** Seed of the bootstrap. */
  readonly seed?: number;
  readonly bins?: number;
}

/** Pairs by P(chosen) = σ(Δ), and the same with every pair also flipped (`symmetric_…`). */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  readonly accuracy: number;
  readonly confidence: number;
  readonly symmetric_count: number;
  readonly symmetric_accuracy: number;
  readonly symmetric_confidence: number;
  readonly symmetric_ci95: [number, number] | null;
}

/** Calibration figures at one temperature. */
export interface CalibrationMetrics {
  readonly nll: number;
  readonly brier: number;
  readonly ece: number;
  readonly ece_symmetric: number;
  readonly mce: number;
}

/** The JSON of `rewardbook evaluate`. Calibration at the top is that of the raw scores; `calibrated` divides Δ by T. */
export interface Evaluation extends CalibrationMetrics {
  readonly n_pairs: number;
  readonly n_prompts: number;
  readonly ties: number;
  /** Share of pairs whose chosen answer scores higher; a tie counts one half. */
  readonly accuracy: number;
  /** t interval over prompts (`clusteredShare`). */
  readonly accuracy_ci95: [number, number];
  readonly loss: number;
  readonly temperature: number;
  readonly calibrated: CalibrationMetrics;
  /** How T was chosen, where it was fitted on these pairs. */
  readonly temperature_choice?: TemperatureChoice;
  readonly mean_margin: number;
  readonly mean_margin_ci95: [number, number];
  readonly mean_chosen_reward: number;
  readonly mean_rejected_reward: number;
  readonly min_reward: number;
  readonly mean_reward: number;
  readonly max_reward: number;
  readonly by_risk: Record<string, GroupMetrics>;
  readonly by_category: Record<string, GroupMetrics>;
  readonly by_preference_type: Record<string, GroupMetrics>;
  readonly by_length_quartile: Record<string, LengthQuartile>;
  readonly calibration_bins: CalibrationBin[];
  readonly length: LengthBias;
  /** Accuracies to compare with. */
  readonly baselines: { readonly random: number; readonly longer_answer: number; [name: string]: number };
  /** The model against each baseline; `random`: one-sided p of being no better than chance. */
  readonly baseline_tests: {
    readonly random: { readonly difference: number; readonly p_value: number };
    readonly longer_answer: Comparison;
  };
}

/**
 * Every metric of a list of scored pairs. Pure: no file, no tensor.
 *
 * @throws InputError naming the first pair whose score is not finite
 * @example
 * ```ts
 * const { accuracy, accuracy_ci95, ece } = evaluateScores(scored, { temperature: "fit" });
 * console.log(withInterval(accuracy, accuracy_ci95), ece);
 * ```
 */
export function evaluateScores(pairs: readonly ScoredPair[], options: EvaluationOptions = {}): Evaluation {
  requireFiniteScores(pairs);
  const { bins = 10 } = options;
  const deltas = rewardDeltas(pairs);
  const corrects = deltas.map(correctness);
  const clusters = pairs.map((pair) => pair.promptKey);
  const lengthDeltas = Float64Array.from(pairs, (pair) => pair.chosenLength - pair.rejectedLength);
  const length = lengthBias(deltas, lengthDeltas);
  const longerRight = lengthDeltas.map(correctness);
  return {
    n_pairs: pairs.length,
    n_prompts: new Set(clusters).size,
    ties: corrects.filter((correct) => correct === 0.5).length,
    ...accuracyOf(corrects, clusters),
    loss: mean(pairs.map((pair) => pairLossValue(pair, options.loss))),
    ...calibrationMetrics(deltas, bins),
    ...calibratedAt(options.temperature ?? 1, deltas, clusters, bins),
    ...rewardsOf(pairs, deltas, clusters),
    by_risk: metricsBy(pairs, (pair) => pair.risk),
    by_category: metricsBy(pairs, (pair) => pair.category),
    by_preference_type: metricsBy(pairs, preferenceType),
    by_length_quartile: metricsByLengthQuartile(pairs),
    calibration_bins: calibrationBins(deltas, bins),
    length,
    baselines: { random: 0.5, longer_answer: length.length_only_accuracy },
    baseline_tests: {
      random: betterThanChance(corrects, clusters),
      longer_answer: compareOutcomes(corrects, longerRight, clusters, { seed: options.seed }),
    },
  };
}

const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / Math.max(1, values.length);

function accuracyOf(corrects: Float64Array, clusters: string[]): { accuracy: number; accuracy_ci95: [number, number] } {
  if (corrects.length === 0) return { accuracy: 0, accuracy_ci95: [0, 1] };
  const share = clusteredShare(corrects, clusters);
  return { accuracy: share.mean, accuracy_ci95: [share.low, share.high] };
}

/** One-sided test over prompts of accuracy > ½; with a single prompt nothing can be said and p is 1. */
export function betterThanChance(corrects: ArrayLike<number>, clusters: readonly string[]) {
  if (corrects.length === 0) return { difference: 0, p_value: 1 };
  const {
    mean: accuracy,
    pValue,
    clusters: groups,
    standardError,
  } = clusteredMean(corrects, clusters, { reference: 0.5 });
  const difference = accuracy - 0.5;
  // All prompts alike: the chance that a coin gives every prompt the same side.
  const twoSided = standardError > 1e-12 ? pValue : difference === 0 ? 1 : 2 ** (1 - groups);
  return { difference, p_value: difference > 0 ? twoSided / 2 : 1 - twoSided / 2 };
}

/**
 * Whether a fitted temperature is used: only where pairs it was not fitted on become better calibrated by it, by their
 * NLL and by the symmetric ECE; otherwise T = 1.
 */
export interface TemperatureChoice {
  readonly used: boolean;
  readonly fitted: number;
  readonly status: FittedTemperature["status"];
  /** Each pair at the T of the other prompts. */
  readonly cross_validated: CalibrationMetrics;
}

function calibratedAt(temperature: number | "fit", deltas: Float64Array, clusters: string[], bins: number) {
  if (temperature === "fit") {
    const raw = calibrationMetrics(deltas, bins);
    const { temperature: fitted, status } = fitTemperature(deltas);
    const crossed = calibrationMetrics(crossFittedDeltas(deltas, clusters), bins);
    const used = status === "fitted" && crossed.nll < raw.nll && crossed.ece_symmetric <= raw.ece_symmetric;
    return {
      temperature: used ? fitted : 1,
      calibrated: used ? crossed : raw,
      temperature_choice: { used, fitted, status, cross_validated: crossed },
    };
  }
  return {
    temperature,
    calibrated: calibrationMetrics(
      deltas.map((delta) => delta / temperature),
      bins,
    ),
  };
}

function calibrationMetrics(deltas: Float64Array, bins: number): CalibrationMetrics {
  const probabilities = deltas.map(sigmoid);
  const { ece, mce } = expectedCalibrationError(probabilities, deltas.map(correctness), bins);
  return {
    nll: negativeLogLikelihood(deltas),
    brier: brierScore(probabilities),
    ece,
    ece_symmetric: symmetricCalibrationError(probabilities, bins).ece,
    mce,
  };
}

function calibrationBins(deltas: Float64Array, bins: number): CalibrationBin[] {
  const probabilities = deltas.map(sigmoid);
  const plain = expectedCalibrationError(probabilities, deltas.map(correctness), bins);
  const both = symmetricCalibrationError(probabilities, bins);
  return plain.bin_counts.map((count, b) => {
    const pairs = both.bin_counts[b];
    const interval = pairs > 0 ? wilsonInterval(both.bin_acc[b] * pairs, pairs) : null;
    return {
      low: plain.bin_edges[b],
      high: plain.bin_edges[b + 1],
      count,
      accuracy: plain.bin_acc[b],
      confidence: plain.bin_conf[b],
      symmetric_count: pairs,
      symmetric_accuracy: both.bin_acc[b],
      symmetric_confidence: both.bin_conf[b],
      symmetric_ci95: interval && [interval.low, interval.high],
    };
  });
}

function rewardsOf(pairs: readonly ScoredPair[], deltas: Float64Array, clusters: string[]) {
  const chosen = mean(pairs.map((pair) => pair.chosenScore));
  const rejected = mean(pairs.map((pair) => pair.rejectedScore));
  const margin = pairs.length > 0 ? clusteredMean(deltas, clusters) : { mean: 0, low: 0, high: 0 };
  const bounded = Number.isFinite(margin.low);
  let [low, high] = [Infinity, -Infinity];
  for (const { chosenScore, rejectedScore } of pairs) {
    low = Math.min(low, chosenScore, rejectedScore);
    high = Math.max(high, chosenScore, rejectedScore);
  }
  return {
    mean_margin: margin.mean,
    mean_margin_ci95: (bounded ? [margin.low, margin.high] : [margin.mean, margin.mean]) as [number, number],
    mean_chosen_reward: chosen,
    mean_rejected_reward: rejected,
    min_reward: pairs.length > 0 ? low : 0,
    mean_reward: (chosen + rejected) / 2,
    max_reward: pairs.length > 0 ? high : 0,
  };
}

/** The original notebook's evaluation file. */
export interface OriginalEvaluation {
  readonly pairwise_accuracy: number;
  readonly ece: number;
  readonly acc_by_risk: Record<string, number>;
  readonly ece_detail: CalibrationBins;
  readonly deltas: number[];
  readonly probs: number[];
  /** 1, 0, or one half for a tie; the original gives a tie 0. Everything above is computed from these. */
  readonly corrects: number[];
}

/**
 * The keys and float32 arithmetic of the original notebook's `evaluate_riskwise`; zeros and empty lists for no pairs.
 *
 * @throws InputError naming the first pair whose score is not finite
 * @example
 * ```ts
 * console.log(originalEvaluation(scored).acc_by_risk);
 * ```
 */
export function originalEvaluation(pairs: readonly ScoredPair[], bins = 10): OriginalEvaluation {
  requireFiniteScores(pairs);
  const deltaOf = (pair: ScoredPair) => Math.fround(pair.chosenScore - pair.rejectedScore);
  const deltas = pairs.map(deltaOf);
  const probs = deltas.map((delta) => Math.fround(sigmoid(delta)));
  const corrects = deltas.map(correctness);
  const { ece, mce: _mce, ...ece_detail } = expectedCalibrationError(probs, corrects, bins);
  const accuracy = (group: readonly ScoredPair[]) => mean(group.map((pair) => correctness(deltaOf(pair))));
  const acc_by_risk = Object.fromEntries(
    [...groupBy(pairs, (pair) => pair.risk)].map(([risk, g]) => [risk, accuracy(g)]),
  );
  return { pairwise_accuracy: mean(corrects), ece, acc_by_risk, ece_detail, deltas, probs, corrects };
}
