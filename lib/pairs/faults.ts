// Why a row is not used: a fault of the file (an error), or one of the rules below (counted, listed, no error).

/** The row itself is wrong: the file needs mending, or `--skip-bad-rows`. */
export const FAULTS = [
  "malformed_json",
  "malformed_csv",
  "invalid_utf8",
  "not_an_object",
  "row_too_long",
  "nested_too_deep",
  "duplicate_key",
  "wrong_column_count",
  "missing_field",
  "wrong_type",
  "invalid_value",
  "no_common_prompt",
  "context_not_read",
  "unknown_role",
  "messages_as_text",
] as const;
/** The row is well formed and teaches nothing: it is left out by rule. */
export const RULES = [
  "empty_prompt",
  "empty_answer",
  "identical_answers",
  "tie",
  "gap_below_minimum",
  "single_answer",
  "unanswered",
  "unrated",
] as const;
export type Fault = (typeof FAULTS)[number];
export type Rule = (typeof RULES)[number];
export type Reason = Fault | Rule;

/** One row (or one pair of a row with several answers) that was not used. One line of `*_rejected_rows.jsonl`. */
export interface RejectedRow {
  /** 1-based line (JSONL, CSV) or row number (JSON list, Parquet). */
  readonly line: number;
  /** Line of the file where the row of a JSON list begins. */
  readonly fileLine?: number;
  readonly id?: string;
  readonly reason: Reason;
  readonly message: string;
}

/** Thrown while a row is read; the reader turns it into a RejectedRow. */
export class RowFault extends Error {
  constructor(
    readonly reason: Reason,
    message: string,
  ) {
    super(message);
  }
}

const faults: ReadonlySet<string> = new Set(FAULTS);
/** True where the reason is an error of the file, false where a rule left the row out. */
export const isFault = (reason: Reason): reason is Fault => faults.has(reason);

/** The type of a JSON value in words, for messages. */
export function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return (
    {
      string: "a string",
      number: "a number",
      boolean: "a boolean",
      object: "an object",
      bigint: "an integer",
      undefined: "nothing",
    }[typeof value as string] ?? typeof value
  );
}
