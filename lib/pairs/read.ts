// In: a path. Out: preference pairs, one by one, and a report of what was read and what was not used.
import { InputError } from "../errors";
import type { RawRow } from "./containers/row";
import { type Reason, type RejectedRow, RowFault, isFault } from "./faults";
import { detectFormat, formatNamed } from "./formats";
import { type Numbered, type PairFormat, isLeftOut } from "./formats/format";
import type { PreferencePair } from "./pair";
import { type Container, openRows } from "./rows";
import { brokenRule, finishPair } from "./rules";
import { optionalName } from "./fields";

export interface ReadOptions {
  /** Go on without rows at fault: they are counted and listed in the report. Default false. */
  readonly skip_bad_rows?: boolean;
  /** Name of a format; default: recognised by the fields. */
  readonly format?: string;
  /** Least difference of two ratings that makes a pair. Default 1. */
  readonly minimum_gap?: number;
  /** Keep exact ties. Default false: they are left out by rule. */
  readonly keep_ties?: boolean;
  /** No error when not one pair is usable. Default false. */
  readonly allow_none?: boolean;
}

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
  readonly rejected: RejectedRow[];
  /** How many of `rejected` there are of each reason. */
  readonly counts: Partial<Record<Reason, number>>;
  /** Rejected rows that are errors of the file (not left out by rule). */
  errors: number;
}

/** Pairs with the report that grows along with them. */
export type PairStream = AsyncGenerator<PreferencePair> & { readonly report: ReadReport };

const LISTED = 10;
/** Rows looked at before the format is decided. */
const SAMPLE = 100;

/**
 * Streams the pairs of a file. Without `skip_bad_rows` rows at fault end in one error after the whole file has been read,
 * so that it can count them; no pair is handed out after the first of them.
 *
 * @throws InputError when the file cannot be read, has an unknown column set, rows at fault, or no usable pair.
 */
export function readPairs(path: string, options: ReadOptions = {}): PairStream {
  const report: ReadReport = {
    path,
    container: "jsonl",
    format: "",
    reads: "",
    rows: 0,
    used: 0,
    rejected: [],
    counts: {},
    errors: 0,
  };
  return Object.assign(streamPairs(path, options, report), { report });
}

/** All pairs of a file at once. Ids are made unique. */
export async function loadPairs(
  path: string,
  options: ReadOptions = {},
): Promise<{ pairs: PreferencePair[]; report: ReadReport }> {
  const stream = readPairs(path, options);
  const pairs: PreferencePair[] = [];
  const ids = new Set<string>();
  for await (const pair of stream) {
    pairs.push(ids.has(pair.id) ? { ...pair, id: `${pair.id} (line ${pair.line}, pair ${pairs.length + 1})` } : pair);
    ids.add(pair.id);
  }
  return { pairs, report: stream.report };
}

async function* streamPairs(path: string, options: ReadOptions, report: ReadReport): AsyncGenerator<PreferencePair> {
  const chosen = options.format === undefined ? undefined : formatNamed(options.format);
  const { container, batches } = await openRows(path);
  report.container = container;
  const reader = createReader(options, report);
  const waiting: RawRow[] = [];
  let format = chosen;
  for await (const batch of batches) {
    if (!format) {
      waiting.push(...batch);
      if (waiting.length < SAMPLE) continue;
    }
    format ??= decide(waiting, path);
    reader.use(format);
    const rows = waiting.length > 0 ? waiting.splice(0) : batch;
    for (const row of rows) yield* reader.push(row);
  }
  if (waiting.length > 0) {
    reader.use(decide(waiting, path));
    for (const row of waiting) yield* reader.push(row);
  }
  yield* reader.end();
  if (report.rows === 0)
    throw new InputError(`${path}: expected preference pairs, got a file without rows; check how it was written`);
  if (report.errors > 0 && !options.skip_bad_rows) throw new InputError(faultMessage(path, report));
  if (report.used === 0 && !options.allow_none) throw new InputError(noneMessage(path, report));
}

/** The format of the sound rows among the first ones; broken ones alone end in their own errors. */
function decide(rows: readonly RawRow[], path: string): PairFormat | undefined {
  const sound = rows.flatMap((row) => (row.value ? [row.value] : []));
  return sound.length > 0 ? detectFormat(sound, path) : undefined;
}

interface Reader {
  use(format: PairFormat | undefined): void;
  push(row: RawRow): PreferencePair[];
  end(): PreferencePair[];
}

