// What stands for millions of texts without holding them: hash table, groups by hash, numbers and texts on disk,
// against Map, sort and plain lists; sizes go beyond what stays in memory.
import { describe, expect, it } from "vitest";
import { createNearDuplicateIndex } from "../../lib/pairs/duplicates";
import { hashText } from "../../lib/pairs/hash";
import { createHashGroups } from "../../lib/pairs/hashGroups";
import { createHashTable } from "../../lib/pairs/hashTable";
import { createStoredNumbers } from "../../lib/pairs/storedNumbers";
import { TextStore } from "../../lib/pairs/textStore";
import { createRandom } from "../../lib/random";

describe("a hash table", () => {
  it("is a Map from hash to number, also for hash 0 and for hashes that fall into one slot", () => {
    const [table, map] = [createHashTable(), new Map<number, number>()];
    const hashes = [
      0,
      ...Array.from({ length: 300 }, (_, i) => i * 2 ** 30),
      ...Array.from({ length: 5000 }, (_, i) => hashText(`${i}`)),
    ];
    for (const hash of hashes) {
      expect(table.get(hash)).toBe(map.get(hash) ?? -1);
      if (map.has(hash)) continue;
      table.set(hash, map.size);
      map.set(hash, map.size);
    }
    expect(table.size).toBe(map.size);
    for (const [hash, number] of map) expect(table.get(hash)).toBe(number);
    expect(table.get(hashText("never"))).toBe(-1);
  });
});

describe("groups by hash", () => {
  it("are those of sorting all records, more than memory keeps", () => {
    const random = createRandom(3);
    const groups = createHashGroups(3);
    const records: number[][] = [];
    for (let i = 0; i < 80_000; i++) {
      const record = [hashText(`${random.integer(30_000)}`), random.integer(5), i];
      records.push(record);
      groups.add(...record);
    }
    records.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
    const counts = new Map<number, number>();
    for (const [hash] of records) counts.set(hash, (counts.get(hash) ?? 0) + 1);
    const got: number[] = [];
    expect(groups.forEach(2, (group) => got.push(...group))).toBe(counts.size);
    expect(got).toEqual(records.filter(([hash]) => counts.get(hash)! >= 2).flat());
    groups.close();
  });
});

describe("numbers and texts", () => {
  it("come back by their place while more are added", () => {
    const random = createRandom(4);
    const [numbers, texts] = [createStoredNumbers(), new TextStore("test")];
    const expected: string[] = [];
    for (let i = 0; i < 30_000; i++) {
      expected.push(random.next() < 0.1 ? "" : `text ${i} ${"ß漢".repeat(random.integer(12))}`);
      expect(texts.add(expected[i])).toBe(i);
      numbers.push(i * 1.5);
      const place = random.integer(i + 1);
      if (i % 7 === 0) expect([numbers.get(place), texts.get(place)]).toEqual([place * 1.5, expected[place]]);
    }
    expect(expected.map((_, i) => texts.get(i))).toEqual(expected);
  });
});

describe("near-duplicates on disk", () => {
  it("are found across blocks and parts of the index: each fresh text has one copy with one word changed", () => {
    const random = createRandom(5);
    const FRESH = 70_000;
    const words = (of: number) => Array.from({ length: 12 }, (_, k) => `${of}x${k}`);
    const index = createNearDuplicateIndex();
    const textOf = (item: number): string => {
      const changed = words(item % FRESH);
      if (item >= FRESH) changed[11] = "other"; // 11 of 15 bigrams stay
      return changed.join(" ");
    };
    const sampled = new Set(Array.from({ length: 300 }, () => random.integer(FRESH)));
    for (let item = 0; item < 2 * FRESH; item++) index.add(sampled.has(item % FRESH) ? textOf(item) : `${item}`);
    const found = index.links(0.7, textOf);
    expect(found.every(({ a, b, similarity }) => b === a + FRESH && Math.abs(similarity - 11 / 15) < 1e-12)).toBe(true);
    // By the band's formula 1 − (1 − s⁶)²⁰ of such pairs 0.96 are found.
    expect(found.length).toBeGreaterThan(0.9 * sampled.size);
    const estimated = index.matches(FRESH, FRESH, 0.6);
    expect(estimated.length).toBeGreaterThan(0.8 * sampled.size);
    expect(estimated.every(({ a, b }) => b === a + FRESH)).toBe(true);
  });
});
