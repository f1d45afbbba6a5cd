// In: scored held-out pairs. Out: their lines in val_scores.jsonl and test_scores.jsonl, which a report shows.
import { preferenceType } from "../evaluation/preferenceType";
import { writeFileAtomically } from "../files/atomic";
import type { ScoredPair } from "../scoring/scoredPair";
import type { TextCut } from "../text/textItem";
import type { ScoreLine } from "./evaluationSchemas";

/** A pair with its rewards, its texts, and what the model read of them. */
export function scoreLineOf(pair: ScoredPair): ScoreLine {
  const { read } = pair;
  const placed = (cuts: readonly TextCut[]) =>
    cuts.map(({ from, start, stop }): [TextCut["from"], number, number] => [from, start, stop]);
  return {
    id: pair.id,
    question_id: pair.questionId,
    risk: pair.risk,
    category: pair.category,
    kind: preferenceType(pair),
    chosen_score: pair.chosenScore,
    rejected_score: pair.rejectedScore,
    chosen_length: pair.chosenLength,
    rejected_length: pair.rejectedLength,
    ...(read && {
      chosen_tokens: read.chosen.tokens,
      rejected_tokens: read.rejected.tokens,
      chosen_cuts: placed(read.chosen.cuts),
      rejected_cuts: placed(read.rejected.cuts),
    }),
    prompt: pair.prompt,
    chosen: pair.chosen,
    rejected: pair.rejected,
  };
}

/**
 * Writes the scores of pairs, one a line.
 *
 * @example
 * ```ts
 * await writeScores("metrics/mine/test_scores.jsonl", scored);
 * ```
 */
export function writeScores(path: string, pairs: readonly ScoredPair[]): Promise<void> {
  return writeFileAtomically(path, pairs.map((pair) => `${JSON.stringify(scoreLineOf(pair))}\n`).join(""));
}

/** A scored pair as far as its line tells it. */
export const pairOfLine = (line: ScoreLine): ScoredPair => ({
  id: line.id,
  questionId: line.question_id,
  promptKey: line.question_id,
  risk: line.risk ?? "UNKNOWN",
  category: line.category,
  weight: 1,
  chosenScore: line.chosen_score,
  rejectedScore: line.rejected_score,
  chosenLength: line.chosen_length ?? 0,
  rejectedLength: line.rejected_length ?? 0,
  prompt: line.prompt ?? "",
  chosen: line.chosen ?? "",
  rejected: line.rejected ?? "",
});
