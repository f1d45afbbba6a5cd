// In: a draft of a pair. Out: a pair, or the rule that leaves it out.
import type { PreferencePair } from "./pair";
import type { Rule } from "./faults";
import type { Row } from "./containers/row";
import type { Draft, Numbered } from "./formats/format";
import { normaliseText, promptKey } from "./normalise";

/** Which rules apply. */
export interface RuleOptions {
  /** Keep exact ties (equal scores, score_difference 0): a split passes them on, its `drop_weak` decides. */
  readonly keep_ties: boolean;
  /** The format may have no prompt at all (implicit prompts). */
  readonly promptMayBeEmpty: boolean;
}

export interface Broken {
  readonly rule: Rule;
  readonly message: string;
}

const blank = (text: string): boolean => text.trim() === "";

/** The first rule that leaves a pair out: empty prompt, empty answer, identical answers, tie. */
export function brokenRule(draft: Draft, options: RuleOptions): Broken | undefined {
  if (!options.promptMayBeEmpty && blank(draft.prompt)) return { rule: "empty_prompt", message: "the prompt is empty" };
  const chosenEmpty = blank(draft.chosen);
  const rejectedEmpty = blank(draft.rejected);
  if (chosenEmpty || rejectedEmpty) {
    const which =
      chosenEmpty && rejectedEmpty
        ? "both answers are"
        : chosenEmpty
          ? "the chosen answer is"
          : "the rejected answer is";
    return { rule: "empty_answer", message: `${which} empty` };
  }
  if (draft.chosen.trim() === draft.rejected.trim())
    return { rule: "identical_answers", message: "chosen and rejected are the same text" };
  if (options.keep_ties) return undefined;
  const { scoreChosen, scoreRejected } = draft;
  if (scoreChosen !== undefined && scoreChosen === scoreRejected)
    return { rule: "tie", message: `both answers have the score ${scoreChosen}` };
  if (draft.tie) return { rule: "tie", message: "score_difference is 0" };
  return undefined;
}

/** A row in the plain form for one of the pairs of a row that gave several. */
function plainRow(pair: Omit<PreferencePair, "raw">): Row {
  return Object.fromEntries(
    Object.entries({
      id: pair.id,
      question_id: pair.questionId,
      prompt: pair.prompt,
      chosen: pair.chosen,
      rejected: pair.rejected,
      score_chosen: pair.scoreChosen,
      score_rejected: pair.scoreRejected,
      margin: pair.margin,
      category: pair.category,
      subset: pair.subset,
    }).filter(([, value]) => value !== undefined),
  );
}

/** Fills in what the source does not say. `part` numbers the pairs of one row that may give several (`expands`). */
export function finishPair(draft: Draft, { row, line }: Numbered, part: number, expands: boolean): PreferencePair {
  const { tie: _tie, id, questionId, riskLevel, confidencePenalty, ...rest } = draft;
  const pair = {
    ...rest,
    id: id ?? (part === 0 ? `line ${line}` : `line ${line}#${part + 1}`),
    questionId: questionId ?? (normaliseText(draft.prompt) === "" ? `line ${line}` : promptKey(draft.prompt)),
    riskLevel: riskLevel ?? "UNKNOWN",
    confidencePenalty: confidencePenalty ?? 0,
    line,
  };
  return { ...pair, raw: expands ? plainRow(pair) : row };
}
