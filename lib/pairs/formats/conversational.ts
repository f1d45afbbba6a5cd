// Conversational pairs: chosen and rejected as lists of messages; the prompt as a list, a text, or what both begin with.
import type { Row } from "../containers/row";
import { RowFault, typeName } from "../faults";
import { get, has, text } from "../fields";
import type { Message } from "../pair";
import { type Conversation, LEADING_FIELDS, joinConversation, leadingMessages, withLead } from "./conversation";
import { type Draft, type PairFormat, commonFields } from "./format";
import { answerText, answerTurns, isMessageList, promptText, readMessages } from "./messages";

const isMessage = (value: unknown) => isMessageList(Array.isArray(value) ? value : [value]);
const PROMPT_FIELDS = ["prompt", "messages", "conversations", "conversation", "instruction", "question", "query"];

/** The conversation before the answers, where the row names it by itself. */
function statedPrompt(row: Row): Message[] {
  for (const field of PROMPT_FIELDS) {
    const value = get(row, field);
    if (isMessageList(value)) {
      const messages = readMessages(value, field);
      // `messages` may repeat one of the answers' conversations (UltraFeedback binarised): it states no prompt then.
      if (!repeats(messages, row.chosen, "chosen") && !repeats(messages, row.rejected, "rejected")) return messages;
    } else if (typeof value === "string" && value !== "") return [{ role: "user", content: value }];
  }
  return [];
}

function repeats(messages: readonly Message[], answer: unknown, field: string): boolean {
  const other = Array.isArray(answer) ? readMessages(answer, field) : [];
  return other.length === messages.length && other.every(({ content }, i) => content === messages[i].content);
}

/** The draft of a conversation with two answers. */
export function conversationDraft(row: Row, { prompt, chosen, rejected }: Conversation): Draft {
  return {
    ...commonFields(row),
    prompt: promptText(prompt),
    promptMessages: prompt,
    chosen: answerText(chosen),
    rejected: answerText(rejected),
    chosenMessages: answerTurns(chosen),
    rejectedMessages: answerTurns(rejected),
  };
}

export const conversational: PairFormat = {
  name: "conversational",
  reads: "chosen, rejected as messages (+ prompt as messages or text)",
  fields: [...PROMPT_FIELDS, "chosen", "rejected", ...LEADING_FIELDS],
  matches: (row) => has(row, "chosen") && has(row, "rejected") && isMessage(row.chosen) && isMessage(row.rejected),
  convert: ([row]) => {
    for (const field of ["chosen", "rejected"])
      if (!has(row, field))
        throw new RowFault(
          "missing_field",
          `expected field "${field}", got only ${Object.keys(row).slice(0, 12).join(", ")}`,
        );
    const [stated, lead] = [statedPrompt(row), leadingMessages(row)];
    const joined = joinConversation(
      stated.length > 0 ? withLead(lead, stated) : [],
      readMessages(row.chosen, "chosen"),
      readMessages(row.rejected, "rejected"),
    );
    return [conversationDraft(row, stated.length > 0 ? joined : { ...joined, prompt: withLead(lead, joined.prompt) })];
  },
};

/** ms-swift: the whole chosen conversation in `messages` (before version 3: `query`, `response`), the other answer beside it. */
export const swift: PairFormat = {
  name: "ms-swift",
  reads: "messages (the last one is the chosen answer) or query, response; rejected_response or rejected_messages",
  fields: ["messages", "query", "response", "rejected_response", "rejected_messages", ...LEADING_FIELDS],
  matches: (row) =>
    (isMessageList(row.messages) || (has(row, "query") && has(row, "response"))) &&
    (has(row, "rejected_response") || has(row, "rejected_messages")),
  convert: ([row]) => {
    const own = has(row, "messages")
      ? readMessages(row.messages, "messages")
      : [
          { role: "user", content: text(row, "query") },
          { role: "assistant", content: text(row, "response") },
        ];
    const messages = withLead(leadingMessages(row), own);
    if (messages.length < 2)
      throw new RowFault("missing_field", "messages: expected a prompt and an answer, got one message");
    const prompt = messages.slice(0, -1);
    const other = rejectedMessages(row, prompt);
    return [conversationDraft(row, joinConversation([], messages, other))];
  },
};

/** The rejected conversation, prompt included. */
function rejectedMessages(row: Row, prompt: readonly Message[]): Message[] {
  const rejected = get(row, "rejected_response");
  const stated = get(row, "rejected_messages");
  if (Array.isArray(stated) && stated.length > 0) {
    const messages = readMessages(stated, "rejected_messages");
    const whole = messages.every(({ role }) => role === "assistant") ? [...prompt, ...messages] : messages;
    return prompt[0].role === "system" && whole[0].role !== "system" ? [prompt[0], ...whole] : whole;
  }
  if (typeof rejected === "string") return [...prompt, { role: "assistant", content: rejected }];
  throw new RowFault("wrong_type", `rejected_response: expected a string, got ${typeName(rejected)}`);
}
