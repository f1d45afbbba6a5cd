// What every evaluation starts from: one preference pair with the two rewards a model gave it.
import { InputError } from "../errors";
import type { TextCut } from "../text/textItem";

export interface ScoredPair {
  readonly id: string;
  readonly questionId: string;
  /** Pairs with the same key are not independent: intervals and tests draw whole keys. */
  readonly promptKey: string;
  /** `UNKNOWN` where the source gives none. */
  readonly risk: string;
  readonly category?: string;
  /** What the preference is about, as the data says. */
  readonly preferenceType?: string;
  readonly subset?: string;
  /** w of the loss, 1 + β·confidencePenalty. */
  readonly weight: number;
  /** m of the loss; absent where the source gives none. */
  readonly margin?: number;
  readonly chosenScore: number;
  readonly rejectedScore: number;
  /** Lengths of the two answers, in characters or tokens. */
  readonly chosenLength: number;
  readonly rejectedLength: number;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  /** What the model read of the two texts, where that is known. */
  readonly read?: { readonly chosen: TextRead; readonly rejected: TextRead };
}

/** Tokens the model read, and what it did not read for want of room. */
export interface TextRead {
  readonly tokens: number;
  readonly cuts: readonly TextCut[];
}

/**
 * Δ = chosen minus rejected reward of each pair.
 *
 * @example
 * ```ts
 * console.log(rewardDeltas(scored)); // r_chosen − r_rejected of each pair
 * ```
 */
export function rewardDeltas(pairs: readonly ScoredPair[]): Float64Array {
  return Float64Array.from(pairs, (pair) => pair.chosenScore - pair.rejectedScore);
}

/** @throws InputError naming the first pair whose score is not a finite number */
export function requireFiniteScores(pairs: readonly ScoredPair[]): void {
  for (const { id, chosenScore, rejectedScore } of pairs) {
    if (Number.isFinite(chosenScore) && Number.isFinite(rejectedScore)) continue;
    throw new InputError(
      `pair ${id}: expected finite scores, got chosen ${chosenScore} and rejected ${rejectedScore}; ` +
        "the model or the scores file is broken: score again in f32, or train with a lower learning rate",
    );
  }
}
