// In: a draft of a pair. Out: a pair, or the rule that leaves it out.
import type { Message, PreferencePair } from "./pair";
import type { Rule } from "./faults";
import type { Row } from "./containers/row";
import type { Draft, Numbered } from "./formats/format";
import { normaliseText, promptKey } from "./normalise";

/** The risk level of a pair whose source gives none. */
const NO_RISK = "UNKNOWN";

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
  if (draft.chosen.trim() === draft.rejected.trim() && sameTurns(draft.chosenMessages, draft.rejectedMessages))
    return { rule: "identical_answers", message: "chosen and rejected are the same text" };
  if (options.keep_ties || !isTie(draft)) return undefined;
  const message = draft.tie ? "score_difference is 0" : `both answers have the score ${draft.scoreChosen}`;
  return { rule: "tie", message };
}

/** A chat template tells two turns from one turn of the same text. */
const sameTurns = (a: Draft["chosenMessages"], b: Draft["rejectedMessages"]): boolean =>
  a?.length === b?.length &&
  (a ?? []).every(({ role, content }, i) => role === b![i].role && content === b![i].content);

/** Equal scores, or a source that says itself that neither answer is better. */
export const isTie = ({ tie, scoreChosen, scoreRejected }: Draft): boolean =>
  tie === true || (scoreChosen !== undefined && scoreChosen === scoreRejected);

/** A score alone compares nothing: both are used, or none. */
export function scoresOrNone(draft: Draft): { draft: Draft; note?: string } {
  if ((draft.scoreChosen === undefined) === (draft.scoreRejected === undefined)) return { draft };
  const both = { scoreChosen: undefined, scoreRejected: undefined };
  return { draft: { ...draft, ...both }, note: "one of the two answers has no score; neither score is used" };
}

/** A row in the plain form, or of messages where the prompt is a conversation, for one of the pairs of a row that gave several. */
function plainRow(pair: Omit<PreferencePair, "raw">): Row {
  const { promptMessages } = pair;
  const answer = (content: string, messages = [{ role: "assistant", content }] as readonly Message[]) =>
    promptMessages ? messages : content;
  return Object.fromEntries(
    Object.entries({
      id: pair.id,
      question_id: pair.questionId,
      prompt: promptMessages ?? pair.prompt,
      chosen: answer(pair.chosen, pair.chosenMessages),
      rejected: answer(pair.rejected, pair.rejectedMessages),
      score_chosen: pair.scoreChosen,
      score_rejected: pair.scoreRejected,
      margin: pair.margin,
      category: pair.category,
      preference_type: pair.preferenceType,
      risk_level: pair.riskLevel === NO_RISK ? undefined : pair.riskLevel,
      confidence_penalty: pair.confidencePenalty || undefined,
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
    riskLevel: riskLevel ?? NO_RISK,
    confidencePenalty: confidencePenalty ?? 0,
    line,
  };
  return { ...pair, raw: expands ? plainRow(pair) : row };
}
