// In: a file of {prompt, response} rows. Out: the rows, or null where the file holds preference pairs instead.
import { InputError } from "../errors";
import type { RawRow } from "./containers/row";
import { RowFault } from "./faults";
import { has, text } from "./fields";
import { type Asked, askedFields, readAsked } from "./formats/asked";
import { ignoredFields, withoutFields } from "./context";
import { openRows } from "./rows";

/** One answer to score, with the row it came from. */
export interface ResponseRow extends Asked {
  readonly response: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface Responses {
  readonly rows: readonly ResponseRow[];
  /** Rows left out because they are at fault, each `file:line: why`. */
  readonly faults: readonly string[];
}

const LISTED = 10;

/**
 * Reads rows of one prompt and one answer each.
 *
 * @returns null when the first sound row has no `response`: a file of pairs
 * @throws InputError listing the rows at fault, unless they are to be skipped
 */
export async function readResponses(
  path: string,
  options: { readonly skip_bad_rows?: boolean; readonly ignore_fields?: string } = {},
): Promise<Responses | null> {
  const { batches } = await openRows(path);
  const rows: ResponseRow[] = [];
  const faults: string[] = [];
  const ignored = ignoredFields(options.ignore_fields);
  let decided = false;
  for await (const batch of batches) {
    for (const raw of batch) {
      if (!decided && raw.value) {
        if (!has(raw.value, "response") || has(raw.value, "chosen")) return null;
        decided = true;
      }
      try {
        rows.push(responseOf(raw, ignored));
      } catch (error) {
        if (!(error instanceof RowFault)) throw error;
        faults.push(`${path}:${raw.fileLine ?? raw.line}: ${error.message}`);
      }
    }
  }
  if (!decided) return null;
  if (faults.length > 0 && !options.skip_bad_rows) {
    const more = faults.length > LISTED ? `\n  … and ${faults.length - LISTED} more` : "";
    throw new InputError(
      `${path}: ${faults.length} of ${faults.length + rows.length} rows are at fault; mend them, or pass --skip-bad-rows to go on without them\n` +
        faults
          .slice(0, LISTED)
          .map((fault) => `  ${fault}`)
          .join("\n") +
        more,
    );
  }
  return { rows, faults };
}

const FIELDS = askedFields(["response", "id", "score"]);

function responseOf({ value, fault }: RawRow, ignored: ReadonlySet<string>): ResponseRow {
  if (!value) throw new RowFault(fault!.reason, fault!.message);
  const row = withoutFields(value, ignored);
  const response = text(row, "response");
  return { ...readAsked(row, FIELDS, [response]), response, raw: value };
}
