// In: the scores two models gave to the same pairs. Out: which is better, by how much, and how sure that is.
import { correctness } from "../ece";
import { InputError } from "../errors";
import { mcNemar, pairedBootstrap, type BootstrapOptions } from "../statistics/pairedTests";
import { requireFiniteScores, rewardDeltas, type ScoredPair } from "../scoring/scoredPair";

export interface Comparison {
  readonly n_pairs: number;
  readonly n_prompts: number;
  readonly accuracy: number;
  readonly other_accuracy: number;
  /** accuracy − other_accuracy, with a bootstrap over prompts. */
  readonly difference: number;
  readonly difference_ci95: [number, number];
  readonly bootstrap_p_value: number;
  /** Pairs only one of the two got right. */
  readonly only_this_right: number;
  readonly only_other_right: number;
  readonly mcnemar_exact_p_value: number;
  readonly mcnemar_mid_p_value: number;
}

/** Two lists of outcomes (1, 0, ½) of the same pairs. An interval that cannot be told is [−1, 1]. */
export function compareOutcomes(
  outcomes: Float64Array,
  others: Float64Array,
  clusters: readonly string[],
  options: BootstrapOptions = {},
): Comparison {
  const total = outcomes.length;
  const differences = outcomes.map((outcome, i) => outcome - others[i]);
  const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / Math.max(1, total);
  const nothing = { difference: 0, low: -1, high: 1, pValue: 1, clusters: 0 };
  const paired = total === 0 ? nothing : pairedBootstrap(differences, clusters, options);
  const discordant = mcNemar(outcomes, others);
  return {
    n_pairs: total,
    n_prompts: paired.clusters,
    accuracy: mean(outcomes),
    other_accuracy: mean(others),
    difference: paired.difference,
    difference_ci95: [Math.max(-1, paired.low), Math.min(1, paired.high)],
    bootstrap_p_value: paired.pValue,
    only_this_right: discordant.onlyFirst,
    only_other_right: discordant.onlySecond,
    mcnemar_exact_p_value: discordant.exact,
    mcnemar_mid_p_value: discordant.midP,
  };
}

/**
 * Compares two models on the same pairs, matched by pair id.
 *
 * @throws InputError when the two lists do not hold the same ids, or a score is not finite
 */
export function compareScores(
  pairs: readonly ScoredPair[],
  others: readonly ScoredPair[],
  options: BootstrapOptions = {},
): Comparison {
  requireFiniteScores(pairs);
  requireFiniteScores(others);
  const byId = new Map(others.map((other) => [other.id, other]));
  const matched = pairs.map((pair) => {
    const other = byId.get(pair.id);
    if (!other) {
      throw new InputError(
        `compareScores: expected the same pairs on both sides, got ${pair.id} on one only; ` +
          "score both checkpoints on one file",
      );
    }
    return other;
  });
  if (others.length !== pairs.length) {
    throw new InputError(
      `compareScores: expected the same pairs on both sides, got ${pairs.length} and ${others.length}; ` +
        "score both checkpoints on one file",
    );
  }
  const clusters = pairs.map((pair) => pair.promptKey);
  return compareOutcomes(
    rewardDeltas(pairs).map(correctness),
    rewardDeltas(matched).map(correctness),
    clusters,
    options,
  );
}
