// In: texts. Out: groups of near-duplicates (Jaccard similarity of word bigrams), by MinHash and banding.
import { createRandom } from "../random";
import { createUnion } from "../union";
import { normaliseText } from "./normalise";

/** Rows of a band × bands = length of a signature; finds similarity 0.8 with probability 0.998. */
const ROWS = 6;
const BANDS = 20;
const LENGTH = ROWS * BANDS;
/** Bigrams of a text that count; two texts that agree so far are duplicates. */
const MAX_SHINGLES = 1024;
/** Items that fit in one index: 2^21, so that key and item share a double. */
const MAX_ITEMS = 2097152;
/** Earlier items that a later one is compared with in a band. */
const MAX_COMPARED = 8;
/** Similarity from which two texts are near-duplicates. */
export const NEAR = 0.8;

/** Finaliser of MurmurHash3: spreads the bits of a 32-bit number. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

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

/** Collects texts one by one: 200 bytes are kept of each, not the text. */
export interface NearDuplicateIndex {
  readonly size: number;
  /** Adds a text; beyond two million nothing more is added. */
  add(text: string): void;
  /**
   * Joins what is alike; similarity is exact where `textOf` gives the texts back, else estimated (standard error 0.04).
   *
   * @returns the links that join each group: a group of n items has n − 1 of them
   */
  links(threshold?: number, textOf?: (item: number) => string): NearPair[];
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
  const random = createRandom(0x5eed);
  const factor = Int32Array.from({ length: LENGTH }, () => random.integer(4294967296) | 1);
  const offset = Int32Array.from({ length: LENGTH }, () => random.integer(4294967296));
  const low = new Uint32Array(LENGTH);
  let keys = new Uint32Array(BANDS * 1024);
  let bytes = new Uint8Array(LENGTH * 1024);
  let size = 0;

  const add = (text: string): void => {
    if (size === MAX_ITEMS) return;
    low.fill(0xffffffff);
    for (const shingle of shingles(text))
      for (let k = 0; k < LENGTH; k++) {
        const value = mixOnce(Math.imul(shingle, factor[k]) + offset[k]);
        if (value < low[k]) low[k] = value;
      }
    if ((size + 1) * LENGTH > bytes.length) {
      keys = grow(keys, new Uint32Array(keys.length * 2));
      bytes = grow(bytes, new Uint8Array(bytes.length * 2));
    }
    for (let band = 0; band < BANDS; band++) {
      let key = band;
      for (let row = 0; row < ROWS; row++) key = mix(Math.imul(key, 31) ^ low[band * ROWS + row]);
      keys[size * BANDS + band] = key;
    }
    for (let k = 0; k < LENGTH; k++) bytes[size * LENGTH + k] = low[k] & 255;
    size++;
  };

  const estimate = (a: number, b: number): number => {
    let same = 0;
    for (let k = 0; k < LENGTH; k++) if (bytes[a * LENGTH + k] === bytes[b * LENGTH + k]) same++;
    // Different values share their low byte once in 256.
    return Math.max(0, (same / LENGTH - 1 / 256) / (1 - 1 / 256));
  };

  /** Items that agree in a whole band, band by band, in the order of the items. */
  const forEachRun = (each: (items: number[]) => void): void => {
    for (let band = 0; band < BANDS; band++) {
      // Key and index in one number below 2^53: sorting puts equal keys together.
      const order = Float64Array.from({ length: size }, (_, i) => keys[i * BANDS + band] * MAX_ITEMS + i).sort();
      for (let start = 0, end = 0; start < size; start = end) {
        const key = Math.floor(order[start] / MAX_ITEMS);
        for (end = start + 1; end < size && Math.floor(order[end] / MAX_ITEMS) === key; end++);
        if (end - start > 1) each(Array.from(order.subarray(start, end), (value) => value % MAX_ITEMS));
      }
    }
  };

  const links = (threshold = NEAR, textOf?: (item: number) => string): NearPair[] => {
    const union = createUnion(size);
    const found: NearPair[] = [];
    const compare = (a: number, b: number): void => {
      if (union.root(a) === union.root(b)) return;
      const similarity = textOf ? jaccard(shingles(textOf(a)), shingles(textOf(b))) : estimate(a, b);
      if (similarity >= threshold && union.join(a, b)) found.push({ a: Math.min(a, b), b: Math.max(a, b), similarity });
    };
    forEachRun((run) => {
      for (let i = 1; i < run.length; i++) {
        compare(run[0], run[i]);
        compare(run[i - 1], run[i]);
      }
    });
    return found.sort((x, y) => x.a - y.a || x.b - y.b);
  };
  const matches = (own: number, first: number, threshold = NEAR): NearPair[] => {
    const best = new Map<number, NearPair>();
    forEachRun((run) => {
      const before = run.filter((item) => item < own).slice(0, MAX_COMPARED);
      if (before.length === 0 || run[run.length - 1] < first) return;
      for (const b of run)
        if (b >= first)
          for (const a of before) {
            const similarity = estimate(a, b);
            if (similarity >= threshold && similarity > (best.get(b)?.similarity ?? 0))
              best.set(b, { a, b, similarity });
          }
    });
    return [...best.values()].sort((x, y) => x.b - y.b);
  };
  return {
    get size() {
      return size;
    },
    add,
    links,
    matches,
  };
}

/** One round of mixing: the product alone leaves the low bits of equal shingles in step. */
const mixOnce = (h: number): number => Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) >>> 0;

function grow<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
