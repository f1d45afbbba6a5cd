// In: pairs one by one. Out: exact duplicates, labels that contradict each other, answers always on the same side.
import { createNumberList, hashText, joinHashes } from "../pairs/hash";
import { normaliseText } from "../pairs/normalise";
import type { PreferencePair } from "../pairs/pair";

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

/** 32 bytes are kept of each pair. */
export function createRepeats() {
  const pairKeys = createNumberList();
  const prompts = createNumberList();
  const answers = createNumberList();

  const add = ({ prompt, chosen, rejected }: PreferencePair): void => {
    const [a, b] = [hashText(normaliseText(chosen)), hashText(normaliseText(rejected))];
    const asked = hashText(normaliseText(prompt));
    const key = joinHashes(asked, Math.min(a, b), Math.max(a, b));
    prompts.push(asked);
    pairKeys.push(key * 2 + (a < b ? 1 : 0));
    answers.push(a);
    answers.push(b);
  };

  const result = (): Repeats => ({ ...pairRepeats(pairKeys.values()), ...sides(answers.values(), prompts.values()) });
  return { add, result };
}

/** Indices in the order of their keys; equal keys keep their order. */
function sortedIndices(keys: Float64Array, keyOf: (value: number) => number): Uint32Array {
  return Uint32Array.from(keys, (_, i) => i).sort((i, j) => keyOf(keys[i]) - keyOf(keys[j]) || i - j);
}

/** Calls back with each run of indices whose keys are equal. */
function runs(keys: Float64Array, keyOf: (value: number) => number, each: (indices: Uint32Array) => void): void {
  const order = sortedIndices(keys, keyOf);
  for (let start = 0, end = 0; start < order.length; start = end) {
    const key = keyOf(keys[order[start]]);
    for (end = start + 1; end < order.length && keyOf(keys[order[end]]) === key; end++);
    each(order.subarray(start, end));
  }
}

function pairRepeats(keys: Float64Array) {
  let [duplicates, contradictions] = [0, 0];
  const duplicateExamples: [number, number][] = [];
  const contradictionExamples: [number, number][] = [];
  runs(
    keys,
    (key) => Math.floor(key / 2),
    (indices) => {
      if (indices.length === 1) return;
      const [one, two] = [0, 1].map((direction) => [...indices].filter((i) => keys[i] % 2 === direction));
      for (const same of [one, two]) {
        duplicates += Math.max(0, same.length - 1);
        if (same.length > 1 && duplicateExamples.length < LISTED) duplicateExamples.push([same[0], same[1]]);
      }
      if (one.length > 0 && two.length > 0) {
        contradictions++;
        if (contradictionExamples.length < LISTED)
          contradictionExamples.push([Math.min(one[0], two[0]), Math.max(one[0], two[0])]);
      }
    },
  );
  return { duplicates, duplicateExamples, contradictions, contradictionExamples };
}

/** Places of the answers: 2·pair for the chosen one, 2·pair + 1 for the rejected one. */
function sides(answers: Float64Array, prompts: Float64Array) {
  const found: OneSided[] = [];
  const pairs = new Set<number>();
  runs(
    answers,
    (key) => key,
    (places) => {
      if (places.length < OFTEN) return;
      const chosen = places.reduce((sum, place) => sum + (place % 2 === 0 ? 1 : 0), 0);
      if (Math.max(chosen, places.length - chosen) < ONE_SIDE * places.length) return;
      const asked = new Set(Array.from(places, (place) => prompts[place >> 1])).size;
      if (asked < OFTEN) return;
      found.push({
        side: 2 * chosen > places.length ? "chosen" : "rejected",
        chosen,
        rejected: places.length - chosen,
        prompts: asked,
        first: places[0] >> 1,
      });
      for (const place of places) pairs.add(place >> 1);
    },
  );
  found.sort((x, y) => y.prompts - x.prompts || x.first - y.first);
  return { oneSided: found.slice(0, LISTED), oneSidedPairs: pairs.size };
}
