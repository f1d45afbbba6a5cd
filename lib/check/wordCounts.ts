// In: answers, chosen and rejected. Out: in how many of either each word stands; texts are kept of the frequent ones only.
import { hashText } from "../pairs/hash";
import { createHashTable, type HashTable } from "../pairs/hashTable";
import { normaliseText } from "../pairs/normalise";

/** Answers that contain a word. */
export interface WordCount {
  readonly word: string;
  readonly chosen: number;
  readonly rejected: number;
}

/** From so many answers on a word may tell something. */
const OFTEN = 10;
/** Beyond so many different words those that were seen once are forgotten. */
const MOST = 400_000;

/** About 30 bytes a word. */
export function createWordCounts() {
  let numbers: HashTable = createHashTable();
  let hashes = new Float64Array(1024);
  let counts = new Uint32Array(2 * 1024);
  let texts = new Map<number, string>();
  let tokens = 0;

  const numberOf = (hash: number): number => {
    const known = numbers.get(hash);
    if (known >= 0) return known;
    const number = numbers.size;
    numbers.set(hash, number);
    if (number === hashes.length) {
      hashes = lengthened(hashes, new Float64Array(2 * number));
      counts = lengthened(counts, new Uint32Array(4 * number));
    }
    hashes[number] = hash;
    counts.fill(0, 2 * number, 2 * number + 2);
    return number;
  };

  /** Adds the different words of one answer. */
  const add = (text: string, side: 0 | 1): void => {
    const all = normaliseText(text).match(/[\p{L}\p{N}']+/gu) ?? [];
    tokens += all.length;
    for (const word of new Set(all)) {
      const number = numberOf(hashText(word));
      counts[2 * number + side]++;
      // A copy: a piece of a text would keep all of it.
      if (counts[2 * number] + counts[2 * number + 1] === OFTEN) texts.set(number, Buffer.from(word).toString());
    }
  };

  /** Keeps the number of different words in bounds. */
  const forgetRare = (): void => {
    if (numbers.size <= MOST) return;
    const old = { numbers, hashes, counts, texts };
    numbers = createHashTable();
    texts = new Map();
    [hashes, counts] = [new Float64Array(old.hashes.length), new Uint32Array(old.counts.length)];
    for (let number = 0; number < old.numbers.size; number++) {
      const [chosen, rejected] = old.counts.subarray(2 * number, 2 * number + 2);
      if (chosen + rejected === 1) continue;
      const now = numberOf(old.hashes[number]);
      counts.set([chosen, rejected], 2 * now);
      const text = old.texts.get(number);
      if (text !== undefined) texts.set(now, text);
    }
  };

  /** Words that stand in ten answers or more. */
  const often = (): WordCount[] =>
    [...texts].map(([number, word]) => ({ word, chosen: counts[2 * number], rejected: counts[2 * number + 1] }));
  return {
    add,
    forgetRare,
    often,
    get size() {
      return numbers.size;
    },
    /** Words in all. */
    get tokens() {
      return tokens;
    },
  };
}

function lengthened<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
