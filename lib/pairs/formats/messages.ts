// Messages: lists of {role, content}, as chat formats hold them, and the plain text they stand for.
import type { Message } from "../pair";
import { RowFault, typeName } from "../faults";

const ROLES: Readonly<Record<string, string>> = {
  human: "user",
  gpt: "assistant",
  bot: "assistant",
  chatgpt: "assistant",
};

/** Content as text, also where it is a list of text parts. */
function contentText(content: unknown, where: string): string {
  if (typeof content === "string") return content;
  if (Array.isArray(content))
    return content
      .map((part: unknown) => {
        const text = typeof part === "object" && part !== null ? (part as { text?: unknown }).text : part;
        if (typeof text !== "string")
          throw new RowFault("wrong_type", `${where}: expected text parts, got ${typeName(part)} without text`);
        return text;
      })
      .join("");
  throw new RowFault("wrong_type", `${where}: expected a string, got ${typeName(content)}`);
}

/** Reads `[{role, content}]` (also ShareGPT's `{from, value}`); throws RowFault. */
export function readMessages(value: unknown, field: string): Message[] {
  const items = Array.isArray(value) ? value : [value];
  return items.map((item: unknown, i) => {
    const where = `${field}[${i}]`;
    if (typeof item !== "object" || item === null || Array.isArray(item))
      throw new RowFault("wrong_type", `${where}: expected an object with role and content, got ${typeName(item)}`);
    const { role = (item as { from?: unknown }).from, content = (item as { value?: unknown }).value } = item as {
      role?: unknown;
      content?: unknown;
    };
    if (role === undefined || content === undefined)
      throw new RowFault(
        "missing_field",
        `${where}: expected role and content, got only ${Object.keys(item).slice(0, 8).join(", ") || "none"}`,
      );
    if (typeof role !== "string")
      throw new RowFault("wrong_type", `${where}.role: expected a string, got ${typeName(role)}`);
    return { role: ROLES[role.toLowerCase()] ?? role, content: contentText(content, `${where}.content`) };
  });
}

const title = (role: string) => role.slice(0, 1).toUpperCase() + role.slice(1);

/** One user message is its own text; a longer conversation names who speaks. */
export function promptText(messages: readonly Message[]): string {
  if (messages.length === 1 && messages[0].role === "user") return messages[0].content;
  return messages.map(({ role, content }) => `${title(role)}: ${content}`).join("\n\n");
}

/** What follows the prompt: mostly one assistant message; tool calls and further turns are named. */
export function answerText(messages: readonly Message[]): string {
  if (messages.every(({ role }) => role === "assistant")) return messages.map(({ content }) => content).join("\n\n");
  return messages
    .map(({ role, content }) => (role === "assistant" ? content : `${title(role)}: ${content}`))
    .join("\n\n");
}

const same = (a: Message, b: Message) => a.role === b.role && a.content === b.content;

/** How many messages both conversations begin with. */
export function commonTurns(a: readonly Message[], b: readonly Message[]): number {
  let n = 0;
  while (n < a.length && n < b.length && same(a[n], b[n])) n++;
  return n;
}

export const isMessageList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  typeof value[0] === "object" &&
  value[0] !== null &&
  ("role" in (value[0] as object) || "from" in (value[0] as object));
