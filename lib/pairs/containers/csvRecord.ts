// In: CSV text and where a record begins. Out: its cells, or what breaks the rules of quoting, and where the next begins.
//
// Written here because the readers at hand lose the rows after a broken one and count line ends inside quotes twice.

/** One record: its cells, or a fault. */
export interface CsvRecord {
  readonly cells: readonly string[];
  readonly fault?: string;
  /** Where the next record begins. */
  readonly end: number;
  /** Lines it takes up. */
  readonly lines: number;
}

interface Reading {
  readonly delimiter: string;
  /** No text follows. */
  readonly last: boolean;
}

const QUOTE = 34;
const [LF, CR] = [10, 13];

/** A cell and the place after it; a fault; or undefined where the text ends too early to tell. */
type Cell = { readonly value: string; readonly end: number } | { readonly fault: string } | undefined;

/**
 * The record that begins at `start`; undefined where it may go on beyond the text.
 *
 * Reference: RFC 4180, with line ends CRLF, LF or CR. A fault ends its record at the end of its first line, so that a
 * quote left open costs one row, not the rest of the file.
 */
export function nextRecord(text: string, start: number, { delimiter, last }: Reading): CsvRecord | undefined {
  const cells: string[] = [];
  let lines = 1;
  for (let at = start; ; at++) {
    const quoted = text.charCodeAt(at) === QUOTE;
    const cell = quoted ? quotedCell(text, at, last) : plainCell(text, at, delimiter, last);
    if (!cell) return undefined;
    if ("fault" in cell) return brokenRecord(text, start, cell.fault, last);
    cells.push(cell.value);
    if (quoted) lines += lineEnds(cell.value);
    at = cell.end;
    if (at === text.length) return last ? { cells, end: at, lines } : undefined;
    if (text[at] === delimiter) continue;
    const end = lineEnd(text, at, last);
    if (end === undefined) return undefined;
    if (end > at) return { cells, end, lines };
    return brokenRecord(text, start, "text follows a closing quote; double the quotes inside a quoted cell", last);
  }
}

function quotedCell(text: string, at: number, last: boolean): Cell {
  let value = "";
  for (let from = at + 1; ;) {
    const quote = text.indexOf('"', from);
    if (quote < 0)
      return last ? { fault: "a quote is opened and never closed; quote cells that hold quotes" } : undefined;
    if (quote + 1 === text.length && !last) return undefined;
    value += text.slice(from, quote);
    if (text.charCodeAt(quote + 1) !== QUOTE) return { value, end: quote + 1 };
    value += '"';
    from = quote + 2;
  }
}

function plainCell(text: string, at: number, delimiter: string, last: boolean): Cell {
  const separator = delimiter.charCodeAt(0);
  for (let end = at; ; end++) {
    if (end === text.length) return last ? { value: text.slice(at), end } : undefined;
    const code = text.charCodeAt(end);
    if (code === separator || code === LF || code === CR) return { value: text.slice(at, end), end };
    if (code === QUOTE)
      return { fault: "a quote stands inside an unquoted cell; quote the whole cell and double its quotes" };
  }
}

/** The place after the line end at `at`; `at` itself where there is none; undefined where a \n may follow. */
function lineEnd(text: string, at: number, last: boolean): number | undefined {
  const code = text.charCodeAt(at);
  if (code === LF) return at + 1;
  if (code !== CR) return at;
  if (at + 1 === text.length && !last) return undefined;
  return text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
}

function brokenRecord(text: string, start: number, fault: string, last: boolean): CsvRecord | undefined {
  const found = text.slice(start).search(/[\r\n]/);
  if (found < 0) return last ? { cells: [], fault, end: text.length, lines: 1 } : undefined;
  const end = lineEnd(text, start + found, last);
  return end === undefined ? undefined : { cells: [], fault, end, lines: 1 };
}

/** CRLF counts once. */
const lineEnds = (value: string): number => (/[\r\n]/.test(value) ? value.match(/\r\n|\n|\r/g)!.length : 0);