function createReader(options: ReadOptions, report: ReadReport): Reader {
  const { minimum_gap = 1, keep_ties = false, skip_bad_rows = false } = options;
  let format: PairFormat | undefined;
  let group: Numbered[] = [];
  let key: string | undefined;

  const reject = ({ line, fileLine }: Place, reason: Reason, message: string, id?: string) => {
    report.rejected.push({ line, ...(fileLine && { fileLine }), ...(id === undefined ? {} : { id }), reason, message });
    report.counts[reason] = (report.counts[reason] ?? 0) + 1;
    if (isFault(reason)) report.errors++;
  };
  /** Runs what may throw a RowFault; the fault is recorded against the row. */
  const guard = <T>(numbered: Numbered, work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RowFault)) throw error;
      reject(numbered, error.reason, error.message, safeId(numbered.row));
      return undefined;
    }
  };
  const convert = (rows: readonly Numbered[]): PreferencePair[] => {
    const first = rows[0];
    const outcomes =
      guard(first, () =>
        format!.convert(
          rows.map(({ row }) => row),
          { minimum_gap },
        ),
      ) ?? [];
    const pairs: PreferencePair[] = [];
    outcomes.forEach((outcome, part) => {
      if (isLeftOut(outcome)) return reject(first, outcome.rule, outcome.message, outcome.id);
      const promptMayBeEmpty = format!.name === "implicit prompt";
      const broken = brokenRule(outcome, { keep_ties, promptMayBeEmpty });
      if (broken) return reject(first, broken.rule, broken.message, outcome.id ?? outcome.questionId);
      pairs.push(finishPair(outcome, first, part, format!.expands === true));
    });
    // After a fault the file is only read on to count them.
    if (report.errors > 0 && !skip_bad_rows) return [];
    report.used += pairs.length;
    return pairs;
  };
  const flush = (): PreferencePair[] => {
    const rows = group;
    group = [];
    key = undefined;
    return rows.length > 0 ? convert(rows) : [];
  };
  return {
    use(next) {
      format ??= next;
      if (format) Object.assign(report, { format: format.name, reads: format.reads });
    },
    push(raw) {
      report.rows++;
      if (raw.fault) reject(raw, raw.fault.reason, raw.fault.message);
      if (!raw.value || !format) return [];
      const numbered = { row: raw.value, line: raw.line, fileLine: raw.fileLine };
      const groupKey = format.groupKey;
      if (!groupKey) return convert([numbered]);
      const next = guard(numbered, () => {
        format!.convert([raw.value!], { minimum_gap });
        return groupKey(raw.value!);
      });
      if (next === undefined) return [];
      const done = next === key ? [] : flush();
      group.push(numbered);
      key = next;
      return done;
    },
    end: flush,
  };
}

type Place = Pick<RejectedRow, "line" | "fileLine">;

/** `file:line` where rows are lines, else the row's number and, in a JSON list, its first line. */
function placeOf(report: ReadReport, { line, fileLine }: Place): string {
  if (fileLine !== undefined) return `${report.path}:${fileLine} (row ${line})`;
  return report.container === "parquet" ? `${report.path} (row ${line})` : `${report.path}:${line}`;
}

/** The row's own name for the list of rejected rows; never a second fault. */
function safeId(row: Numbered["row"]): string | undefined {
  try {
    return optionalName(row, "id") ?? optionalName(row, "question_id");
  } catch {
    return undefined;
  }
}

const countList = (report: ReadReport): string =>
  Object.entries(report.counts)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(", ");

/** The first ten rows at fault, each `file:line: message`, and how many there are. */
function faultMessage(path: string, report: ReadReport): string {
  const faults = report.rejected.filter(({ reason }) => isFault(reason));
  const listed = faults.slice(0, LISTED).map((row) => `  ${placeOf(report, row)}: ${row.message}`);
  if (faults.length > LISTED) listed.push(`  … and ${faults.length - LISTED} more`);
  const rows = `${faults.length} of ${report.rows} ${report.rows === 1 ? "row is" : "rows are"} at fault`;
  return `${path}: ${rows}; mend them, or pass --skip-bad-rows to go on without them\n${listed.join("\n")}`;
}

function noneMessage(path: string, report: ReadReport): string {
  const listed = report.rejected.slice(0, LISTED).map((row) => `  ${placeOf(report, row)}: ${row.message}`);
  return `${path}: expected at least one usable pair, got none of ${report.rows} rows (${countList(report)}); check the data\n${listed.join("\n")}`;
}
