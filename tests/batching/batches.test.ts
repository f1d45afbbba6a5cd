import { describe, expect, test } from "vitest";
import { createRandom } from "../../lib/random";
import { planScoring, planWidths } from "../../lib/batching/batches";

const random = createRandom(5);
const lengths = Array.from({ length: 301 }, () => Math.min(512, 20 + Math.floor(60 * Math.exp(random.normal()))));

describe("planWidths", () => {
  // 10,000 rows of 32 and 10,000 of 512 tokens: two graphs cost far less than padding; one row of 40 is no reason for a third.
  test("pays for a graph only where padding costs more", () => {
    const needed = [...Array(10_000).fill(30), 40, ...Array(10_000).fill(500)];
    expect(planWidths(needed, 512)).toEqual([32, 512]);
    expect(planWidths([30, 500], 512)).toEqual([512]);
  });

  test("never wider than the maximum length", () => {
    expect(planWidths([100], 100)).toEqual([100]);
  });
});

test("planScoring holds every text once, in widths it fits", () => {
  const batches = planScoring(lengths, { tokensPerBatch: 1024, maxLength: 512 });
  expect(batches.flatMap((b) => b.rows).sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
  for (const { rows, width, capacity } of batches) {
    expect(rows.length).toBeLessThanOrEqual(capacity);
    for (const row of rows) expect(lengths[row]).toBeLessThanOrEqual(width);
  }
});
