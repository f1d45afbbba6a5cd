// In: bytes of JSON lines. Out: rows, one a line; only \n ends a line, so U+2028 inside a string is text.
import { MAX_ROW_BYTES, type RawRow, guardRow, parseRow } from "./row";

const NEWLINE = 10;

/** A line is blank when it holds nothing but JSON white space. */
function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== 13) return false;
  return true;
}

/** Yields the rows of each chunk together (one await for many rows). Blank lines count as lines, not as rows. */
export async function* readJsonLines(bytes: AsyncIterable<Buffer>): AsyncGenerator<RawRow[]> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let line = 0;
  const take = (end: Buffer): RawRow | undefined => {
    line++;
    const whole = pendingBytes + end.length;
    const text = pending.length === 0 ? end : Buffer.concat([...pending, end]);
    pending = [];
    pendingBytes = 0;
    if (whole > MAX_ROW_BYTES) {
      const message = `expected a line of at most ${MAX_ROW_BYTES >> 20} MiB, got ${Math.round(whole / 1048576)} MiB`;
      return { line, fault: { reason: "row_too_long", message } };
    }
    return isBlank(text) ? undefined : guardRow(line, () => parseRow(text));
  };
  for await (let chunk of bytes) {
    if (line === 0 && pending.length === 0 && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf)
      chunk = chunk.subarray(3);
    const rows: RawRow[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const row = take(chunk.subarray(start, end));
      if (row) rows.push(row);
      start = end + 1;
    }
    if (start < chunk.length) {
      // Beyond the limit only the length is kept, so a file without line ends cannot fill the memory.
      if (pendingBytes <= MAX_ROW_BYTES) pending.push(chunk.subarray(start));
      pendingBytes += chunk.length - start;
    }
    if (rows.length > 0) yield rows;
  }
  if (pendingBytes > 0) {
    const row = take(Buffer.alloc(0));
    if (row) yield [row];
  }
}
