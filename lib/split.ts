// In: pairs and ratios. Out: train, validation and test pairs that share no question, and the original's statistics.
import { UsageError } from "./errors";
import { createNearDuplicateIndex, NEAR } from "./pairs/duplicates";
import { createUnion } from "./union";
import { hashText } from "./pairs/hash";
import { createHashTable } from "./pairs/hashTable";
import { normaliseText } from "./pairs/normalise";
import type { PreferencePair } from "./pairs/pair";
import { shareOut } from "./pairs/shares";
import { createRandom } from "./random";

export const SPLITS = ["train", "val", "test"] as const;
export type SplitName = (typeof SPLITS)[number];
type PerSplit<T> = Record<SplitName, T>;

export interface SplitOptions {
  readonly train_ratio: number;
  readonly val_ratio: number;
  readonly test_ratio: number;
  readonly seed: number;
  /** Leave out pairs with score difference 0, and pairs whose answers are both rated 1. Default false. */
  readonly drop_weak?: boolean;
  /** Keep questions with near-duplicate prompts in one split. Default false: they are reported. */
  readonly keep_near_duplicates?: boolean;
}

/** The original notebook's `preference_pairs_split_stats.json`. */
export interface SplitStats {
  readonly seed: number;
  readonly drop_weak: boolean;
  readonly dropped: { score_diff_zero: number; both_score1: number };
  readonly counts: PerSplit<number>;
  readonly unique_qids: PerSplit<number>;
  readonly risk_dist: PerSplit<Record<string, number>>;
}

/** Two near-duplicate prompts that ended up in different splits. */
export interface Leak {
  readonly similarity: number;
  readonly splits: readonly [SplitName, SplitName];
  readonly lines: readonly [number, number];
  readonly prompts: readonly [string, string];
}

export interface Split extends PerSplit<PreferencePair[]> {
  readonly stats: SplitStats;
  /** Near-duplicate prompts across splits; empty with `keep_near_duplicates`. */
  readonly nearDuplicates: readonly Leak[];
}

/** Pairs that belong together: their questions share an id or a normalised prompt. */
interface Groups {
  /** Group of each pair, numbered in order of first appearance. */
  readonly of: Int32Array;
  /** The most frequent risk level of each group; of equal ones the first to appear. */
  readonly risks: readonly string[];
}

/**
 * Splits by question, stratified by the majority risk of each question.
 *
 * Each split gets its share of the questions to within one, over all and within each risk level; a split with a ratio
 * above 0 gets at least one question where there are enough. Rows keep their order.
 *
 * @throws UsageError when the ratios are not shares that sum to 1
 * @example
 * ```ts
 * const { train, val } = splitPairs(pairs, { train_ratio: 0.9, val_ratio: 0.1, test_ratio: 0, seed: 42 });
 * console.log(train.length, val.length);
 * ```
 */
export function splitPairs(pairs: readonly PreferencePair[], options: SplitOptions): Split {
  const ratios = checkRatios(options);
  const { kept, dropped } = options.drop_weak
    ? dropWeakPairs(pairs)
    : { kept: pairs, dropped: { score_diff_zero: 0, both_score1: 0 } };
  const facts = collectFacts(kept);
  const near = facts.index.links(NEAR, (item) => kept[facts.firsts[item]].prompt);
  const groups = groupPairs(facts, options.keep_near_duplicates ? near : []);
  const splitOf = assignGroups(groups.risks, ratios, options.seed);
  const result: PerSplit<PreferencePair[]> = { train: [], val: [], test: [] };
  const members: PerSplit<number[]> = { train: [], val: [], test: [] };
  kept.forEach((pair, i) => {
    const name = splitOf[groups.of[i]];
    result[name].push(pair);
    members[name].push(i);
  });

  const per = <T>(measure: (split: number[]) => T): PerSplit<T> => ({
    train: measure(members.train),
    val: measure(members.val),
    test: measure(members.test),
  });
  const stats: SplitStats = {
    seed: options.seed,
    drop_weak: options.drop_weak ?? false,
    dropped,
    counts: per((split) => split.length),
    unique_qids: per((split) => countDifferent(split, facts.questions)),
    risk_dist: per((split) => Object.fromEntries(tally(split.map((i) => facts.levels[facts.risks[i]])))),
  };
  const nearDuplicates = near.flatMap(({ a, b, similarity }): Leak[] => {
    const places = [facts.firsts[a], facts.firsts[b]];
    const [one, two] = places.map((i) => splitOf[groups.of[i]]);
    const [first, second] = places.map((i) => kept[i]);
    return one === two
      ? []
      : [{ similarity, splits: [one, two], lines: [first.line, second.line], prompts: [first.prompt, second.prompt] }];
  });
  return { ...result, stats, nearDuplicates };
}

function checkRatios({ train_ratio, val_ratio, test_ratio }: SplitOptions): number[] {
  const ratios = [train_ratio, val_ratio, test_ratio];
  const sum = train_ratio + val_ratio + test_ratio;
  if (ratios.some((ratio) => !(ratio >= 0)) || !(Math.abs(sum - 1) < 1e-6))
    throw new UsageError(
      `split: expected ratios of 0 or more that sum to 1, got ${ratios.map(String).join(" + ")}; change one of them`,
    );
  return ratios;
}

