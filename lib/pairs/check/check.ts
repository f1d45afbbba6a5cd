// In: a file of pairs, perhaps the other splits and evaluation files. Out: everything that is wrong or remarkable about it.
import { InputError } from "../../errors";
import { type Reason, type RejectedRow, isFault } from "../faults";
import type { PreferencePair } from "../pair";
import { type ReadReport, readPairs } from "../read";
import { readPrompts } from "../prompts";
import { tallyInto } from "../tally";
import { type LabelNoise } from "./noise";
import { type Profile, createProfile } from "./profile";
import { type Overlap, createPromptIndex } from "./prompts";
import { createRepeats } from "./repeats";
import { warningsOf } from "./warnings";

export interface CheckOptions {
  /** Other splits of the same data: shared questions are leaks. */
  readonly splits?: readonly string[];
  /** Evaluation files that the pairs must not contain. */
  readonly against?: readonly string[];
  readonly format?: string;
  readonly minimumGap?: number;
  /** Estimates the label noise from the pairs; absent: not estimated. */
  readonly estimateNoise?: (pairs: readonly PreferencePair[]) => Promise<LabelNoise>;
  /** Pairs handed to `estimateNoise`: an even sample of the file. Default 2000. */
  readonly noiseSample?: number;
}

/** A pair as an example in a report: texts are clipped. */
export interface Example {
  readonly line: number;
  readonly id: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
}

/** Prompts of another file that the checked file has too. */
export interface OverlapReport {
  readonly path: string;
  readonly prompts: number;
  readonly exact: number;
  readonly near: number;
  readonly examples: readonly { readonly prompt: string; readonly own: Example; readonly similarity: number }[];
}

export interface CheckReport {
  readonly path: string;
  readonly format: string;
  readonly container: string;
  readonly reads: string;
  readonly rows: number;
  readonly pairs: number;
  readonly questions: number;
  readonly prompts: number;
  /** No row at fault and at least one usable pair. */
  readonly ok: boolean;
  /** Rows at fault; they make `check` fail. */
  readonly errors: number;
  readonly errors_by_reason: Partial<Record<Reason, number>>;
  /** Rows left out by rule; no error. */
  readonly left_out: number;
  readonly left_out_by_reason: Partial<Record<Reason, number>>;
  readonly identical: number;
  readonly ties: number;
  /** Pairs with no answer at all, and with only one of the two. */
  readonly empty: number;
  readonly one_sided: number;
  /** The first rows not used; all of them are in `*_rejected_rows.jsonl`. */
  readonly rejected: readonly RejectedRow[];
  /** Pairs whose chosen score is below the rejected one. */
  readonly inverted_scores: { readonly count: number; readonly examples: readonly Example[] };
  readonly duplicates: { readonly count: number; readonly examples: readonly (readonly [Example, Example])[] };
  readonly contradictions: { readonly count: number; readonly examples: readonly (readonly [Example, Example])[] };
  readonly near_duplicate_prompts: { readonly count: number; readonly examples: readonly { readonly similarity: number; readonly pair: readonly [Example, Example] }[] };
  readonly one_sided_answers: { readonly pairs: number; readonly examples: readonly { readonly side: string; readonly chosen: number; readonly rejected: number; readonly prompts: number; readonly pair: Example }[] };
  readonly risk_levels: Readonly<Record<string, number>>;
  readonly categories: Readonly<Record<string, number>>;
  readonly lengths: Omit<Profile, "vocabulary">;
  readonly vocabulary: Profile["vocabulary"];
  readonly splits: readonly OverlapReport[];
  readonly contamination: readonly OverlapReport[];
  readonly label_noise: LabelNoise | null;
  /** Plain sentences, the gravest first. */
  readonly warnings: readonly string[];
}

const LISTED = 50;
const CLIPPED = 280;
const NOISE_SAMPLE = 2000;
const LARGEST_TALLY = 1000;

/**
 * Reads the file once and keeps some hundred bytes of each pair; a second pass fetches the texts of the examples.
 *
 * @throws InputError when a file cannot be read at all; rows at fault are reported, not thrown
 */
