// MinHash against brute force over all pairs of texts; similarity against literal values.
import { describe, expect, it } from "vitest";
import { createNearDuplicateIndex, jaccard, shingles } from "../../lib/pairs/duplicates";
import { createRandom } from "../../lib/random";

describe("near-duplicates", () => {
  it("similarity of word bigrams with both ends: literal values", () => {
    // ^a ab bc cd d$ against ^a ab bc ce e$: 3 shared of 7.
    expect(jaccard(shingles("a b c d"), shingles("A,  b c E"))).toBeCloseTo(3 / 7, 12);
    expect(jaccard(shingles("same words"), shingles("SAME   words!"))).toBe(1);
    expect(jaccard(shingles("漢字 かな"), shingles("漢字 カナ"))).toBeCloseTo(1 / 5, 12);
  });

  it("finds the same groups as comparing every text with every other", () => {
    const random = createRandom(5);
    const words = Array.from({ length: 300 }, (_, i) => `word${i}`);
    const texts: string[] = [];
    for (let i = 0; i < 250; i++) {
      const fresh = Array.from({ length: 12 + random.integer(40) }, () => random.pick(words));
      if (i > 10 && random.next() < 0.5) {
        const copy = texts[random.integer(texts.length)].split(" ");
        for (let edits = random.integer(4); edits > 0; edits--) copy[random.integer(copy.length)] = random.pick(words);
        texts.push(copy.join(" "));
      } else texts.push(fresh.join(" "));
    }
    const sets = texts.map(shingles);
    const group = texts.map((_, i) => i);
    for (let a = 0; a < texts.length; a++)
      for (let b = a + 1; b < texts.length; b++)
        if (jaccard(sets[a], sets[b]) >= 0.8) {
          const [from, to] = [Math.max(group[a], group[b]), Math.min(group[a], group[b])];
          group.forEach((g, i) => (group[i] = g === from ? to : g));
        }
    const index = createNearDuplicateIndex();
    texts.forEach((text) => index.add(text));
    const links = index.links(0.8, (item) => texts[item]);
    const found = texts.map((_, i) => i);
    for (const { a, b } of links) {
      const [from, to] = [Math.max(found[a], found[b]), Math.min(found[a], found[b])];
      found.forEach((g, i) => (found[i] = g === from ? to : g));
    }
    expect(found).toEqual(group);
    expect(links.length).toBe(texts.length - new Set(group).size);
  });

  it("estimates similarity without the texts, and matches later items to earlier ones", () => {
    const base = Array.from({ length: 60 }, (_, i) => `token${i}`).join(" ");
    const near = base.replace("token30", "changed");
    const index = createNearDuplicateIndex();
    for (const text of [base, "something else entirely", near, "nothing alike at all"]) index.add(text);
    const exact = jaccard(shingles(base), shingles(near));
    const [match, ...rest] = index.matches(2, 2);
    expect(rest).toEqual([]);
    expect([match.a, match.b]).toEqual([0, 2]);
    expect(Math.abs(match.similarity - exact)).toBeLessThan(0.12);
  });
});
