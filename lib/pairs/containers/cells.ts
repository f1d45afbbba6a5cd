// In: the text of a table cell and its column. Out: the list or object it stands for, or the text itself.
import { parseJson } from "./jsonKeys";

/** Columns that never hold a text of their own: what begins like JSON in them is JSON. */
const NESTED = new Set([
  "preferred_answer",
  "rejected_answer",
  "completions",
  "messages",
  "rejected_messages",
  "conversations",
  "history",
  "responses",
  "fields",
  "annotations",
  "replies",
  "individual_preference",
]);
/** Columns whose list is a list of texts. */
const TEXT_LISTS = new Set(["output"]);

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isMessage = (value: unknown): boolean =>
  isObject(value) && ("role" in value || "from" in value) && ("content" in value || "value" in value);

/**
 * An answer that happens to be JSON (`{"a": 1}`, `[1, 2]`) stays text; a list of messages, or one message, does not.
 *
 * @throws RowFault when nested JSON repeats a key
 */
export function nestedCell(column: string, text: string): unknown {
  const first = text.trimStart()[0];
  if (first !== "[" && first !== "{") return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text;
  }
  const nested =
    NESTED.has(column) ||
    isMessage(value) ||
    (Array.isArray(value) &&
      value.length > 0 &&
      (value.every(isMessage) || (TEXT_LISTS.has(column) && value.every((item) => typeof item === "string"))));
  return nested ? parseJson(text) : text;
}
