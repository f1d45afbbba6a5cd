// In: texts. Out: groups of near-duplicates (Jaccard similarity of word bigrams), by MinHash and banding.
import { createRandom } from "../random";
import { createUnion } from "../union";
import { normaliseText } from "./normalise";
import { BANDS, SIGNATURE, createSignatures, mix, type Signatures } from "./signatures";

/** Bigrams of a text that count; two texts that agree so far are duplicates. */
const MAX_SHINGLES = 1024;
/** Items that fit in one index. */
const MAX_ITEMS = 2 ** 23;
/** Items whose keys are sorted at once. */
const SORTED = 2 ** 17;
/** Earlier items that a later one is compared with in a band. */
const MAX_COMPARED = 8;
/** Similarity from which two texts are near-duplicates. */
export const NEAR = 0.8;
/** An estimate that falls so far short of the threshold by chance once in 200,000 cases: then the texts are not read. */
const SHORT = 0.16;
/** Sets of shingles that are kept while texts are compared. */
const KEPT_SETS = 16;

/** Hashes of the word bigrams of the normalised text, its ends included; letters of every script count as words. */
export function shingles(text: string): Set<number> {
  const words = normaliseText(text).match(/[\p{L}\p{N}]+/gu) ?? [];
  const out = new Set<number>();
  let previous = 0x2545f491;
  for (const word of words) {
    let h = 0x811c9dc5;
    for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
    out.add(mix(Math.imul(previous, 31) ^ h));
    previous = h;
    if (out.size >= MAX_SHINGLES) return out;
  }
  out.add(mix(Math.imul(previous, 31) ^ 0x9e3779b9));
  return out;
}

/** |A ∩ B| / |A ∪ B|; two empty sets are equal. */
export function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  if (a.size === 0 && b.size === 0) return 1;
  let shared = 0;
  for (const item of a) if (b.has(item)) shared++;
  return shared / (a.size + b.size - shared);
}

/** Two items found alike. */
export interface NearPair {
  readonly a: number;
  readonly b: number;
  readonly similarity: number;
}

/** Collects texts one by one: 200 bytes on disk are kept of each, not the text. */
export interface NearDuplicateIndex {
  readonly size: number;
  /** Adds a text; beyond eight million nothing more is added. */
  add(text: string): void;
  /**
   * Joins what is alike; similarity is exact where `textOf` gives the texts back, else estimated (standard error 0.04).
   *
   * @returns the links that join each group: a group of n items has n − 1 of them
   */
  links(threshold?: number, textOf?: (item: number) => string): NearPair[];
  /** The same links as they are found, in no order. */
  forEachLink(each: (link: NearPair) => void, threshold?: number, textOf?: (item: number) => string): void;
  /** For each item from `first` on, the most similar of the first `own` items, where one is near. */
  matches(own: number, first: number, threshold?: number): NearPair[];
}

/**
 * Reference: Broder (1997), On the resemblance and containment of documents; Leskovec et al., Mining of Massive Datasets, 3.4.
 *
 * @example
 * ```ts
 * const index = createNearDuplicateIndex();
 * for (const text of ["What is two plus two?", "What is two plus two, then?"]) index.add(text);
 * console.log(index.links(0.5));
 * ```
 */
export function createNearDuplicateIndex(): NearDuplicateIndex {
  const minHash = createMinHash();
  const signatures = createSignatures();
  const add = (text: string): void => {
    if (signatures.size < MAX_ITEMS) signatures.add(minHash(shingles(text)));
  };

  const forEachLink = (each: (link: NearPair) => void, threshold = NEAR, textOf?: (item: number) => string): void => {
    const union = createUnion(signatures.size);
    const similarityOf = similarities(signatures, threshold, textOf);
    const compare = (a: number, b: number): void => {
      if (union.root(a) === union.root(b)) return;
      const similarity = similarityOf(a, b);
      if (similarity >= threshold && union.join(a, b)) each({ a: Math.min(a, b), b: Math.max(a, b), similarity });
    };
    forEachRun(signatures, (run) => {
      for (let i = 1; i < run.length; i++) {
        compare(run[0], run[i]);
        compare(run[i - 1], run[i]);
      }
    });
  };
  const links = (threshold = NEAR, textOf?: (item: number) => string): NearPair[] => {
    const found: NearPair[] = [];
    forEachLink((link) => found.push(link), threshold, textOf);
    return found.sort((x, y) => x.a - y.a || x.b - y.b);
  };
  const matches = (own: number, first: number, threshold = NEAR): NearPair[] => {
    const best = new Map<number, NearPair>();
    forEachRun(signatures, (run) => {
      const before = run.filter((item) => item < own).slice(0, MAX_COMPARED);
      if (before.length === 0 || run[run.length - 1] < first) return;
      for (const b of run)
        if (b >= first)
          for (const a of before) {
            const similarity = estimate(signatures, a, b);
            if (similarity >= threshold && similarity > (best.get(b)?.similarity ?? 0))
              best.set(b, { a, b, similarity });
          }
    });
    return [...best.values()].sort((x, y) => x.b - y.b);
  };
  return {
    get size() {
      return signatures.size;
    },
    add,
    links,
    forEachLink,
    matches,
  };
}

