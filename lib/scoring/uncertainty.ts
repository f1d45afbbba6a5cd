// In: rewards by each model of an ensemble. Out: their mean, their spread, and the pairs whose label all of them contradict.
import { sigmoid } from "../ece";
import type { ScoredPair } from "./scoredPair";

/** A reward by several models. */
export interface UncertainScore {
  readonly score: number;
  /** Standard deviation between the models, each one's own level taken out; 0 for a single model. */
  readonly score_sd: number;
}

/**
 * Mean reward of each text and how far the models differ about it.
 *
 * @param scores [M][N], levels [M]: mean reward of each model, which says nothing of a text
 * @example
 * ```ts
 * console.log(uncertainScores([[1.2], [0.8]], [0, 0])[0]); // mean and spread of two models' rewards
 * ```
 */
export function uncertainScores(scores: readonly ArrayLike<number>[], levels: readonly number[]): UncertainScore[] {
  const level = mean(levels);
  return Array.from({ length: scores[0].length }, (_, i) => {
    const own = scores.map((list, m) => list[i] - levels[m] + level);
    return { score: mean(own), score_sd: deviation(own) };
  });
}

/** What several models say of a pair. */
export interface UncertainPair {
  readonly chosen_score: number;
  readonly rejected_score: number;
  /** P(the chosen answer is better) = σ(mean Δ / T). */
  readonly probability: number;
  /** Standard deviation of Δ between the models. */
  readonly margin_sd: number;
  /** Share of models that prefer the rejected answer; a tie counts one half. */
  readonly disagreement: number;
  /** Every model prefers the rejected answer: perhaps the label is wrong. */
  readonly suspect: boolean;
}

/**
 * What an ensemble says of each pair.
 *
 * The models must not have been trained on these pairs: what a model has learned by heart it does not doubt.
 *
 * @param lists [M][N] the same pairs with each model's rewards
 * How many suspects are wrong labels depends on the models: all of them share the mistakes of a weak one.
 * Reference: Wang et al. (2024), arXiv 2401.06080, who flip or drop pairs that an ensemble of reward models contradicts.
 * @example
 * ```ts
 * console.log(uncertainPairs([scored, others])[0]);
 * ```
 */
export function uncertainPairs(lists: readonly (readonly ScoredPair[])[], temperature = 1): UncertainPair[] {
  return lists[0].map((_, i) => {
    const own = lists.map((list) => list[i]);
    const margins = own.map(({ chosenScore, rejectedScore }) => chosenScore - rejectedScore);
    const against = margins.reduce((sum, margin) => sum + (margin < 0 ? 1 : margin === 0 ? 0.5 : 0), 0);
    return {
      chosen_score: mean(own.map(({ chosenScore }) => chosenScore)),
      rejected_score: mean(own.map(({ rejectedScore }) => rejectedScore)),
      probability: sigmoid(mean(margins) / temperature),
      margin_sd: deviation(margins),
      disagreement: against / margins.length,
      suspect: margins.length > 1 && against === margins.length,
    };
  });
}

/**
 * Each pair with the mean of the models' rewards: the ensemble as one model.
 *
 * @example
 * ```ts
 * console.log(evaluateScores(meanPairs([scored, others])).accuracy); // the ensemble of two models
 * ```
 */
export function meanPairs(lists: readonly (readonly ScoredPair[])[]): ScoredPair[] {
  if (lists.length === 1) return [...lists[0]];
  return lists[0].map((pair, i) => ({
    ...pair,
    chosenScore: mean(lists.map((list) => list[i].chosenScore)),
    rejectedScore: mean(lists.map((list) => list[i].rejectedScore)),
  }));
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Sample standard deviation; 0 for one value. */
function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
