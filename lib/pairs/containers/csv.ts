// In: bytes of a CSV (or TSV) file with a header line. Out: rows; nested fields come back out of the cells that hold them.
import { isUtf8 } from "node:buffer";
import { InputError } from "../../errors";
import { RowFault } from "../faults";
import { nestedCell } from "./cells";
import { type CsvRecord, nextRecord } from "./csvRecord";
import { MAX_ROW_BYTES, type RawRow, type Row, checkObject, guardRow } from "./row";

/** Bytes are read as latin1, one character a byte, so that each cell's UTF-8 can be checked by itself. */
function decodeCell(cell: string, column: string): string {
  const bytes = Buffer.from(cell, "latin1");
  if (!isUtf8(bytes))
    throw new RowFault("invalid_utf8", `${column}: expected UTF-8, got bytes that are not; save the file as UTF-8`);
  return bytes.toString("utf8");
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
    const outer = outerOf(column);
    if (outer === undefined) {
      row[column] = nestedCell(column, text);
      return;
    }
    const nested = (row[outer] ??= Object.create(null)) as Record<string, unknown>;
    nested[column.slice(outer.length + 1)] = text;
  });
  return checkObject({ ...row });
}

/** `preferred_answer` of `preferred_answer.score`; undefined for a column that is no part of another. */
const outerOf = (column: string): string | undefined => /^(preferred_answer|rejected_answer)(?=\..)/.exec(column)?.[0];

/**
 * A record that breaks the rules of quoting is one fault; reading goes on at the line after its first.
 *
 * @throws InputError when the header is missing, broken or repeats a column
 */
export async function* readCsv(
  bytes: AsyncIterable<Buffer>,
  path: string,
  delimiter: string,
): AsyncGenerator<RawRow[]> {
  const reader = createReader(path, delimiter);
  let first = true;
  for await (const chunk of bytes) {
    const marked = first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf;
    first = false;
    const rows = reader.read(chunk.toString("latin1", marked ? 3 : 0), false);
    if (rows.length > 0) yield rows;
  }
  const rows = reader.read("", true);
  if (rows.length > 0) yield rows;
}

function createReader(path: string, delimiter: string): { read(text: string, last: boolean): RawRow[] } {
  let pending = "";
  let line = 1;
  let columns: readonly string[] | undefined;
  /** Inside a line that is too long to be kept. */
  let overlong = false;

  const take = (record: CsvRecord): RawRow | undefined => {
    const at = line;
    line += record.lines;
    if (record.fault !== undefined) {
      if (!columns) throw new InputError(`${path}:${at}: malformed CSV header (${record.fault})`);
      return { line: at, fault: { reason: "malformed_csv", message: `malformed CSV: ${record.fault}` } };
    }
    if (record.cells.length === 1 && record.cells[0] === "") return undefined;
    if (columns) {
      const known = columns;
      return guardRow(at, () => toRow(known, record.cells));
    }
    columns = header(record.cells, `${path}:${at}`);
    return undefined;
  };
  return {
    read(text, last) {
      pending += text;
      const rows: RawRow[] = [];
      let start = 0;
      if (overlong) {
        const end = pending.indexOf("\n");
        if (end < 0) pending = "";
        else [start, overlong] = [end + 1, false];
      }
      while (start < pending.length) {
        const record = nextRecord(pending, start, { delimiter, last });
        if (!record) break;
        const row = take(record);
        if (row) rows.push(row);
        start = record.end;
      }
      pending = pending.slice(start);
      if (pending.length > MAX_ROW_BYTES) {
        const message = `expected a row of at most ${MAX_ROW_BYTES >> 20} MiB, got more; a quote may be left open`;
        rows.push({ line: line++, fault: { reason: "row_too_long", message } });
        const end = pending.indexOf("\n");
        overlong = end < 0;
        pending = overlong ? "" : pending.slice(end + 1);
      }
      return rows;
    },
  };
}

function header(cells: readonly string[], where: string): string[] {
  const columns = cells.map((cell) => decodeHeader(cell, where));
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined)
    throw new InputError(`${where}: expected each column once, got ${JSON.stringify(twice)} twice; rename one`);
  const both = columns.find((column) => columns.includes(outerOf(column) ?? "\0"));
  if (both !== undefined)
    throw new InputError(
      `${where}: expected ${JSON.stringify(outerOf(both))} whole or in parts, got it beside ${JSON.stringify(both)}; remove one`,
    );
  return columns;
}

function decodeHeader(cell: string, where: string): string {
  try {
    return decodeCell(cell, "header").trim();
  } catch (error) {
    throw error instanceof RowFault ? new InputError(`${where}: ${error.message}`) : error;
  }
}