/** The least hash of a set under each of 120 permutations; the list is overwritten by the next. */
function createMinHash(): (set: ReadonlySet<number>) => Uint32Array {
  const random = createRandom(0x5eed);
  const factor = Int32Array.from({ length: SIGNATURE }, () => random.integer(4294967296) | 1);
  const offset = Int32Array.from({ length: SIGNATURE }, () => random.integer(4294967296));
  const low = new Uint32Array(SIGNATURE);
  return (set) => {
    low.fill(0xffffffff);
    for (const shingle of set)
      for (let k = 0; k < SIGNATURE; k++) {
        const value = mixOnce(Math.imul(shingle, factor[k]) + offset[k]);
        if (value < low[k]) low[k] = value;
      }
    return low;
  };
}

/** One round of mixing: the product alone leaves the low bits of equal shingles in step. */
const mixOnce = (h: number): number => Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;

/** Different values share their low byte once in 256. */
const estimate = (signatures: Signatures, a: number, b: number): number =>
  Math.max(0, (signatures.agreement(a, b) - 1 / 256) / (1 - 1 / 256));

/** Similarity by the texts where they can be had, for what is near by estimate; else the estimate. */
function similarities(signatures: Signatures, threshold: number, textOf?: (item: number) => string) {
  if (!textOf) return (a: number, b: number): number => estimate(signatures, a, b);
  const kept = Array.from({ length: KEPT_SETS }, () => ({ item: -1, set: new Set<number>() }));
  const setOf = (item: number): ReadonlySet<number> => {
    const slot = kept[item % KEPT_SETS];
    if (slot.item !== item) Object.assign(slot, { item, set: shingles(textOf(item)) });
    return slot.set;
  };
  return (a: number, b: number): number => {
    const estimated = estimate(signatures, a, b);
    return estimated < threshold - SHORT ? estimated : jaccard(setOf(a), setOf(b));
  };
}

/** Items that agree in a whole band, band by band, in the order of the keys, then of the items. */
function forEachRun(signatures: Signatures, each: (items: number[]) => void): void {
  const shares = Math.max(1, Math.ceil(signatures.size / SORTED));
  const width = Math.ceil(2 ** 32 / shares);
  const factor = 2 ** Math.ceil(Math.log2(signatures.size + 1));
  let order: Float64Array = new Float64Array(Math.min(signatures.size, 2 * SORTED));
  for (let band = 0; band < BANDS; band++)
    for (let low = 0; low < 2 ** 32; low += width) {
      let count = 0;
      signatures.forEachKeys(band, (keys, firstItem) => {
        for (let i = 0; i < keys.length; i++) {
          const key = keys[i] - low;
          if (key < 0 || key >= width) continue;
          if (count === order.length) order = doubled(order);
          // Key and item in one number, far below 2^53: sorting puts equal keys together.
          order[count++] = key * factor + firstItem + i;
        }
      });
      runsOf(order.subarray(0, count).sort(), factor, each);
    }
}

function runsOf(order: Float64Array, factor: number, each: (items: number[]) => void): void {
  for (let start = 0, end = 0; start < order.length; start = end) {
    const key = Math.floor(order[start] / factor);
    for (end = start + 1; end < order.length && Math.floor(order[end] / factor) === key; end++);
    if (end - start > 1) each(Array.from(order.subarray(start, end), (value) => value % factor));
  }
}

function doubled(from: Float64Array): Float64Array {
  const to = new Float64Array(from.length * 2);
  to.set(from);
  return to;
}
