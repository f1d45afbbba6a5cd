// In: bytes of a CSV (or TSV) file with a header line. Out: rows; cells that hold JSON lists or objects are parsed.
import { isUtf8 } from "node:buffer";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { InputError } from "../../errors";
import { RowFault } from "../faults";
import { MAX_ROW_BYTES, type RawRow, type Row, checkObject, guardRow } from "./row";

const BATCH = 256;

/** csv-parse reads latin1, one character a byte, so that each cell's UTF-8 can be checked by itself. */
function decodeCell(cell: string, column: string): string {
  const bytes = Buffer.from(cell, "latin1");
  if (!isUtf8(bytes))
    throw new RowFault("invalid_utf8", `${column}: expected UTF-8, got bytes that are not; save the file as UTF-8`);
  return bytes.toString("utf8");
}

/** `[{"role": …}]` and `{"answer_text": …}` in a cell are what a table export makes of nested fields. */
function parseCell(text: string): unknown {
  const first = text[0];
  if (first !== "[" && first !== "{") return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : text;
  } catch {
    return text;
  }
}

/** Columns such as `preferred_answer.score` (pandas' json_normalize) become nested fields again. */
function toRow(columns: readonly string[], cells: readonly string[]): Row {
  if (cells.length !== columns.length)
    throw new RowFault(
      "wrong_column_count",
      `expected ${columns.length} columns, got ${cells.length}; quote cells that hold commas or line ends`,
    );
  const row: Record<string, unknown> = Object.create(null);
  columns.forEach((column, i) => {
    const text = decodeCell(cells[i], column);
    const value = text === "" ? undefined : parseCell(text);
    const dot = column.indexOf(".");
    const outer = dot > 0 ? column.slice(0, dot) : "";
    if (outer !== "preferred_answer" && outer !== "rejected_answer") {
      // An empty answer is an empty text; an empty number is no number.
      row[column] = value ?? "";
      return;
    }
    const nested = (row[outer] ??= Object.create(null)) as Record<string, unknown>;
    nested[column.slice(dot + 1)] = value ?? "";
  });
  return checkObject({ ...row });
}

/** @throws InputError when quotes do not match or the header is missing or repeats a column. */
export async function* readCsv(
  bytes: AsyncIterable<Buffer>,
  path: string,
  delimiter: string,
): AsyncGenerator<RawRow[]> {
  const parser = Readable.from(withoutMark(bytes)).pipe(
    parse({
      encoding: "latin1",
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_ROW_BYTES,
    }),
  );
  let columns: string[] | undefined;
  let line = 1;
  let batch: RawRow[] = [];
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (!columns) columns = header(record, path);
      else {
        const known = columns;
        batch.push(guardRow(line, () => toRow(known, record)));
      }
      line = info.lines + 1;
      if (batch.length >= BATCH) {
        yield batch;
        batch = [];
      }
    }
  } catch (error) {
    const fault = error as Error & { code?: string; lines?: number };
    if (!fault.code?.startsWith("CSV_")) throw error;
    throw new InputError(
      `${path}:${fault.lines ?? line}: malformed CSV (${fault.message}); quote cells that hold quotes, commas or line ends`,
    );
  }
  if (batch.length > 0) yield batch;
}

function header(record: readonly string[], path: string): string[] {
  const columns = record.map((cell) => decodeCell(cell, "header").trim());
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined)
    throw new InputError(`${path}:1: expected each column once, got ${JSON.stringify(twice)} twice; rename one`);
  return columns;
}

async function* withoutMark(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let first = true;
  for await (const chunk of bytes) {
    yield first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf ? chunk.subarray(3) : chunk;
    first = false;
  }
}
