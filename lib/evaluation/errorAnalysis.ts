// In: scored pairs. Out: where the model errs, and its worst and most confident mistakes with what they differ in.
import { sigmoid } from "../ece";
import { groupBy, groupMetrics, type GroupMetrics } from "./groups";
import { pairLossValue, type PairLossSettings } from "./pairLossValue";
import { preferenceType } from "./preferenceType";
import { requireFiniteScores, type ScoredPair } from "../scoring/scoredPair";
import { wordDiff, type DiffPart } from "./wordDiff";

/** One pair the model ranks the wrong way round, or ties. */
export interface ErrorCase {
  readonly id: string;
  readonly question_id: string;
  readonly risk: string;
  readonly category: string | null;
  readonly preference_type: string;
  readonly chosen_score: number;
  readonly rejected_score: number;
  readonly delta: number;
  /** σ(−Δ): how sure the model is of the wrong answer. */
  readonly confidence: number;
  /** Weighted loss of the pair. */
  readonly loss: number;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly diff: readonly DiffPart[];
}

export interface ErrorAnalysis {
  readonly n_pairs: number;
  readonly n_wrong: number;
  readonly n_ties: number;
  /** Metrics of each preference type and the ids of its most confident mistakes; most mistakes first. */
  readonly by_preference_type: ReadonlyArray<
    GroupMetrics & { readonly type: string; readonly wrong: number; readonly cases: string[] }
  >;
  /** Ids by weighted loss: what costs the training most. */
  readonly worst: string[];
  /** Ids by σ(−Δ): where the model is surest of the wrong answer. */
  readonly most_confident: string[];
  /** Every case named above, most confident first. */
  readonly cases: ErrorCase[];
}

export interface ErrorAnalysisOptions {
  /** Cases of each list. */
  readonly limit?: number;
  /** Cases of each preference type. */
  readonly perType?: number;
  /** The constants of the loss by which mistakes are weighed: the run's own. Default: the plain Bradley-Terry loss. */
  readonly loss?: PairLossSettings;
}

/**
 * Where a model errs: its worst and its most confident mistakes, and mistakes by kind of preference.
 *
 * @throws InputError naming the first pair whose score is not finite
 * @example
 * ```ts
 * const { n_wrong, cases } = analyseErrors(scored, { limit: 20 });
 * console.log(n_wrong, cases[0]);
 * ```
 */
export function analyseErrors(pairs: readonly ScoredPair[], options: ErrorAnalysisOptions = {}): ErrorAnalysis {
  requireFiniteScores(pairs);
  const { limit = 50, perType = 10 } = options;
  const deltaOf = (pair: ScoredPair) => pair.chosenScore - pair.rejectedScore;
  const wrong = pairs.filter((pair) => deltaOf(pair) < 0).sort((a, b) => deltaOf(a) - deltaOf(b));
  const lossOf = (pair: ScoredPair) => pairLossValue(pair, options.loss);
  const byLoss = [...wrong].sort((a, b) => lossOf(b) - lossOf(a));
  const ids = (list: readonly ScoredPair[], most: number) => list.slice(0, most).map((pair) => pair.id);
  const types = [...groupBy(pairs, preferenceType)]
    .map(([type, group]) => {
      const mistakes = group.filter((pair) => deltaOf(pair) < 0).sort((a, b) => deltaOf(a) - deltaOf(b));
      return { type, ...groupMetrics(group), wrong: mistakes.length, cases: ids(mistakes, perType) };
    })
    .sort((a, b) => b.wrong - a.wrong || (a.type < b.type ? -1 : 1));
  const worst = ids(byLoss, limit);
  const most_confident = ids(wrong, limit);
  const named = new Set([...worst, ...most_confident, ...types.flatMap((type) => type.cases)]);
  return {
    n_pairs: pairs.length,
    n_wrong: wrong.length,
    n_ties: pairs.filter((pair) => deltaOf(pair) === 0).length,
    by_preference_type: types,
    worst,
    most_confident,
    cases: wrong.filter((pair) => named.has(pair.id)).map((pair) => errorCase(pair, lossOf(pair))),
  };
}

function errorCase(pair: ScoredPair, loss: number): ErrorCase {
  const delta = pair.chosenScore - pair.rejectedScore;
  return {
    id: pair.id,
    question_id: pair.questionId,
    risk: pair.risk,
    category: pair.category ?? null,
    preference_type: preferenceType(pair),
    chosen_score: pair.chosenScore,
    rejected_score: pair.rejectedScore,
    delta,
    confidence: sigmoid(-delta),
    loss,
    prompt: pair.prompt,
    chosen: pair.chosen,
    rejected: pair.rejected,
    diff: wordDiff(pair.chosen, pair.rejected),
  };
}
