// What reading a file came to: counts, the rows that were not used and why, and what the log says of it.
import { type Reason, type RejectedRow, isFault } from "./faults";
import type { Container } from "./rows";

/** What was read; complete once the pairs have been read to the end. */
export interface ReadReport {
  readonly path: string;
  container: Container;
  /** Name of the format and the fields it reads. */
  format: string;
  reads: string;
  rows: number;
  /** Pairs handed out. */
  used: number;
  /** Rows that gave at least one pair. */
  used_rows: number;
  /** Pairs among the used whose two scores are equal. */
  kept_ties: number;
  readonly rejected: RejectedRow[];
  /** How many of `rejected` there are of each reason. */
  readonly counts: Partial<Record<Reason, number>>;
  /** Rejected rows that are errors of the file (not left out by rule). */
  errors: number;
  /** Fields that the format does not read and that carry no context, with the number of rows that have them. */
  readonly unread: Record<string, number>;
  /** What was done to rows so that they could be read as they were meant, with their number. */
  readonly notes: Record<string, number>;
}

const LISTED = 10;
const LISTED_FIELDS = 12;

export const createReport = (path: string): ReadReport => ({
  path,
  container: "jsonl",
  format: "",
  reads: "",
  rows: 0,
  used: 0,
  used_rows: 0,
  kept_ties: 0,
  rejected: [],
  counts: {},
  errors: 0,
  unread: {},
  notes: {},
});

/** Where a row stands. */
export type Place = Pick<RejectedRow, "line" | "fileLine">;

/** `file:line` where rows are lines, else the row's number and, in a JSON list, its first line. */
export function placeOf(
  { path, container }: Pick<ReadReport, "path" | "container">,
  { line, fileLine }: Place,
): string {
  if (fileLine !== undefined) return `${path}:${fileLine} (row ${line})`;
  return container === "parquet" ? `${path} (row ${line})` : `${path}:${line}`;
}

const countList = (report: ReadReport): string =>
  Object.entries(report.counts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(", ");

/** The first ten rows at fault, each `file:line: message`, and how many there are. */
export function faultMessage(path: string, report: ReadReport): string {
  const faults = report.rejected.filter(({ reason }) => isFault(reason));
  return faultList(
    path,
    report.rows,
    faults.map((row) => `${placeOf(report, row)}: ${row.message}`),
  );
}

/** @param faults each `file:line: message` */
export function faultList(path: string, rows: number, faults: readonly string[]): string {
  const listed = faults.slice(0, LISTED).map((fault) => `  ${fault}`);
  if (faults.length > LISTED) listed.push(`  … and ${faults.length - LISTED} more`);
  const share = `${faults.length} of ${rows} ${rows === 1 ? "row is" : "rows are"} at fault`;
  return `${path}: ${share}; mend them, or pass --skip-bad-rows to go on without them\n${listed.join("\n")}`;
}

export function noneMessage(path: string, report: ReadReport): string {
  const listed = report.rejected.slice(0, LISTED).map((row) => `  ${placeOf(report, row)}: ${row.message}`);
  return `${path}: expected at least one usable pair, got none of ${report.rows} rows (${countList(report)}); check the data\n${listed.join("\n")}`;
}

/**
 * What a reader of the log must know beside the counts: ties that stay, repeated prompts, fields that are not read.
 *
 * @example
 * ```ts
 * const { report } = await loadPairs("pairs.jsonl");
 * for (const note of readingNotes(report)) console.log(note);
 * ```
 */
export function readingNotes(report: ReadReport): string[] {
  const fields = Object.keys(report.unread);
  const more = fields.length > LISTED_FIELDS ? ` and ${fields.length - LISTED_FIELDS} more` : "";
  return [
    ...(report.kept_ties > 0
      ? [
          `${report.kept_ties} pairs of equal scores are kept (keep_ties); --no-keep-ties or --drop-weak leaves them out`,
        ]
      : []),
    ...Object.entries(report.notes).map(([note, rows]) => `${rows} ${rows === 1 ? "row" : "rows"}: ${note}`),
    ...(fields.length > 0 ? [`not read: ${fields.slice(0, LISTED_FIELDS).join(", ")}${more}`] : []),
  ];
}
