// In: the report of a reading. Out: the list of rows that were not used, beside what was made of the others.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { stemOf } from "./bytes";
import type { RejectedRow } from "./faults";
import type { ReadReport } from "./readReport";
import { writeJsonLines } from "../files/write";

/**
 * Lists every row that was not used in `DIR/STEM_rejected_rows.jsonl` ({line, id, reason, message}).
 *
 * @returns the path, or undefined when every row was used (then an older list is removed)
 * @example
 * ```ts
 * const { report } = await loadPairs("pairs.jsonl", { skip_bad_rows: true });
 * await writeRejectedRows(report, "metrics/mine");
 * ```
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
