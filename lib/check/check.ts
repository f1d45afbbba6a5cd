// In: a file of pairs, perhaps the other splits and evaluation files. Out: everything that is wrong or remarkable about it.
import { InputError, Interrupted } from "../errors";
import { longWork, type LongWorkOptions, type Watch } from "../longWork";
import { type Reason, type RejectedRow, isFault } from "../pairs/faults";
import type { PreferencePair } from "../pairs/pair";
import { type ReadOptions, type ReadReport, readPairs, readingNotes } from "../pairs/read";
import { readPrompts } from "../pairs/prompts";
import { type Findings, collectFindings, watched } from "./findings";
import type { LabelNoise } from "./noise";
import type { Overlap } from "./prompts";
import type { CheckReport, Example, OverlapReport } from "./report";
import { warningsOf } from "./warnings";

export interface CheckOptions extends LongWorkOptions {
  /** Other splits of the same data: shared questions are leaks. */
  readonly splits?: readonly string[];
  /** Evaluation files that the pairs must not contain. */
  readonly against?: readonly string[];
  readonly format?: string;
  readonly minimum_gap?: number;
  readonly ignore_fields?: string;
  readonly category_field?: string;
  readonly keep_ties?: boolean;
  /** Estimates the label noise from the pairs; absent: not estimated. */
  readonly estimateNoise?: (pairs: readonly PreferencePair[]) => Promise<LabelNoise>;
  /** Pairs handed to `estimateNoise`: an even sample of the file. Default 2000. */
  readonly noiseSample?: number;
}

const LISTED = 50;
const CLIPPED = 280;
const NOISE_SAMPLE = 2000;

/**
 * Reads the file once; what is kept of each pair lies on disk. A second pass fetches the texts of the examples.
 * Stopped in a notebook, it keeps what it has found: the next call for the same file goes on from there.
 *
 * @throws InputError when a file cannot be read at all; rows at fault are reported, not thrown
 * @throws Interrupted when the notebook's user stopped it
 * @example
 * ```ts
 * const { report } = await checkPairs("pairs.jsonl");
 * console.log(report.warnings);
 * ```
 */
export async function checkPairs(
  path: string,
  options: CheckOptions = {},
): Promise<{ report: CheckReport; read: ReadReport }> {
  const { format, minimum_gap, ignore_fields, category_field, keep_ties } = options;
  const reading = {
    format,
    minimum_gap,
    ignore_fields,
    category_field,
    keep_ties,
    skip_bad_rows: true,
    allow_none: true,
  };
  const what = { label: "check", unit: "pairs", again: "run it again to go on from there" };
  return longWork(what, options, async (watch) => {
    const { findings, keep } = await collectFindings(path, reading, watch);
    try {
      return { report: await reportOf(path, { findings, reading, options, watch }), read: findings.read };
    } catch (error) {
      if (watch.signal.aborted || error instanceof Interrupted) keep();
      throw error;
    }
  });
}

interface Checked {
  readonly findings: Findings;
  readonly reading: ReadOptions;
  readonly options: CheckOptions;
  readonly watch: Watch;
}

/** Other files, the texts of the examples, and the label noise. */
async function reportOf(path: string, { findings, reading, options, watch }: Checked): Promise<CheckReport> {
  const splits = await overlapsWith(findings, options.splits ?? [], watch);
  const contamination = await overlapsWith(findings, options.against ?? [], watch);
  const sample = options.estimateNoise
    ? evenSample(findings.pairs, options.noiseSample ?? NOISE_SAMPLE)
    : new Set<number>();
  const wanted = placesWanted(findings, [...splits, ...contamination]);
  const { examples, pairs } = await fetchPairs(path, { reading, wanted, sample, watch });
  const example = (at: number): Example => examples.get(at)!;
  const found = {
    ...rowsOf(findings.read),
    ...findingsOf(findings, example),
    splits: await Promise.all(splits.map((overlap) => overlapReport(overlap, example))),
    contamination: await Promise.all(contamination.map((overlap) => overlapReport(overlap, example))),
    label_noise: options.estimateNoise && pairs.length > 0 ? await options.estimateNoise(pairs) : null,
  };
  return { ...found, warnings: warningsOf(found) };
}

type FileOverlap = Overlap & { readonly path: string };

async function overlapsWith({ prompts }: Findings, paths: readonly string[], watch: Watch): Promise<FileOverlap[]> {
  const out: FileOverlap[] = [];
  for (const path of paths) out.push({ path, ...(await prompts.overlap(watched(readPrompts(path), watch))) });
  return out;
}

/** The pairs that stand as examples in the report. */
function placesWanted({ inverted, repeats, near }: Findings, overlaps: readonly FileOverlap[]): Set<number> {
  return new Set([
    ...inverted.first,
    ...repeats.duplicateExamples.flat(),
    ...repeats.contradictionExamples.flat(),
    ...repeats.oneSided.map(({ first }) => first),
    ...near.examples.flatMap(({ first, second }) => [first, second]),
    ...overlaps.flatMap(({ examples }) => examples.map(({ own }) => own)),
  ]);
}

