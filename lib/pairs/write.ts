// Writes files whole or not at all: a temporary file beside the target, flushed to disk, then renamed.
import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { once } from "node:events";
import type { RejectedRow } from "./faults";
import type { ReadReport } from "./read";
import { stemOf } from "./bytes";

/** Writes the parts of a text one after another; the target appears only when all are on disk. */
export async function writeTextFile(path: string, parts: Iterable<string> | AsyncIterable<string>): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  const stream = createWriteStream(temporary, { encoding: "utf8", highWaterMark: 1 << 18 });
  try {
    await once(stream, "open");
    for await (const part of parts) if (!stream.write(part)) await once(stream, "drain");
    stream.end();
    await once(stream, "close");
    const file = await open(temporary, "r+");
    await file.sync();
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    stream.destroy();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** One JSON value a line. */
export async function writeJsonLines(path: string, values: Iterable<unknown> | AsyncIterable<unknown>): Promise<void> {
  await writeTextFile(
    path,
    (async function* () {
      for await (const value of values) yield `${JSON.stringify(value)}\n`;
    })(),
  );
}

/** One JSON list with two spaces of indent, as Python's `json.dumps(indent=2, ensure_ascii=False)` writes it. */
export async function writeJsonList(path: string, values: Iterable<unknown>): Promise<void> {
  await writeTextFile(
    path,
    (function* () {
      let first = true;
      for (const value of values) {
        yield `${first ? "[" : ","}\n  ${JSON.stringify(value, null, 2).replaceAll("\n", "\n  ")}`;
        first = false;
      }
      yield first ? "[]" : "\n]";
    })(),
  );
}

/** One JSON value with two spaces of indent. */
export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeTextFile(path, [JSON.stringify(value, null, 2)]);

/**
 * Lists every row that was not used in `DIR/STEM_rejected_rows.jsonl` ({line, id, reason, message}).
 *
 * @returns the path, or undefined when every row was used (then an older list is removed)
 */
export async function writeRejectedRows(report: ReadReport, directory: string): Promise<string | undefined> {
  const path = join(directory, `${stemOf(report.path)}_rejected_rows.jsonl`);
  if (report.rejected.length === 0) {
    await rm(path, { force: true });
    return undefined;
  }
  await writeJsonLines(path, report.rejected.map(rejectedLine));
  return path;
}

const rejectedLine = ({ line, id, reason, message }: RejectedRow) => ({ line, id: id ?? null, reason, message });
