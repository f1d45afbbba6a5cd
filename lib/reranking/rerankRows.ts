// In: a file of prompts with several candidate answers each. Out: the rows, checked.
import { InputError } from "../errors";
import type { RawRow } from "../pairs/containers/row";
import { RowFault, typeName } from "../pairs/faults";
import { get, list } from "../pairs/fields";
import { ignoredFields, withoutFields } from "../pairs/context";
import { type Asked, askedFields, readAsked } from "../pairs/formats/asked";
import { openRows } from "../pairs/rows";

export interface Candidate {
  readonly text: string;
  /** Known quality, any scale, higher is better; null where the row gives none. */
  readonly quality: number | null;
}

/** One prompt with two candidate answers or more. */
export interface RerankRow extends Asked {
  /** Line (JSONL) or row number in the file. */
  readonly line: number;
  readonly candidates: readonly Candidate[];
  /** Index of the best candidate, from 0; null where the row does not say. */
  readonly best: number | null;
}

export interface RerankRows {
  readonly rows: readonly RerankRow[];
  /** Rows left out because they are at fault, each `file:line: why`. */
  readonly faults: readonly string[];
}

const LISTED = 10;

/**
 * Reads rows `{prompt, candidates: [text… or {text, quality}], best?: index}`.
 *
 * @throws InputError listing the rows at fault by line, unless they are to be skipped, or when no row is left
 */
export async function readRerankRows(
  path: string,
  options: { readonly skip_bad_rows?: boolean; readonly ignore_fields?: string } = {},
): Promise<RerankRows> {
  const { batches } = await openRows(path);
  const rows: RerankRow[] = [];
  const faults: string[] = [];
  const ignored = ignoredFields(options.ignore_fields);
  for await (const batch of batches) {
    for (const raw of batch) {
      try {
        rows.push(rerankRow(raw, ignored));
      } catch (error) {
        if (!(error instanceof RowFault)) throw error;
        faults.push(`${path}:${raw.fileLine ?? raw.line}: ${error.message}`);
      }
    }
  }
  if (faults.length > 0 && (!options.skip_bad_rows || rows.length === 0)) {
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
  if (rows.length === 0) {
    throw new InputError(`${path}: expected rows {prompt, candidates}, got an empty file; write one prompt a line`);
  }
  return { rows, faults };
}

const FIELDS = askedFields(["candidates", "best", "id", "question_id"]);

function rerankRow({ value: row, fault, line }: RawRow, ignored: ReadonlySet<string>): RerankRow {
  if (!row) throw new RowFault(fault!.reason, fault!.message);
  const value = withoutFields(row, ignored);
  const given = list(value, "candidates");
  if (given.length < 2)
    throw new RowFault("invalid_value", `candidates: expected two answers or more, got ${given.length}`);
  const candidates = given.map(candidate);
  const rated = candidates.filter(({ quality }) => quality !== null).length;
  if (rated !== 0 && rated !== candidates.length) {
    throw new RowFault(
      "missing_field",
      `candidates: expected a quality for all ${candidates.length} or for none, got ${rated}`,
    );
  }
  const texts = candidates.map(({ text }) => text);
  return {
    line,
    ...readAsked(value, FIELDS, texts),
    candidates,
    best: bestIndex(get(value, "best"), candidates.length),
  };
}

function candidate(item: unknown, index: number): Candidate {
  const where = `candidates[${index}]`;
  if (typeof item === "string") return { text: item, quality: null };
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw new RowFault("wrong_type", `${where}: expected a string or {text, quality}, got ${typeName(item)}`);
  }
  const { text: answer, quality } = item as Record<string, unknown>;
  if (typeof answer !== "string")
    throw new RowFault("wrong_type", `${where}.text: expected a string, got ${typeName(answer)}`);
  if (quality === undefined || quality === null) return { text: answer, quality: null };
  if (typeof quality !== "number" || !Number.isFinite(quality)) {
    throw new RowFault("wrong_type", `${where}.quality: expected a finite number, got ${typeName(quality)}`);
  }
  return { text: answer, quality };
}

function bestIndex(best: unknown, candidates: number): number | null {
  if (best === undefined || best === null) return null;
  if (typeof best === "number" && Number.isInteger(best) && best >= 0 && best < candidates) return best;
  const got = typeof best === "number" ? best : typeName(best);
  throw new RowFault(
    "invalid_value",
    `best: expected the index of a candidate from 0 to ${candidates - 1}, got ${got}`,
  );
}
