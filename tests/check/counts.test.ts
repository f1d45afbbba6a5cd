// Counts of lengths and words, bounded in memory, against sorting all lengths and counting all words.
import { describe, expect, it } from "vitest";
import { createBest } from "../../lib/check/best";
import { createLengthCounts } from "../../lib/check/lengthCounts";
import { createWordCounts } from "../../lib/check/wordCounts";
import { createRandom } from "../../lib/random";

describe("lengths", () => {
  it("have the quantiles of the sorted list, also beyond the counted ones", () => {
    const random = createRandom(1);
    const counts = createLengthCounts();
    const all = Array.from({ length: 4001 }, () =>
      random.next() < 0.1 ? 60_000 + random.integer(1_000_000) : random.integer(3000),
    );
    all.forEach(counts.add);
    const sorted = [...all].sort((a, b) => a - b);
    expect(counts.profile()).toEqual({
      min: sorted[0],
      p5: sorted[200],
      median: sorted[2000],
      mean: Math.round((sorted.reduce((a, b) => a + b, 0) / 4001) * 10) / 10,
      p95: sorted[3800],
      max: sorted[4000],
    });
  });

  it("of nothing are 0", () => {
    expect(createLengthCounts().profile()).toEqual({ min: 0, p5: 0, median: 0, mean: 0, p95: 0, max: 0 });
  });
});

describe("words", () => {
  it("of ten answers or more are told with their counts; those seen once are forgotten beyond 400,000", () => {
    const counts = createWordCounts();
    const frequent = Array.from({ length: 3000 }, (_, i) => `frequent${i}`);
    for (let turn = 0; turn < 12; turn++) counts.add(frequent.join(" "), turn < 7 ? 0 : 1);
    for (let i = 0; i < 500; i++) {
      counts.add(`${Array.from({ length: 1000 }, (_, k) => `rare${i}x${k}`).join(" ")} Common common`, i % 5 ? 0 : 1);
      counts.forgetRare();
    }
    expect(counts.size).toBeLessThan(500_000);
    expect(counts.tokens).toBe(12 * 3000 + 500 * 1002);
    expect(counts.often()).toEqual([
      ...frequent.map((word) => ({ word, chosen: 7, rejected: 5 })),
      { word: "common", chosen: 400, rejected: 100 },
    ]);
  });
});

describe("the first few", () => {
  it("are those of the sorted list", () => {
    const random = createRandom(2);
    const best = createBest<number>(5, (a, b) => a - b);
    const all = Array.from({ length: 1000 }, () => random.integer(1e6));
    all.forEach(best.add);
    expect(best.list()).toEqual([...all].sort((a, b) => a - b).slice(0, 5));
  });
});
