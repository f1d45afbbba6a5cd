// In: a path. Out: preference pairs, one by one, and a report of what was read and what was not used.
import { InputError } from "../errors";
import type { RawRow } from "./containers/row";
import { detectFormat, formatNamed } from "./formats";
import type { PairFormat } from "./formats/format";
import { hashText } from "./hash";
import { createHashTable } from "./hashTable";
import type { PreferencePair } from "./pair";
import { createPairStore } from "./store";
import { type ReadOptions, createReader } from "./reader";
import { type ReadReport, createReport, faultMessage, noneMessage } from "./readReport";
import { openRows } from "./rows";

export type { ReadOptions } from "./reader";
export { type ReadReport, readingNotes } from "./readReport";

/** Pairs with the report that grows along with them. */
export type PairStream = AsyncGenerator<PreferencePair> & { readonly report: ReadReport };

/** Rows looked at before the format is decided. */
const SAMPLE = 100;

/**
 * Streams the pairs of a file. Without `skip_bad_rows` rows at fault end in one error after the whole file has been read,
 * so that it can count them; no pair is handed out after the first of them.
 *
 * @throws InputError when the file cannot be read, has an unknown column set, rows at fault, or no usable pair.
 * @example
 * ```ts
 * for await (const pair of readPairs("pairs.jsonl.gz")) console.log(pair.id);
 * ```
 */
export function readPairs(path: string, options: ReadOptions = {}): PairStream {
  const report = createReport(path);
  return Object.assign(streamPairs(path, options, report), { report });
}

/**
 * All pairs of a file at once. Ids are made unique.
 *
 * @example
 * ```ts
 * const { pairs: read, report } = await loadPairs("pairs.jsonl", { skip_bad_rows: true });
 * console.log(`${read.length} of ${report.rows} rows`, report.counts);
 * ```
 */
export async function loadPairs(
  path: string,
  options: ReadOptions = {},
): Promise<{ pairs: PreferencePair[]; report: ReadReport }> {
  return collectPairs(path, options, (pair) => pair);
}

/**
 * The same with the texts on disk, for files larger than the memory: a pair is read again whenever it is looked at, and
 * is no plain object (spreading it copies nothing).
 */
export async function loadStoredPairs(
  path: string,
  options: ReadOptions = {},
): Promise<{ pairs: PreferencePair[]; report: ReadReport }> {
  return collectPairs(path, options, createPairStore().add);
}

async function collectPairs(path: string, options: ReadOptions, keep: (pair: PreferencePair) => PreferencePair) {
  const stream = readPairs(path, options);
  const pairs: PreferencePair[] = [];
  const ids = createHashTable();
  for await (const pair of stream) {
    const { id, line } = pair;
    const hash = hashText(id);
    const known = ids.get(hash) >= 0;
    if (!known) ids.set(hash, 0);
    pairs.push(keep(known ? { ...pair, id: `${id} (line ${line}, pair ${pairs.length + 1})` } : pair));
  }
  return { pairs, report: stream.report };
}

async function* streamPairs(path: string, options: ReadOptions, report: ReadReport): AsyncGenerator<PreferencePair> {
  const named = options.format === undefined ? undefined : formatNamed(options.format);
  const { container, batches } = await openRows(path);
  report.container = container;
  const reader = createReader(options, report);
  const waiting: RawRow[] = [];
  let decided = false;
  const decide = () => {
    decided = true;
    reader.begin(named ?? formatOf(waiting, path), waiting);
    return waiting.splice(0);
  };
  for await (const batch of batches) {
    if (!decided) waiting.push(...batch);
    if (!decided && waiting.length < SAMPLE) continue;
    for (const row of decided ? batch : decide()) yield* reader.push(row);
  }
  if (!decided) for (const row of decide()) yield* reader.push(row);
  yield* reader.end();
  if (report.rows === 0)
    throw new InputError(`${path}: expected preference pairs, got a file without rows; check how it was written`);
  reader.requireCategory();
  if (report.errors > 0 && !options.skip_bad_rows) throw new InputError(faultMessage(path, report));
  if (report.used === 0 && !options.allow_none) throw new InputError(noneMessage(path, report));
}

/** The format of the sound rows among the first ones; undefined where all are broken: they end in their own errors. */
function formatOf(rows: readonly RawRow[], path: string): PairFormat | undefined {
  const sound = rows.flatMap((row) => (row.value ? [row.value] : []));
  return sound.length > 0 ? detectFormat(sound, path) : undefined;
}
