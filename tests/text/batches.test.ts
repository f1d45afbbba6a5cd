import { describe, expect, test } from "vitest";
import { createRandom } from "../../lib/random";
import { planEpoch, planScoring, planTrainingWidths, planWidths, type TrainingPlanOptions } from "../../lib/text/batches";

const options: TrainingPlanOptions = { batchSize: 8, gradientAccumulation: 1, tokensPerBatch: 2048, maxLength: 512, seed: 1, epochs: 2 };
const random = createRandom(5);
const lengths = Array.from({ length: 301 }, () => Math.min(512, 20 + Math.floor(60 * Math.exp(random.normal()))));
const widths = planTrainingWidths(lengths, options);

describe("planEpoch", () => {
  const updates = planEpoch(lengths, widths, options, 1);

  test("every pair once, in steps of the batch size", () => {
    const rows = updates.flatMap((update) => update.batches.flatMap((batch) => batch.rows));
    expect([...rows].sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
    expect(updates.length).toBe(Math.ceil(301 / 8));
    expect(updates.map((update) => update.pairs).filter((pairs) => pairs !== 8)).toEqual([5]);
  });

  test("each row fits its width and each graph run the token budget", () => {
    for (const { rows, width, capacity } of updates.flatMap((update) => update.batches)) {
      for (const row of rows) expect(lengths[row]).toBeLessThanOrEqual(width);
      expect(rows.length).toBeLessThanOrEqual(capacity);
      expect(2 * capacity * width <= 2048 || capacity === 1).toBe(true);
    }
  });

  test("few shapes, one capacity a width", () => {
    const shapes = new Set(updates.flatMap((update) => update.batches.map(({ width, capacity }) => `${capacity}x${width}`)));
    expect(shapes.size).toBe(new Set(updates.flatMap((u) => u.batches.map((b) => b.width))).size);
    expect(shapes.size).toBeLessThanOrEqual(8);
  });

  test("a function of seed and epoch alone, and another order each epoch", () => {
    expect(planEpoch(lengths, widths, options, 1)).toEqual(updates);
    expect(planEpoch(lengths, widths, options, 2)).not.toEqual(updates);
    expect(planEpoch(lengths, widths, { ...options, seed: 2 }, 1)).not.toEqual(updates);
  });

  test("accumulation joins batches of one step", () => {
    const joined = planEpoch(lengths, widths, { ...options, gradientAccumulation: 4 }, 1);
    expect(joined.length).toBe(Math.ceil(Math.ceil(301 / 8) / 4));
    expect(joined[0].pairs).toBeGreaterThanOrEqual(29);
  });
});

describe("planWidths", () => {
  // 10,000 rows of 32 and 10,000 of 512 tokens: two graphs cost far less than padding; one row of 40 is no reason for a third.
  test("pays for a graph only where padding costs more", () => {
    const needed = [...Array(10_000).fill(30), 40, ...Array(10_000).fill(500)];
    expect(planWidths(needed, { rows: 1, maxLength: 512 })).toEqual([32, 512]);
    expect(planWidths([30, 500], { rows: 1, maxLength: 512 })).toEqual([512]);
  });

  test("never wider than the maximum length", () => {
    expect(planWidths([100], { rows: 1, maxLength: 100 })).toEqual([100]);
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