/** What became of the rows. */
function rowsOf(read: ReadReport) {
  const counts = Object.entries(read.counts) as [Reason, number][];
  return {
    path: read.path,
    format: read.format,
    container: read.container,
    reads: read.reads,
    rows: read.rows,
    pairs: read.used,
    ok: read.errors === 0 && read.used > 0,
    errors: read.errors,
    errors_by_reason: Object.fromEntries(counts.filter(([reason]) => isFault(reason))),
    left_out: read.rejected.length - read.errors,
    left_out_by_reason: Object.fromEntries(counts.filter(([reason]) => !isFault(reason))),
    identical: read.counts.identical_answers ?? 0,
    ties: (read.counts.tie ?? 0) + read.kept_ties,
    notes: readingNotes(read),
    ...emptyAnswers(read.rejected),
    rejected: read.rejected.slice(0, LISTED),
  };
}

/** What is remarkable about the pairs, with examples. */
function findingsOf(findings: Findings, example: (place: number) => Example) {
  const { repeats, near, profile, inverted } = findings;
  const two = ([first, second]: readonly [number, number]) => [example(first), example(second)] as const;
  const { vocabulary, ...lengths } = profile;
  return {
    questions: findings.questions,
    prompts: findings.prompts.size,
    inverted_scores: { count: inverted.count, examples: inverted.first.map(example) },
    duplicates: { count: repeats.duplicates, examples: repeats.duplicateExamples.map(two) },
    contradictions: { count: repeats.contradictions, examples: repeats.contradictionExamples.map(two) },
    near_duplicate_prompts: {
      count: near.count,
      examples: near.examples.map(({ first, second, similarity }) => ({ similarity, pair: two([first, second]) })),
    },
    one_sided_answers: {
      pairs: repeats.oneSidedPairs,
      examples: repeats.oneSided.map(({ first, ...counts }) => ({ ...counts, pair: example(first) })),
    },
    risk_levels: Object.fromEntries(findings.risks),
    categories: Object.fromEntries(findings.categories),
    lengths,
    vocabulary,
  };
}

async function overlapReport(
  { examples, ...rest }: FileOverlap,
  example: (place: number) => Example,
): Promise<OverlapReport> {
  const texts = await fetchPrompts(rest.path, new Set(examples.map(({ other }) => other)));
  return {
    ...rest,
    examples: examples.map(({ other, own, similarity }) => ({
      prompt: texts.get(other) ?? "",
      own: example(own),
      similarity,
    })),
  };
}

/** The reader's one rule for empty answers, told apart: both, or one of the two. */
function emptyAnswers(rejected: readonly RejectedRow[]): { empty: number; one_sided: number } {
  const rows = rejected.filter(({ reason }) => reason === "empty_answer");
  const empty = rows.filter(({ message }) => message.startsWith("both")).length;
  return { empty, one_sided: rows.length - empty };
}

/** Places spread evenly over the file. */
function evenSample(total: number, size: number): Set<number> {
  if (total <= size) return new Set(Array.from({ length: total }, (_, i) => i));
  return new Set(Array.from({ length: size }, (_, i) => Math.floor((i * total) / size)));
}

const clip = (text: string): string => (text.length > CLIPPED ? `${text.slice(0, CLIPPED)}…` : text);

interface Places {
  /** Pairs that stand as examples. */
  readonly wanted: ReadonlySet<number>;
  /** Pairs that the label noise is estimated on. */
  readonly sample: ReadonlySet<number>;
}

/** Second pass: the wanted pairs as examples, the sampled ones whole. */
async function fetchPairs(
  path: string,
  { reading, wanted, sample, watch }: Pick<Checked, "reading" | "watch"> & Places,
) {
  const examples = new Map<number, Example>();
  const pairs: PreferencePair[] = [];
  if (wanted.size + sample.size === 0) return { examples, pairs };
  let place = 0;
  for await (const pair of watched(readPairs(path, reading), watch)) {
    if (wanted.has(place)) {
      const { line, id, prompt, chosen, rejected } = pair;
      examples.set(place, { line, id, prompt: clip(prompt), chosen: clip(chosen), rejected: clip(rejected) });
    }
    if (sample.has(place)) pairs.push(pair);
    place++;
    if (examples.size === wanted.size && pairs.length === sample.size) break;
  }
  if (examples.size < wanted.size)
    throw new InputError(
      `${path}: expected the same pairs on the second reading, got fewer; do not write the file while it is checked`,
    );
  return { examples, pairs };
}

async function fetchPrompts(path: string, wanted: ReadonlySet<number>): Promise<Map<number, string>> {
  const out = new Map<number, string>();
  let place = 0;
  if (wanted.size > 0)
    for await (const prompt of readPrompts(path)) {
      if (wanted.has(place)) out.set(place, clip(prompt));
      if (out.size === wanted.size) break;
      place++;
    }
  return out;
}
