// What every container (JSON lines, JSON list, CSV, Parquet) yields: numbered rows, or the fault of one.
import { isUtf8 } from "node:buffer";
import { type Fault, RowFault, typeName } from "../faults";
import { parseJson } from "./jsonKeys";

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

/** An object that is not too deep, or a RowFault. */
export function checkObject(value: unknown): Row {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RowFault("not_an_object", `expected an object with fields, got ${typeName(value)}`);
  if (tooDeep(value))
    throw new RowFault("nested_too_deep", `expected at most ${MAX_DEPTH} levels of nesting, got more`);
  return value as Row;
}

/** The escape of a half of a surrogate pair, maybe beside its other half. */
const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;

/** Half of a surrogate pair cannot be written as UTF-8: in every text of a row it becomes U+FFFD here, once. */
function wellFormed(value: unknown): unknown {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, wellFormed(item)]));
}

/** One JSON object out of its bytes; throws RowFault. */
export function parseRow(bytes: Buffer): Row {
  if (!isUtf8(bytes))
    throw new RowFault("invalid_utf8", "expected UTF-8, got bytes that are not; save the file as UTF-8");
  const text = bytes.toString("utf8");
  try {
    const row = checkObject(parseJson(text));
    return SURROGATE_ESCAPE.test(text) ? (wellFormed(row) as Row) : row;
  } catch (error) {
    if (error instanceof RowFault) throw error;
    throw new RowFault("malformed_json", `expected a JSON object, got malformed JSON (${shortReason(error)})`);
  }
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
