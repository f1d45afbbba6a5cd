// Messages: lists of {role, content}, as chat formats hold them, and the plain text they stand for.
import type { Message } from "../pair";
import { RowFault, typeName } from "../faults";
import { isEmpty, isMessageContext } from "../context";
import { get } from "../fields";
import type { Row } from "../containers/row";

/** Other names of the roles. */
const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  prompter: "user",
  gpt: "assistant",
  bot: "assistant",
  chatgpt: "assistant",
  model: "assistant",
};
const KNOWN_ROLES: ReadonlySet<string> = new Set(["system", "developer", "user", "assistant", "tool"]);
const TEXT_PARTS: ReadonlySet<unknown> = new Set([undefined, null, "text", "input_text", "output_text"]);

/** Content as text, also where it is a list of text parts. */
function contentText(content: unknown, where: string): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content))
    return content
      .map((part: unknown, i) => {
        if (typeof part === "string") return part;
        const { text, type } = (part ?? {}) as { text?: unknown; type?: unknown };
        if (typeof text === "string" && TEXT_PARTS.has(type)) return text;
        const got = typeof type === "string" ? `type ${JSON.stringify(type)}` : `${typeName(part)} without text`;
        throw new RowFault("wrong_type", `${where}[${i}]: expected a text part, got ${got}; only text is read`);
      })
      .join("");
  throw new RowFault("wrong_type", `${where}: expected a string, got ${typeName(content)}`);
}

/** A message's role by its usual name. */
function roleOf(role: unknown, where: string): string {
  if (typeof role !== "string")
    throw new RowFault("wrong_type", `${where}.role: expected a string, got ${typeName(role)}`);
  const name = ROLES[role.toLowerCase()] ?? role.toLowerCase();
  if (KNOWN_ROLES.has(name)) return name;
  throw new RowFault(
    "unknown_role",
    `${where}.role: expected ${[...KNOWN_ROLES].join(", ")} (or human, gpt), got ${JSON.stringify(role.slice(0, 40))}; ` +
      "write what it says as a message of one of these roles",
  );
}

/** A call of a tool, an image, a thought: what the model would read and no text says. */
export function refuseContext(item: Row, where: string): void {
  const field = Object.keys(item).find((key) => isMessageContext(key) && !isEmpty(item[key]));
  if (field !== undefined)
    throw new RowFault(
      "context_not_read",
      `${where}.${field}: expected a message of text alone, got ${typeName(item[field])} that is not read; ` +
        `write it into the content, or pass --ignore-fields ${field} to go on without it`,
    );
}

/** Reads `[{role, content}]` (also ShareGPT's `{from, value}`); throws RowFault. */
export function readMessages(value: unknown, field: string): Message[] {
  const items = Array.isArray(value) ? value : [value];
  return items.map((item: unknown, i) => {
    const where = `${field}[${i}]`;
    if (typeof item !== "object" || item === null || Array.isArray(item))
      throw new RowFault("wrong_type", `${where}: expected an object with role and content, got ${typeName(item)}`);
    const message = item as Row;
    refuseContext(message, where);
    const role = get(message, "role") ?? get(message, "from");
    const content = get(message, "content") ?? get(message, "value") ?? get(message, "content");
    if (role === undefined || content === undefined)
      throw new RowFault(
        "missing_field",
        `${where}: expected role and content, got only ${Object.keys(item).slice(0, 8).join(", ") || "none"}`,
      );
    return { role: roleOf(role, where), content: contentText(content, `${where}.content`) };
  });
}

const title = (role: string) => role.slice(0, 1).toUpperCase() + role.slice(1);

/** One user message is its own text; a longer conversation names who speaks. */
export function promptText(messages: readonly Message[]): string {
  if (messages.length === 1 && messages[0].role === "user") return messages[0].content;
  return messages.map(({ role, content }) => `${title(role)}: ${content}`).join("\n\n");
}

/** What follows the prompt: mostly one assistant message; further turns are named. */
export function answerText(messages: readonly Message[]): string {
  if (messages.every(({ role }) => role === "assistant")) return messages.map(({ content }) => content).join("\n\n");
  return messages
    .map(({ role, content }) => (role === "assistant" ? content : `${title(role)}: ${content}`))
    .join("\n\n");
}

/** One assistant message is its text; anything else stays a list, for a chat template. */
export const answerTurns = (messages: readonly Message[]): readonly Message[] | undefined =>
  messages.length === 1 && messages[0].role === "assistant" ? undefined : messages;

/** An answer given as messages: its text, and its turns where it is more than one assistant message. */
export function readAnswer(value: unknown, where: string): { text: string; messages?: readonly Message[] } {
  const messages = readMessages(value, where);
  if (messages.length === 0) throw new RowFault("wrong_type", `${where}: expected one message or more, got none`);
  const [text, turns] = [answerText(messages), answerTurns(messages)];
  return turns ? { text, messages: turns } : { text };
}

export const isMessageList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  typeof value[0] === "object" &&
  value[0] !== null &&
  ("role" in (value[0] as object) || "from" in (value[0] as object));
