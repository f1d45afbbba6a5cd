// In: a stated prompt and two conversations that may repeat it. Out: what comes before the answers, once, and the answers.
import type { Message } from "../pair";
import type { Row } from "../containers/row";
import { RowFault, typeName } from "../faults";
import { get } from "../fields";
import type { Draft } from "./format";
import { isMessageList, promptText, readMessages } from "./messages";

/** Fields that hold a system prompt of their own. */
export const SYSTEM_FIELDS = ["system", "system_prompt", "system_message"] as const;
/** Fields that come before a question. */
export const LEADING_FIELDS = [...SYSTEM_FIELDS, "history"] as const;

const same = (a: Message, b: Message): boolean => a.role === b.role && a.content.trim() === b.content.trim();
const startsWith = (whole: readonly Message[], part: readonly Message[], at = 0): boolean =>
  at + part.length <= whole.length && part.every((message, i) => same(message, whole[at + i]));

/** How many messages both conversations begin with. */
export function commonTurns(a: readonly Message[], b: readonly Message[]): number {
  let n = 0;
  while (n < a.length && n < b.length && same(a[n], b[n])) n++;
  return n;
}

/**
 * A conversation after the stated prompt, and the prompt with what stands before its repetition.
 *
 * The conversation repeats the prompt where its first messages are the prompt's last ones, or where it begins as a
 * conversation does and holds the whole prompt further on. Nothing is told from lengths.
 */
function afterPrompt(prompt: readonly Message[], whole: readonly Message[]): { prompt: Message[]; rest: Message[] } {
  for (let shared = Math.min(prompt.length, whole.length - 1); shared > 0; shared--)
    if (startsWith(whole, prompt.slice(prompt.length - shared)))
      return { prompt: [...prompt], rest: whole.slice(shared) };
  const opens = whole[0]?.role === "system" || whole[0]?.role === "user";
  for (let at = 1; opens && prompt.length > 0 && at + prompt.length < whole.length; at++)
    if (startsWith(whole, prompt, at))
      return { prompt: whole.slice(0, at + prompt.length), rest: whole.slice(at + prompt.length) };
  return { prompt: [...prompt], rest: [...whole] };
}

/** A prompt and the two answers to it, as messages. */
export interface Conversation {
  readonly prompt: Message[];
  readonly chosen: Message[];
  readonly rejected: Message[];
}

/** @throws RowFault where there is no common prompt, or the conversations disagree about it */
export function joinConversation(
  stated: readonly Message[],
  chosen: readonly Message[],
  rejected: readonly Message[],
): Conversation {
  const [a, b] = [afterPrompt(stated, chosen), afterPrompt(stated, rejected)];
  if (a.prompt.length !== b.prompt.length || !startsWith(a.prompt, b.prompt))
    throw new RowFault(
      "no_common_prompt",
      "expected chosen and rejected to say the same before the prompt, got different messages there",
    );
  // The last message answers; everything both share before it is the prompt.
  const shared = Math.max(0, Math.min(commonTurns(a.rest, b.rest), a.rest.length - 1, b.rest.length - 1));
  const joined = {
    prompt: [...a.prompt, ...a.rest.slice(0, shared)],
    chosen: a.rest.slice(shared),
    rejected: b.rest.slice(shared),
  };
  if (joined.prompt.length === 0)
    throw new RowFault(
      "no_common_prompt",
      "expected a prompt, or conversations that begin with the same messages, got neither",
    );
  for (const field of ["chosen", "rejected"] as const) refuseStray(joined[field], joined.prompt, field);
  return joined;
}

/** An answer that opens with a question of its own, or brings another system prompt, answers something else. */
function refuseStray(answer: readonly Message[], prompt: readonly Message[], field: string): void {
  const system = answer.find(({ role }) => role === "system" || role === "developer");
  const opening = answer[0]?.role;
  const stray = system?.role ?? (opening === "user" ? opening : undefined);
  if (stray === undefined) return;
  const where = prompt.length > 0 ? "the prompt" : "the other answer";
  throw new RowFault(
    "no_common_prompt",
    `${field}: expected an answer after the messages of ${where}, got a ${stray} message that is not among them; ` +
      "let prompt, chosen and rejected be of one conversation",
  );
}

/** System prompt and earlier turns of a row's own fields. */
export function leadingMessages(row: Row): Message[] {
  const system = SYSTEM_FIELDS.map((field) => [field, get(row, field)] as const).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  const texts = system.map(([field, value]) => {
    if (typeof value === "string") return value;
    throw new RowFault("wrong_type", `${field}: expected a string, got ${typeName(value)}`);
  });
  if (new Set(texts).size > 1)
    throw new RowFault(
      "invalid_value",
      `expected one system prompt, got two in ${system.map(([field]) => field).join(" and ")}; remove one`,
    );
  return [...texts.slice(0, 1).map((content) => ({ role: "system", content })), ...historyOf(get(row, "history"))];
}

/** `[[question, answer], …]` (LLaMA-Factory, ms-swift) or messages. */
function historyOf(history: unknown): Message[] {
  if (history === undefined || history === null || history === "") return [];
  if (!Array.isArray(history))
    throw new RowFault("wrong_type", `history: expected a list of [question, answer], got ${typeName(history)}`);
  if (isMessageList(history)) return readMessages(history, "history");
  return history.flatMap((turn: unknown, i) => {
    if (!Array.isArray(turn) || turn.length !== 2 || turn.some((text) => typeof text !== "string"))
      throw new RowFault(
        "wrong_type",
        `history[${i}]: expected [question, answer] of two texts, got ${Array.isArray(turn) ? "another list" : typeName(turn)}`,
      );
    const [question, answer] = turn as [string, string];
    return [
      { role: "user", content: question },
      { role: "assistant", content: answer },
    ];
  });
}

/** Puts system prompt and earlier turns before a conversation that may begin with them already. */
export function withLead(lead: readonly Message[], messages: readonly Message[]): Message[] {
  if (lead.length === 0 || startsWith(messages, lead)) return [...messages];
  if (lead[0].role === "system" && messages[0]?.role === "system") {
    if (!same(lead[0], messages[0]))
      throw new RowFault(
        "invalid_value",
        "expected one system prompt, got one in a field of its own and another in the conversation; remove one",
      );
    return [messages[0], ...withLead(lead.slice(1), messages.slice(1))];
  }
  return [...lead, ...messages];
}

/** A question as text, with system prompt and earlier turns before it where the row has them. */
export function promptOf(row: Row, question: string): Pick<Draft, "prompt" | "promptMessages"> {
  const lead = leadingMessages(row);
  if (lead.length === 0) return { prompt: question };
  const promptMessages = [...lead, { role: "user", content: question }];
  return { prompt: promptText(promptMessages), promptMessages };
}
