// In: the scores two models, or the seeds of two ways of training, gave to the same pairs. Out: which is better, by how much, and how sure that is.
import { correctness } from "../ece";
import { InputError } from "../errors";
import { crossedDifference, type ErrorParts } from "../statistics/crossed";
import { mcNemar, pairedBootstrap, type BootstrapOptions } from "../statistics/pairedTests";
import { detectableDifference, powerOf, promptsNeeded } from "../statistics/power";
import { requireFiniteScores, rewardDeltas, type ScoredPair } from "../scoring/scoredPair";

export interface Comparison {
  readonly n_pairs: number;
  readonly n_prompts: number;
  readonly accuracy: number;
  readonly other_accuracy: number;
  /** Models (seeds) on each side; accuracies are means over them. */
  readonly runs: number;
  readonly other_runs: number;
  /** accuracy − other_accuracy. */
  readonly difference: number;
  /** t interval over prompts, and over seeds where a side has several (`crossedDifference`). */
  readonly difference_ci95: [number, number];
  /** Null where nothing is known of the spread: a single prompt. */
  readonly standard_error: number | null;
  readonly degrees_of_freedom: number;
  readonly p_value: number;
  /** Squared standard errors by source. */
  readonly error_parts: ErrorParts;
  /** Whether the interval leaves zero out. */
  readonly difference_shown: boolean;
  /** A true difference of this size would be shown four times in five; null where none would. */
  readonly detectable_difference: number | null;
  /** Chance that a true difference of a given size would be shown, where one was asked for. */
  readonly power_to_detect?: PowerToDetect;
  /** Of single models: a bootstrap over prompts, and pairs only one of the two got right; null with several seeds. */
  readonly bootstrap_p_value: number | null;
  readonly only_this_right: number | null;
  readonly only_other_right: number | null;
  readonly mcnemar_exact_p_value: number | null;
  readonly mcnemar_mid_p_value: number | null;
}

export interface PowerToDetect {
  readonly difference: number;
  readonly power: number;
  /** Prompts with which the chance is four in five; null: no number is enough, it takes more seeds. */
  readonly prompts_needed: number | null;
}

export interface CompareOptions extends BootstrapOptions {
  /** A difference of accuracy whose power is asked for, as a share. */
  readonly detect?: number;
}

/** What single models add: each pair is right or wrong with either. */
function singleModels(
  outcomes: Float64Array,
  others: Float64Array,
  clusters: readonly string[],
  options: BootstrapOptions,
) {
  const { onlyFirst, onlySecond, exact, midP } = mcNemar(outcomes, others);
  const differences = outcomes.map((outcome, i) => outcome - others[i]);
  return {
    bootstrap_p_value: differences.length === 0 ? 1 : pairedBootstrap(differences, clusters, options).pValue,
    only_this_right: onlyFirst,
    only_other_right: onlySecond,
    mcnemar_exact_p_value: exact,
    mcnemar_mid_p_value: midP,
  };
}

const SEVERAL = {
  bootstrap_p_value: null,
  only_this_right: null,
  only_other_right: null,
  mcnemar_exact_p_value: null,
  mcnemar_mid_p_value: null,
};
const NOTHING = {
  estimate: 0,
  low: -1,
  high: 1,
  standardError: Infinity,
  degrees: 0,
  pValue: 1,
  clusters: 0,
  parts: { prompts: 0, runs: 0, both: 0 },
};

/**
 * Outcomes (1, 0, ½) of two lists of models on the same pairs, one list of numbers a model. An interval that cannot be told
 * is [−1, 1].
 *
 * @param outcomes [S][N], others [T][N], clusters [N]
 * @example
 * ```ts
 * const compared = compareOutcomeRuns([Float64Array.of(1, 1, 0)], [Float64Array.of(1, 0, 0)], ["a", "b", "c"]);
 * console.log(compared.difference, compared.difference_ci95);
 * ```
 */
