// In: pairs one by one. Out: exact duplicates, labels that contradict each other, answers always on the same side.
import { hashText, joinHashes } from "../pairs/hash";
import { createHashGroups, type HashGroups } from "../pairs/hashGroups";
import { normaliseText } from "../pairs/normalise";
import type { PreferencePair } from "../pairs/pair";
import { createBest } from "./best";

/** Pairs are named by their place in the file, counted from 0. */
export interface Repeats {
  /** Pairs that were there before: same prompt, same answers, same label. */
  readonly duplicates: number;
  /** [first, repeated] for some of them. */
  readonly duplicateExamples: readonly (readonly [number, number])[];
  /** Pairs of prompt and two answers that are labelled both ways. */
  readonly contradictions: number;
  readonly contradictionExamples: readonly (readonly [number, number])[];
  /** Answers given to many prompts and (nearly) always preferred, or rejected: the label shows without reading the prompt. */
  readonly oneSided: readonly OneSided[];
  /** How many pairs contain such an answer. */
  readonly oneSidedPairs: number;
}

export interface OneSided {
  readonly side: "chosen" | "rejected";
  readonly chosen: number;
  readonly rejected: number;
  /** Different prompts that it answers. */
  readonly prompts: number;
  /** A pair that has it. */
  readonly first: number;
}

const LISTED = 20;
/** An answer to so many different prompts that stands on one side in this share of its pairs is no accident. */
const OFTEN = 5;
const ONE_SIDE = 0.9;

/** Records on disk: 72 bytes of each pair. */
export function createRepeats() {
  /** Prompt and both answers in one hash, place, whether the preferred answer has the lower hash. */
  const pairs = createHashGroups(3);
  /** Answer, prompt, 2·place for the chosen one and 2·place + 1 for the rejected one. */
  const answers = createHashGroups(3);
  let place = 0;

  const add = ({ prompt, chosen, rejected }: PreferencePair): void => {
    const [a, b] = [hashText(normaliseText(chosen)), hashText(normaliseText(rejected))];
    const asked = hashText(normaliseText(prompt));
    pairs.add(joinHashes(asked, Math.min(a, b), Math.max(a, b)), place, a < b ? 1 : 0);
    answers.add(a, asked, 2 * place);
    answers.add(b, asked, 2 * place + 1);
    place++;
  };

  const result = (): Repeats => {
    const found = { ...pairRepeats(pairs), ...sides(answers, place) };
    pairs.close();
    answers.close();
    return found;
  };
  return { add, result };
}

function pairRepeats(pairs: HashGroups) {
  let [duplicates, contradictions] = [0, 0];
  const duplicateExamples: [number, number][] = [];
  const contradictionExamples: [number, number][] = [];
  pairs.forEach(2, (records) => {
    /** Of either direction: how many, and the first two places. */
    const ways = [0, 1].map(() => ({ count: 0, first: -1, second: -1 }));
    for (let i = 0; i < records.length; i += 3) {
      const way = ways[records[i + 2]];
      if (way.count === 0) way.first = records[i + 1];
      if (way.count === 1) way.second = records[i + 1];
      way.count++;
    }
    for (const { count, first, second } of ways) {
      duplicates += Math.max(0, count - 1);
      if (count > 1 && duplicateExamples.length < LISTED) duplicateExamples.push([first, second]);
    }
    const [one, two] = ways.map(({ first }) => first);
    if (one < 0 || two < 0) return;
    contradictions++;
    if (contradictionExamples.length < LISTED) contradictionExamples.push([Math.min(one, two), Math.max(one, two)]);
  });
  return { duplicates, duplicateExamples, contradictions, contradictionExamples };
}

function sides(answers: HashGroups, pairs: number) {
  const found = createBest<OneSided>(LISTED, (x, y) => y.prompts - x.prompts || x.first - y.first);
  /** One bit a pair. */
  const marked = new Uint8Array(Math.ceil(pairs / 8));
  let oneSidedPairs = 0;
  answers.forEach(OFTEN, (records) => {
    const total = records.length / 3;
    let [chosen, prompts, first] = [0, 0, Infinity];
    for (let i = 0; i < records.length; i += 3) {
      if (records[i + 2] % 2 === 0) chosen++;
      if (i === 0 || records[i + 1] !== records[i - 2]) prompts++;
      first = Math.min(first, Math.floor(records[i + 2] / 2));
    }
    if (Math.max(chosen, total - chosen) < ONE_SIDE * total || prompts < OFTEN) return;
    found.add({ side: 2 * chosen > total ? "chosen" : "rejected", chosen, rejected: total - chosen, prompts, first });
    for (let i = 0; i < records.length; i += 3) {
      const place = Math.floor(records[i + 2] / 2);
      if (marked[place >> 3] & (1 << (place & 7))) continue;
      marked[place >> 3] |= 1 << (place & 7);
      oneSidedPairs++;
    }
  });
  return { oneSided: found.list(), oneSidedPairs };
}