export async function checkPairs(path: string, options: CheckOptions = {}): Promise<{ report: CheckReport; read: ReadReport }> {
  const reading = { skipBadRows: true, allowNone: true, format: options.format, minimumGap: options.minimumGap };
  const stream = readPairs(path, reading);
  const repeats = createRepeats();
  const profile = createProfile();
  const prompts = createPromptIndex();
  const questions = new Set<string>();
  const risks = new Map<string, number>();
  const categories = new Map<string, number>();
  const inverted: number[] = [];
  let place = 0;
  for await (const pair of stream) {
    repeats.add(pair);
    profile.add(pair);
    prompts.add(pair.prompt, place);
    questions.add(pair.questionId);
    tallyInto(risks, pair.riskLevel, LARGEST_TALLY);
    if (pair.category !== undefined) tallyInto(categories, pair.category, LARGEST_TALLY);
    if (pair.scoreChosen !== undefined && pair.scoreRejected !== undefined && pair.scoreChosen < pair.scoreRejected) inverted.push(place);
    place++;
  }
  const read = stream.report;
  const found = repeats.result();
  const near = prompts.near();
  type Found = Overlap & { readonly path: string };
  const overlapWith = async (other: string): Promise<Found> => ({ path: other, ...(await prompts.overlap(readPrompts(other))) });
  const splits: Found[] = [];
  for (const other of options.splits ?? []) splits.push(await overlapWith(other));
  const contamination: Found[] = [];
  for (const other of options.against ?? []) contamination.push(await overlapWith(other));

  const wanted = new Set([
    ...inverted.slice(0, LISTED), ...found.duplicateExamples.flat(), ...found.contradictionExamples.flat(), ...found.oneSided.map(({ first }) => first),
    ...near.examples.flatMap(({ first, second }) => [first, second]), ...[...splits, ...contamination].flatMap(({ examples }) => examples.map(({ own }) => own)),
  ]);
  const sample = options.estimateNoise ? evenSample(place, options.noiseSample ?? NOISE_SAMPLE) : new Set<number>();
  const { examples, pairs } = await fetchPairs(path, reading, wanted, sample);
  const example = (at: number): Example => examples.get(at)!;
  const two = ([first, second]: readonly [number, number]) => [example(first), example(second)] as const;
  const overlapReport = async ({ examples: shared, ...rest }: Found): Promise<OverlapReport> => {
    const texts = await fetchPrompts(rest.path, new Set(shared.map(({ other }) => other)));
    return { ...rest, examples: shared.map(({ other, own, similarity }) => ({ prompt: texts.get(other) ?? "", own: example(own), similarity })) };
  };

  const label_noise = options.estimateNoise && pairs.length > 0 ? await options.estimateNoise(pairs) : null;
  const { vocabulary, ...lengths } = profile.result();
  const left = Object.entries(read.counts) as [Reason, number][];
  const report: Omit<CheckReport, "warnings"> = {
    path, format: read.format, container: read.container, reads: read.reads, rows: read.rows, pairs: read.used, questions: questions.size, prompts: prompts.size,
    ok: read.errors === 0 && read.used > 0,
    errors: read.errors,
    errors_by_reason: Object.fromEntries(left.filter(([reason]) => isFault(reason))),
    left_out: read.rejected.length - read.errors,
    left_out_by_reason: Object.fromEntries(left.filter(([reason]) => !isFault(reason))),
    identical: read.counts.identical_answers ?? 0,
    ties: read.counts.tie ?? 0,
    ...emptyAnswers(read.rejected),
    rejected: read.rejected.slice(0, LISTED),
    inverted_scores: { count: inverted.length, examples: inverted.slice(0, LISTED).map(example) },
    duplicates: { count: found.duplicates, examples: found.duplicateExamples.map(two) },
    contradictions: { count: found.contradictions, examples: found.contradictionExamples.map(two) },
    near_duplicate_prompts: { count: near.count, examples: near.examples.map(({ first, second, similarity }) => ({ similarity, pair: two([first, second]) })) },
    one_sided_answers: { pairs: found.oneSidedPairs, examples: found.oneSided.map(({ first, ...counts }) => ({ ...counts, pair: example(first) })) },
    risk_levels: Object.fromEntries(risks),
    categories: Object.fromEntries(categories),
    lengths,
    vocabulary,
    splits: await Promise.all(splits.map(overlapReport)),
    contamination: await Promise.all(contamination.map(overlapReport)),
    label_noise,
  };
  return { report: { ...report, warnings: warningsOf(report) }, read };
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

type Reading = Parameters<typeof readPairs>[1];

/** Second pass: the wanted pairs as examples, the sampled ones whole. */
async function fetchPairs(path: string, reading: Reading, wanted: ReadonlySet<number>, sample: ReadonlySet<number>) {
  const examples = new Map<number, Example>();
  const pairs: PreferencePair[] = [];
  if (wanted.size + sample.size === 0) return { examples, pairs };
  let place = 0;
  for await (const pair of readPairs(path, reading)) {
    if (wanted.has(place)) {
      const { line, id, prompt, chosen, rejected } = pair;
      examples.set(place, { line, id, prompt: clip(prompt), chosen: clip(chosen), rejected: clip(rejected) });
    }
    if (sample.has(place)) pairs.push(pair);
    place++;
    if (examples.size === wanted.size && pairs.length === sample.size) break;
  }
  if (examples.size < wanted.size) throw new InputError(`${path}: expected the same pairs on the second reading, got fewer; do not write the file while it is checked`);
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