/** As in the original; where a source has scores but no score_difference, equal scores count as difference 0. */
export function dropWeakPairs(pairs: readonly PreferencePair[]) {
  const dropped = { score_diff_zero: 0, both_score1: 0 };
  const kept = pairs.filter(({ raw, scoreChosen, scoreRejected }) => {
    const bothOne = scoreChosen === 1 && scoreRejected === 1;
    if (raw.score_difference === 0) dropped.score_diff_zero++;
    else if (bothOne) dropped.both_score1++;
    else if (scoreChosen !== undefined && scoreChosen === scoreRejected) dropped.score_diff_zero++;
    else return true;
    return false;
  });
  return { kept, dropped };
}

function countDifferent(members: readonly number[], hashes: Float64Array): number {
  const seen = createHashTable();
  for (const i of members) if (seen.get(hashes[i]) < 0) seen.set(hashes[i], 0);
  return seen.size;
}

/** Counts in order of first appearance. */
function tally(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

/**
 * What the split needs of each pair, in one pass: texts may lie on disk. Prompts and questions stand as 52-bit hashes:
 * two of a million that share one by accident would only stay together.
 */
function collectFacts(pairs: readonly PreferencePair[]) {
  const index = createNearDuplicateIndex();
  const numbers = createHashTable();
  const levels = new Map<string, number>();
  const firsts: number[] = [];
  const N = pairs.length;
  const [prompts, risks, questions] = [new Int32Array(N), new Int32Array(N), new Float64Array(N)];
  pairs.forEach((pair, i) => {
    const key = hashText(promptIdentity(pair));
    if (numbers.get(key) < 0) {
      numbers.set(key, firsts.length);
      firsts.push(i);
      index.add(pair.prompt);
    }
    if (!levels.has(pair.riskLevel)) levels.set(pair.riskLevel, levels.size);
    prompts[i] = numbers.get(key);
    risks[i] = levels.get(pair.riskLevel)!;
    questions[i] = hashText(pair.questionId);
  });
  return {
    index,
    /** Number of each pair's normalised prompt. */
    prompts,
    /** The first pair of each prompt. */
    firsts,
    /** Place of each pair's risk level in `levels`. */
    risks,
    levels: [...levels.keys()],
    questions,
  };
}

/** Pairs without a prompt are questions of their own. */
const promptIdentity = (pair: PreferencePair): string => normaliseText(pair.prompt) || `\0${pair.questionId}`;

/** Joins pairs over question ids, prompts and, on request, near-duplicate prompts. */
function groupPairs(
  { prompts, firsts, risks, levels, questions }: ReturnType<typeof collectFacts>,
  near: readonly { a: number; b: number }[],
): Groups {
  const union = createUnion(firsts.length);
  const firstOfQuestion = createHashTable();
  questions.forEach((question, i) => {
    const first = firstOfQuestion.get(question);
    if (first < 0) firstOfQuestion.set(question, prompts[i]);
    else union.join(first, prompts[i]);
  });
  for (const { a, b } of near) union.join(a, b);
  const groupOfRoot = new Int32Array(firsts.length).fill(-1);
  let count = 0;
  const of = prompts.map((prompt) => {
    const root = union.root(prompt);
    if (groupOfRoot[root] < 0) groupOfRoot[root] = count++;
    return groupOfRoot[root];
  });
  return { of, risks: majorityRisks(of, count, risks).map((risk) => levels[risk]) };
}

/** The most frequent risk of each group; of equal ones the first to appear. Most groups are one pair: no count of their own. */
function majorityRisks(of: Int32Array, groups: number, risks: Int32Array): number[] {
  const first = new Array<number>(groups).fill(-1);
  const mixed = new Map<number, Map<number, number>>();
  const sizes = new Int32Array(groups);
  of.forEach((group, i) => {
    const counts = mixed.get(group);
    if (counts) counts.set(risks[i], (counts.get(risks[i]) ?? 0) + 1);
    else if (first[group] < 0 || first[group] === risks[i]) {
      first[group] = risks[i];
      sizes[group]++;
    } else {
      mixed.set(
        group,
        new Map([
          [first[group], sizes[group]],
          [risks[i], 1],
        ]),
      );
    }
  });
  for (const [group, counts] of mixed)
    first[group] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best))[0];
  return first;
}

/** The split of each group, in the order of the groups. */
function assignGroups(risks: readonly string[], ratios: readonly number[], seed: number): SplitName[] {
  const random = createRandom(seed);
  const strata = new Map<string, number[]>();
  for (const i of random.shuffle(risks.map((_, index) => index))) {
    const stratum = strata.get(risks[i]);
    if (stratum) stratum.push(i);
    else strata.set(risks[i], [i]);
  }
  const rows = [...strata.values()];
  const table = shareOut(
    rows.map((row) => row.length),
    ratios,
  );
  const out = new Array<SplitName>(risks.length);
  rows.forEach((row, s) => {
    const ordered = random.shuffle(row);
    let next = 0;
    SPLITS.forEach((name, k) => {
      for (let n = 0; n < table[s][k]; n++) out[ordered[next++]] = name;
    });
  });
  return out;
}
