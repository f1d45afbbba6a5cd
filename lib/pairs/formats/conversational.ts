// Conversational pairs: chosen and rejected as lists of messages; the prompt as a list, a text, or what both begin with.
import type { Row } from "../containers/row";
import { RowFault } from "../faults";
import { get, has } from "../fields";
import { type PairFormat, commonFields } from "./format";
import { answerText, commonTurns, isMessageList, promptText, readMessages } from "./messages";

const isMessage = (value: unknown) => isMessageList(Array.isArray(value) ? value : [value]);

/** The conversation before the answers, where the row names it by itself. */
function statedPrompt(row: Row) {
  for (const field of ["prompt", "messages", "conversations", "instruction", "question"]) {
    const value = get(row, field);
    if (isMessageList(value) && field !== "messages") return readMessages(value, field);
    // `messages` beside a text prompt repeats the chosen conversation (UltraFeedback binarised).
    if (isMessageList(value) && !isMessageList(row.chosen)) return readMessages(value, field);
    if (typeof value === "string" && value !== "") {
      const system = get(row, "system");
      const user = { role: "user", content: value };
      return typeof system === "string" && system ? [{ role: "system", content: system }, user] : [user];
    }
  }
  return undefined;
}

export const conversational: PairFormat = {
  name: "conversational",
  reads: "chosen, rejected as messages (+ prompt as messages or text)",
  matches: (row) => has(row, "chosen") && has(row, "rejected") && isMessage(row.chosen) && isMessage(row.rejected),
  convert: ([row]) => {
    for (const field of ["chosen", "rejected"])
      if (!has(row, field))
        throw new RowFault(
          "missing_field",
          `expected field "${field}", got only ${Object.keys(row).slice(0, 12).join(", ")}`,
        );
    let chosen = readMessages(row.chosen, "chosen");
    let rejected = readMessages(row.rejected, "rejected");
    const stated = statedPrompt(row);
    // The last message answers; everything both share before it is the prompt.
    const limit = Math.min(chosen.length, rejected.length) - 1;
    const shared = Math.max(0, Math.min(commonTurns(chosen, rejected), limit));
    const implicit = chosen.slice(0, shared);
    chosen = chosen.slice(shared);
    rejected = rejected.slice(shared);
    const repeats = stated !== undefined && implicit.length >= stated.length;
    const messages =
      implicit.length > 0 && (stated === undefined || repeats) ? implicit : [...(stated ?? []), ...implicit];
    if (messages.length === 0)
      throw new RowFault(
        "no_common_prompt",
        "expected a prompt, or conversations that begin with the same messages, got neither",
      );
    return [
      {
        ...commonFields(row),
        prompt: promptText(messages),
        promptMessages: messages,
        chosen: answerText(chosen),
        rejected: answerText(rejected),
      },
    ];
  },
};

/** ms-swift: the whole chosen conversation in `messages`, the other answer beside it. */
export const swift: PairFormat = {
  name: "ms-swift",
  reads: "messages (the last one is the chosen answer), rejected_response",
  matches: (row) => isMessageList(row.messages) && has(row, "rejected_response"),
  convert: ([row]) => {
    const messages = readMessages(row.messages, "messages");
    const rejected = get(row, "rejected_response");
    if (typeof rejected !== "string") throw new RowFault("wrong_type", "rejected_response: expected a string");
    if (messages.length < 2)
      throw new RowFault("missing_field", "messages: expected a prompt and an answer, got one message");
    const prompt = messages.slice(0, -1);
    return [
      {
        ...commonFields(row),
        prompt: promptText(prompt),
        promptMessages: prompt,
        chosen: messages.at(-1)!.content,
        rejected,
      },
    ];
  },
};
