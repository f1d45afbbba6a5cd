// Pairs whose prompt is what both answers begin with: Anthropic HH, and texts without any marker.
import type { Message } from "../pair";
import { RowFault } from "../faults";
import { has, text } from "../fields";
import type { Row } from "../containers/row";
import { type PairFormat, commonFields } from "./format";

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

/** The prompt ends with the last "\n\nAssistant:" that both texts share (Bai et al. 2022, arXiv 2204.05862, data layout). */
export const anthropic: PairFormat = {
  name: "hh (implicit prompt)",
  reads: `chosen, rejected; the prompt is their common prefix up to the last "Assistant:"`,
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
    const end = at + MARKER.length;
    const prompt = chosen.slice(0, end).trim();
    return [
      {
        ...commonFields(row),
        prompt,
        promptMessages: turns(prompt),
        chosen: chosen.slice(end).trim(),
        rejected: rejected.slice(end).trim(),
      },
    ];
  },
};

/** No marker: the common prefix up to its last white space, so that no word is cut (TRL cuts it). May be empty. */
export const commonPrefix: PairFormat = {
  name: "implicit prompt",
  reads: "chosen, rejected; the prompt is their common prefix up to the last white space",
  matches: (row) => !has(row, "prompt") && !has(row, "question") && !has(row, "instruction") && isText(row),
  convert: ([row]) => {
    const chosen = text(row, "chosen");
    const rejected = text(row, "rejected");
    // Equal texts share everything: the rule for identical answers has to see them whole.
    const shared = chosen === rejected ? "" : chosen.slice(0, commonLength(chosen, rejected));
    const end = shared.search(/\s\S*$/) + 1;
    return [
      {
        ...commonFields(row),
        prompt: shared.slice(0, end).trim(),
        chosen: chosen.slice(end),
        rejected: rejected.slice(end),
      },
    ];
  },
};

const isText = (row: Row) => typeof row.chosen === "string" && typeof row.rejected === "string";
