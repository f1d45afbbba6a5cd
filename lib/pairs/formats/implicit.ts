// Pairs whose prompt is what both answers begin with: Anthropic HH, and texts without any marker.
import type { Message } from "../pair";
import { RowFault } from "../faults";
import { has, optionalNumber, text } from "../fields";
import type { Row } from "../containers/row";
import { type Draft, type PairFormat, commonFields } from "./format";
import { PROMPT_NAMES } from "./plain";

const MARKER = "\n\nAssistant:";

function commonLength(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  let n = 0;
  while (n < end && a.charCodeAt(n) === b.charCodeAt(n)) n++;
  return n;
}

/** "\n\nHuman: …\n\nAssistant: …" as messages; undefined where the text does not begin with a turn. */
function turns(prompt: string): Message[] | undefined {
  if (!/^\s*(Human|Assistant):/.test(prompt)) return undefined;
  const pieces = `\n\n${prompt.trimStart()}`.split(/\n\n(Human|Assistant):/).slice(1);
  const messages: Message[] = [];
  for (let i = 0; i + 1 < pieces.length; i += 2)
    messages.push({ role: pieces[i] === "Human" ? "user" : "assistant", content: pieces[i + 1].trim() });
  if (messages.at(-1)?.content === "" && messages.at(-1)?.role === "assistant") messages.pop();
  return messages.length > 0 ? messages : undefined;
}

/** An answer that the other side answers again, as messages; undefined for one turn. */
function furtherTurns(answer: string): readonly Message[] | undefined {
  const messages = turns(`Assistant:${answer}`);
  return messages && messages.length > 1 ? messages : undefined;
}

/** How far both texts agree up to `end`, and in the white space after it: it belongs to the prompt. */
function seamAfter(chosen: string, rejected: string, end: number): number {
  let seam = end;
  while (seam < chosen.length && chosen[seam] === rejected[seam] && /\s/.test(chosen[seam])) seam++;
  return seam;
}

/**
 * The prompt ends with the last "\n\nAssistant:" that both texts share and the white space after it; prompt + answer is
 * the text as it was (Bai et al. 2022, arXiv 2204.05862, data layout).
 */
export const anthropic: PairFormat = {
  name: "hh (implicit prompt)",
  reads: `chosen, rejected; the prompt is their common prefix up to the last "Assistant:"`,
  fields: ["chosen", "rejected"],
  matches: (row) => !has(row, "prompt") && isText(row) && (row.chosen as string).includes(MARKER),
  convert: ([row]) => {
    const chosen = text(row, "chosen");
    const rejected = text(row, "rejected");
    const at = chosen.slice(0, commonLength(chosen, rejected)).lastIndexOf(MARKER);
    if (at < 0)
      throw new RowFault(
        "no_common_prompt",
        'expected chosen and rejected to share a prompt that ends with "Assistant:", got none',
      );
    const end = seamAfter(chosen, rejected, at + MARKER.length);
    const prompt = chosen.slice(0, end);
    const promptMessages = turns(prompt);
    const answers = [chosen.slice(end), rejected.slice(end)];
    const [chosenMessages, rejectedMessages] = answers.map((answer) =>
      promptMessages ? furtherTurns(answer) : undefined,
    );
    return [
      {
        ...commonFields(row),
        prompt,
        promptMessages,
        chosen: answers[0],
        rejected: answers[1],
        chosenMessages,
        rejectedMessages,
      },
    ];
  },
};

/** The common prefix up to its last white space, which it keeps; no word is cut. */
function splitPrefix(chosen: string, rejected: string): Pick<Draft, "prompt" | "chosen" | "rejected"> {
  // Equal texts share everything: the rule for identical answers has to see them whole.
  const shared = chosen === rejected ? "" : chosen.slice(0, commonLength(chosen, rejected));
  const end = shared.search(/\s\S*$/) + 1;
  return { prompt: shared.slice(0, end), chosen: chosen.slice(end), rejected: rejected.slice(end) };
}

/** No marker: the common prefix up to its last white space, so that no word is cut (TRL cuts it). May be empty. */
export const commonPrefix: PairFormat = {
  name: "implicit prompt",
  reads: "chosen, rejected; the prompt is their common prefix up to the last white space",
  fields: ["chosen", "rejected"],
  implicitPrompt: true,
  matches: (row) => isText(row) && !PROMPT_NAMES.some((field) => has(row, field)),
  convert: ([row]) => [{ ...commonFields(row), ...splitPrefix(text(row, "chosen"), text(row, "rejected")) }],
};

/** The rows that the stage-3 system trains on: prompt and answer in one text; label 1 (or none): the first is better. */
export const stage3: PairFormat = {
  name: "stage3",
  reads: "input_chosen, input_rejected, label; the prompt is their common prefix up to the last white space",
  fields: ["input_chosen", "input_rejected", "label"],
  implicitPrompt: true,
  matches: (row) => has(row, "input_chosen") && has(row, "input_rejected"),
  convert: ([row]) => {
    const texts = [text(row, "input_chosen"), text(row, "input_rejected")] as const;
    const label = optionalNumber(row, "label") ?? 1;
    if (label !== 0 && label !== 1)
      throw new RowFault("invalid_value", `label: expected 1 (input_chosen is better) or 0, got ${label}`);
    const [chosen, rejected] = label === 1 ? texts : [texts[1], texts[0]];
    return [{ ...commonFields(row), ...splitPrefix(chosen, rejected) }];
  },
};

const isText = (row: Row) => typeof row.chosen === "string" && typeof row.rejected === "string";
