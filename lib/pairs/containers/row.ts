// What every container (JSON lines, JSON list, CSV, Parquet) yields: numbered rows, or the fault of one.
import { isUtf8 } from "node:buffer";
import { type Fault, RowFault, typeName } from "../faults";

export type Row = Readonly<Record<string, unknown>>;

/** One row of a file: its fields, or what is wrong with it. */
export interface RawRow {
  /** 1-based line (JSONL, CSV) or row number (JSON list, Parquet). */
  readonly line: number;
  /** Line of the file where the row begins, when that is not `line`. */
  readonly fileLine?: number;
  readonly value?: Row;
  readonly fault?: { readonly reason: Fault; readonly message: string };
}

/** Longest row in bytes: beyond it a file is broken (a missing line end), not rich. */
export const MAX_ROW_BYTES = 1 << 26;
const MAX_DEPTH = 64;

/** Depth check without recursion: a hostile row must not overflow the stack of whoever writes it out again. */
function tooDeep(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) return true;
    const next: unknown[] = [];
    for (const item of level)
      for (const child of Object.values(item as object))
        if (typeof child === "object" && child !== null) next.push(child);
    level = next;
  }
  return false;
}

/** Keys of the outermost object of a JSON text that is known to parse. */
function outerKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "{" || c === "[") depth++;
    else if (c === "}" || c === "]") depth--;
    else if (c === '"') {
      const start = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === "\\") i++;
      if (depth !== 1) continue;
      let next = i + 1;
      while (next < text.length && " \t\r\n".includes(text[next])) next++;
      if (text[next] === ":") keys.push(JSON.parse(text.slice(start, i + 1)) as string);
    }
  }
  return keys;
}

/** JSON.parse keeps the last of two equal keys and says nothing: look for a second one. */
function duplicateKey(text: string, value: Row): string | undefined {
  const suspect = Object.keys(value).some((key) => {
    const quoted = JSON.stringify(key);
    return text.indexOf(quoted, text.indexOf(quoted) + 1) >= 0;
  });
  if (!suspect) return undefined;
  const seen = new Set<string>();
  return outerKeys(text).find((key) => seen.size === seen.add(key).size);
}

/** An object that is not too deep, or a RowFault. */
export function checkObject(value: unknown): Row {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RowFault("not_an_object", `expected an object with fields, got ${typeName(value)}`);
  if (tooDeep(value))
    throw new RowFault("nested_too_deep", `expected at most ${MAX_DEPTH} levels of nesting, got more`);
  return value as Row;
}

/** One JSON object out of its bytes; throws RowFault. */
export function parseRow(bytes: Buffer): Row {
  if (!isUtf8(bytes))
    throw new RowFault("invalid_utf8", "expected UTF-8, got bytes that are not; save the file as UTF-8");
  const text = bytes.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RowFault("malformed_json", `expected a JSON object, got malformed JSON (${shortReason(error)})`);
  }
  const row = checkObject(value);
  const twice = duplicateKey(text, row);
  if (twice !== undefined)
    throw new RowFault("duplicate_key", `expected each field once, got ${JSON.stringify(twice)} twice`);
  return row;
}

/** V8 quotes up to the whole text in its message: keep the part that helps. */
function shortReason(error: unknown): string {
  const message = (error as Error).message.replace(/, ?(\.\.\.)?".*$/s, "").replace(/ in JSON/, "");
  return message.length > 120 ? `${message.slice(0, 120)}…` : message;
}

/** Runs a parser and turns its RowFault into a row. */
export function guardRow(line: number, parse: () => Row, fileLine?: number): RawRow {
  try {
    return { line, fileLine, value: parse() };
  } catch (error) {
    if (!(error instanceof RowFault)) throw error;
    return { line, fileLine, fault: { reason: error.reason as Fault, message: error.message } };
  }
}
