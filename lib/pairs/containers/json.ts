// In: bytes of a JSON list of objects (or of objects one after another). Out: rows, without holding the list.
import { InputError } from "../../errors";
import { MAX_ROW_BYTES, type RawRow, guardRow, parseRow } from "./row";

const code = (c: string) => c.charCodeAt(0);
const [QUOTE, BACKSLASH, OPEN, CLOSE, LIST, LIST_END, COMMA] = ['"', "\\", "{", "}", "[", "]", ","].map(code);

/** State of the scanner between chunks. */
interface Scan {
  depth: number;
  inString: boolean;
  escaped: boolean;
  fileLine: number;
  row: number;
  rowLine: number;
  parts: Buffer[];
  size: number;
  /** before the list, an element or the list's end, a comma or the list's end, after the list */
  expects: "start" | "element" | "separator" | "nothing";
  list: boolean;
}

/**
 * Finds the elements of the list by brackets and quotes alone and parses each by itself, so that one malformed
 * element is one fault with its line.
 *
 * @throws InputError when the structure around the elements is broken (not a list, torn, text after it).
 */
export async function* readJsonList(bytes: AsyncIterable<Buffer>, path: string): AsyncGenerator<RawRow[]> {
  const s: Scan = {
    depth: 0,
    inString: false,
    escaped: false,
    fileLine: 1,
    row: 0,
    rowLine: 1,
    parts: [],
    size: 0,
    expects: "start",
    list: true,
  };
  let first = true;
  for await (let chunk of bytes) {
    if (first && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf) chunk = chunk.subarray(3);
    first = false;
    const rows = scanChunk(s, chunk, path);
    if (rows.length > 0) yield rows;
  }
  if (s.depth > 0)
    throw new InputError(
      `${path}:${s.rowLine}: expected the end of row ${s.row}, got the end of the file; the file is torn, fetch or write it again`,
    );
  if (s.list && s.expects !== "nothing")
    throw new InputError(
      `${path}:${s.fileLine}: expected "]" at the end of the list, got the end of the file; the file is torn, fetch or write it again`,
    );
}

function scanChunk(s: Scan, chunk: Buffer, path: string): RawRow[] {
  const rows: RawRow[] = [];
  let start = 0;
  for (let i = 0; i < chunk.length; i++) {
    const byte = chunk[i];
    if (byte === 10) s.fileLine++;
    if (s.inString) {
      if (s.escaped) s.escaped = false;
      else if (byte === BACKSLASH) s.escaped = true;
      else if (byte === QUOTE) s.inString = false;
    } else if (s.depth > 0) {
      if (byte === QUOTE) s.inString = true;
      else if (byte === OPEN || byte === LIST) s.depth++;
      else if ((byte === CLOSE || byte === LIST_END) && --s.depth === 0) {
        rows.push(element(s, chunk.subarray(start, i + 1)));
        s.expects = s.list ? "separator" : "element";
      }
    } else if (between(s, byte, path)) start = i;
  }
  if (s.depth > 0) keep(s, chunk.subarray(start));
  return rows;
}

/** A byte outside every element; true when it begins one. */
function between(s: Scan, byte: number, path: string): boolean {
  if (byte === 32 || byte === 9 || byte === 10 || byte === 13) return false;
  if (s.expects === "start") {
    s.list = byte === LIST;
    s.expects = "element";
    if (s.list) return false;
  }
  if (s.expects === "element" && (byte === OPEN || byte === LIST)) {
    s.depth = 1;
    s.row++;
    s.rowLine = s.fileLine;
    return true;
  }
  if (s.expects === "separator" && byte === COMMA) {
    s.expects = "element";
    return false;
  }
  if (s.list && byte === LIST_END && (s.expects === "separator" || s.row === 0)) {
    s.expects = "nothing";
    return false;
  }
  const wanted = { start: '"["', element: '"{"', separator: '"," or "]"', nothing: "the end of the file" }[s.expects];
  throw new InputError(
    `${path}:${s.fileLine}: expected ${wanted}, got ${JSON.stringify(String.fromCharCode(byte))}; the file must hold one JSON list of objects`,
  );
}

function keep(s: Scan, part: Buffer): void {
  s.size += part.length;
  if (s.size <= MAX_ROW_BYTES) s.parts.push(part);
}

function element(s: Scan, last: Buffer): RawRow {
  keep(s, last);
  const { parts, size } = s;
  s.parts = [];
  s.size = 0;
  if (size > MAX_ROW_BYTES) {
    const message = `expected a row of at most ${MAX_ROW_BYTES >> 20} MiB, got ${Math.round(size / 1048576)} MiB`;
    return { line: s.row, fileLine: s.rowLine, fault: { reason: "row_too_long", message } };
  }
  const bytes = parts.length === 1 ? parts[0] : Buffer.concat(parts);
  return guardRow(s.row, () => parseRow(bytes), s.rowLine);
}
