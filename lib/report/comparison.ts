// In: two runs, each with one seed or several. Out: whether one is better on the pairs both scored, in numbers and in words.
import { compareScoreRuns, type CompareOptions, type Comparison } from "../evaluation/compare";
import type { RunRecord } from "../runs/runFiles";
import { pairOfLine } from "../runs/scoreLines";
import type { ScoreLine } from "../runs/evaluationSchemas";
import { points } from "./verdict";
import { percent } from "../wording";

/** What a comparison of two runs by their scores says; null with the reason where there is none. */
export type RunComparison =
  { readonly result: Comparison; readonly skipped: number } | { readonly result: null; readonly why: string };

/** Rewards of the same pairs by one model, or by each seed. */
export type ScoreLists = readonly (readonly ScoreLine[])[];

/** The rewards of a run, of all its seeds where it has several. */
export const scoreLists = ({ seeds, scores }: RunRecord): ScoreLists =>
  seeds?.scores.length ? seeds.scores : [scores];

/**
 * Paired comparison on the validation pairs both runs scored. Ids only mean the same pair within one data file, so runs
 * on other files are not compared.
 *
 * @example
 * ```ts
 * const comparison = compareRuns(readRun("metrics/mine"), readRun("metrics/other"));
 * console.log(comparisonSentence(comparison, "mine", "other"));
 * ```
 */
export function compareRuns(run: RunRecord, other: RunRecord, options: CompareOptions = {}): RunComparison {
  const prints = (record: RunRecord) => record.data?.sources.map(({ sha256 }) => sha256 ?? "").join(" ");
  if (!run.scores.length || !other.scores.length)
    return { result: null, why: "One of the runs kept no scores of its validation pairs." };
  if (!prints(run) || prints(run) !== prints(other))
    return { result: null, why: "The two runs read different data files." };
  const comparison = compareLines(scoreLists(run), scoreLists(other), options);
  const { result } = comparison;
  if (result === null || comparison.skipped === 0 || result.n_prompts >= FEWEST_PROMPTS) return comparison;
  const shared = `${counted(result.n_pairs, "pair")} of ${counted(result.n_prompts, "prompt")}`;
  return {
    result: null,
    why: `The two runs were validated on different parts of the same file, with ${shared} in common; rewardbook compare scores both on one file.`,
  };
}

/** Fewer that two runs with different validation pairs happen to share say nothing. */
const FEWEST_PROMPTS = 10;

const counted = (n: number, what: string): string => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

/** Paired comparison on the pairs that every list of both sides has. */
export function compareLines(lists: ScoreLists, others: ScoreLists, options: CompareOptions = {}): RunComparison {
  const all = [...lists, ...others];
  const times = new Map<string, number>();
  for (const list of all)
    for (const id of new Set(list.map((line) => line.id))) times.set(id, (times.get(id) ?? 0) + 1);
  const shared = (list: readonly ScoreLine[]) => list.filter(({ id }) => times.get(id) === all.length);
  const pairs = shared(lists[0]).length;
  if (pairs === 0) return { result: null, why: "The two runs were validated on different pairs of the same file." };
  const scored = (side: ScoreLists) => side.map((list) => shared(list).map(pairOfLine));
  const result = compareScoreRuns(scored(lists), scored(others), options);
  return { result, skipped: lists[0].length + others[0].length - 2 * pairs };
}

/** The verdict in a few words. */
export function comparisonTitle({ result }: RunComparison, first: string, second: string): string {
  if (result === null) return `Not compared with ${second}`;
  if (!result.difference_shown) return `No difference shown between ${first} and ${second}`;
  return result.difference > 0 ? `${first} is better than ${second}` : `${second} is better than ${first}`;
}

/**
 * The verdict with its interval and its tests.
 *
 * @example
 * ```ts
 * console.log(comparisonSentence(compareRuns(run, run), "mine", "other"));
 * ```
 */
export function comparisonSentence(
  comparison: RunComparison,
  first: string,
  second: string,
  kind = "validation pairs",
): string {
  const { result } = comparison;
  if (result === null) return `${comparison.why} The figures stand side by side, but no paired test is made.`;
  const { difference, difference_ci95: ci95, n_pairs, n_prompts } = result;
  const [better, worse] = difference >= 0 ? [first, second] : [second, first];
  const [low, high] = difference >= 0 ? ci95 : [-ci95[1], -ci95[0]];
  const basis = `on the ${n_pairs.toLocaleString("en")} ${kind} (${counted(n_prompts, "prompt")}) both scored`;
  const tests = testsOf(result);
  const { skipped } = comparison;
  const left = skipped ? ` ${skipped} pairs only one of them scored are left out.` : "";
  const gap = `${points(Math.abs(difference))} (95% interval ${signed(low)} to ${signed(high)}; ${tests})`;
  if (low > 0) return `${better} is better than ${worse} by ${gap} ${basis}.${left}`;
  if (difference === 0) return `No difference shown: the two are equally accurate ${basis} (${tests}).${left}`;
  return `No difference shown: ${better} is ahead of ${worse} by ${gap} ${basis}, which may be luck.${left}`;
}

const signed = (share: number) => `${share < 0 ? "−" : ""}${points(Math.abs(share))}`;
const small = (p: number) => (p < 0.001 ? "below 0.001" : p.toFixed(3));
const count = (runs: number) => `${runs} seed${runs === 1 ? "" : "s"}`;

function testsOf({
  bootstrap_p_value: bootstrap,
  mcnemar_mid_p_value: mcnemar,
  p_value,
  runs,
  other_runs,
}: Comparison) {
  if (bootstrap !== null && mcnemar !== null)
    return `bootstrap over prompts p = ${small(bootstrap)}, McNemar p = ${small(mcnemar)}`;
  return `p = ${small(p_value)} over prompts and seeds, ${count(runs)} against ${count(other_runs)}`;
}

/**
 * How small a difference these pairs can show, and what a comparison of two single models leaves open; empty for none.
 *
 * @example
 * ```ts
 * console.log(powerSentence(compareRuns(run, run)));
 * ```
 */
export function powerSentence({ result }: RunComparison): string {
  if (result === null) return "";
  const { detectable_difference: detectable, power_to_detect: asked, runs, other_runs } = result;
  const sentences: string[] = [];
  if (detectable !== null && detectable > 0)
    sentences.push(`These pairs would show a true difference of ${points(detectable)} four times in five.`);
  if (asked) {
    const needed =
      asked.power >= 0.8
        ? ""
        : asked.prompts_needed === null
          ? "; no number of prompts brings it to 80%, it takes more seeds"
          : `; it takes about ${asked.prompts_needed.toLocaleString("en")} prompts of this kind to make it 80%`;
    const chance = percent(asked.power, 0);
    sentences.push(`One of ${points(asked.difference)} would be shown with a chance of ${chance}${needed}.`);
  }
  if (runs === 1 && other_runs === 1)
    sentences.push("This is of these two models: another seed of either might change it (train with --seeds).");
  return sentences.join(" ");
}