export function compareOutcomeRuns(
  outcomes: readonly Float64Array[],
  others: readonly Float64Array[],
  clusters: readonly string[],
  options: CompareOptions = {},
): Comparison {
  const total = clusters.length;
  const mean = (values: ArrayLike<number>) =>
    Array.from(values).reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const estimate = total === 0 ? NOTHING : crossedDifference(outcomes, others, clusters);
  const { detect } = options;
  const [low, high] = [Math.max(-1, estimate.low), Math.min(1, estimate.high)];
  const single = outcomes.length === 1 && others.length === 1;
  return {
    n_pairs: total,
    n_prompts: estimate.clusters,
    accuracy: mean(outcomes.map(mean)),
    other_accuracy: mean(others.map(mean)),
    runs: outcomes.length,
    other_runs: others.length,
    difference: estimate.estimate,
    difference_ci95: [low, high],
    standard_error: Number.isFinite(estimate.standardError) ? estimate.standardError : null,
    degrees_of_freedom: estimate.degrees,
    p_value: estimate.pValue,
    error_parts: estimate.parts,
    difference_shown: low > 0 || high < 0,
    detectable_difference: detectableDifference(estimate),
    ...(detect !== undefined && {
      power_to_detect: {
        difference: detect,
        power: powerOf(detect, estimate),
        prompts_needed: promptsNeeded(detect, estimate),
      },
    }),
    ...(single ? singleModels(outcomes[0], others[0], clusters, options) : SEVERAL),
  };
}

/**
 * Two lists of outcomes (1, 0, ½) of the same pairs. An interval that cannot be told is [−1, 1].
 *
 * @example
 * ```ts
 * const compared = compareOutcomes(Float64Array.of(1, 1, 0), Float64Array.of(1, 0, 0), ["a", "b", "c"]);
 * console.log(compared.difference, compared.difference_ci95);
 * ```
 */
export function compareOutcomes(
  outcomes: Float64Array,
  others: Float64Array,
  clusters: readonly string[],
  options: CompareOptions = {},
): Comparison {
  return compareOutcomeRuns([outcomes], [others], clusters, options);
}

/** The lists in the order of the first one's pairs. @throws InputError when one does not hold the same ids */
function matched(first: readonly ScoredPair[], list: readonly ScoredPair[]): ScoredPair[] {
  const byId = new Map(list.map((pair) => [pair.id, pair]));
  const same = first.map(({ id }) => {
    const found = byId.get(id);
    if (found) return found;
    throw new InputError(
      `compareScores: expected the same pairs on both sides, got ${id} on one only; score both checkpoints on one file`,
    );
  });
  if (list.length !== first.length) {
    throw new InputError(
      `compareScores: expected the same pairs on both sides, got ${first.length} and ${list.length}; ` +
        "score both checkpoints on one file",
    );
  }
  return same;
}

/**
 * Compares the seeds of two ways of training on the same pairs, matched by pair id.
 *
 * @param runs one list of scored pairs a seed
 * @param others one list of scored pairs a seed
 * @throws InputError when two lists do not hold the same ids, or a score is not finite
 * @example
 * ```ts
 * console.log(compareScoreRuns([scored], [others]).difference);
 * ```
 */
export function compareScoreRuns(
  runs: readonly (readonly ScoredPair[])[],
  others: readonly (readonly ScoredPair[])[],
  options: CompareOptions = {},
): Comparison {
  [...runs, ...others].forEach(requireFiniteScores);
  const [first] = runs;
  const outcomesOf = (lists: typeof runs) => lists.map((list) => rewardDeltas(matched(first, list)).map(correctness));
  const clusters = first.map((pair) => pair.promptKey);
  return compareOutcomeRuns(outcomesOf(runs), outcomesOf(others), clusters, options);
}

/**
 * Compares two models on the same pairs, matched by pair id.
 *
 * @throws InputError when the two lists do not hold the same ids, or a score is not finite
 * @example
 * ```ts
 * console.log(compareScores(scored, others).difference_ci95);
 * ```
 */
export function compareScores(
  pairs: readonly ScoredPair[],
  others: readonly ScoredPair[],
  options: CompareOptions = {},
): Comparison {
  return compareScoreRuns([pairs], [others], options);
}
