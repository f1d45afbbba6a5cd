// Runs for scoring: each text once, every row within its width, few shapes, little padding.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../lib/random";
import { planScoringRuns } from "../../lib/batching/packing";

const random = createRandom(3);
const lengths = Array.from({ length: 3000 }, () =>
  Math.min(512, 20 + Math.floor(200 * Math.exp(0.7 * random.normal()))),
);
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

describe.each([
  ["long rows", true],
  ["a text a row", false],
])("planScoringRuns, %s", (_, longRows) => {
  const options = { tokensPerBatch: 8192, longRows };

  test.each([1, 2, 7, 600, 3000])("%i texts: each once, within its row and the budget", (count) => {
    const some = lengths.slice(0, count);
    const runs = planScoringRuns(some, options);
    expect(runs.flatMap(({ rowTexts }) => rowTexts.flat()).sort((a, b) => a - b)).toEqual(some.map((_, i) => i));
    for (const { rowTexts, shape } of runs) {
      expect(rowTexts.length).toBeLessThanOrEqual(shape.height);
      expect(shape.height * shape.width).toBeLessThanOrEqual(8192);
      for (const line of rowTexts) {
        expect(line.length).toBeLessThanOrEqual(shape.slots);
        expect(sum(line.map((text) => some[text]))).toBeLessThanOrEqual(shape.width);
      }
    }
  });

  test("nothing to score, no runs", () => expect(planScoringRuns([], options)).toEqual([]));
});

describe("long rows", () => {
  const runs = planScoringRuns(lengths, { tokensPerBatch: 8192, longRows: true });

  test("at most two shapes, less than 4% padding", () => {
    expect(new Set(runs.map(({ shape }) => JSON.stringify(shape))).size).toBeLessThanOrEqual(2);
    expect(sum(runs.map(({ shape }) => shape.height * shape.width)) / sum(lengths)).toBeLessThan(1.04);
  });

  test("small jobs of any size share few widths, so that a server compiles few graphs, and are little padded", () => {
    for (const [fewShapes, mostWidths, mostPadding] of [
      [true, 11, 1.5],
      [false, 18, 1.25],
    ] as const) {
      const widths = Array.from({ length: 200 }, (_, i) => {
        const some = lengths.slice(i, i + 1 + (i % 4));
        const [{ shape }] = planScoringRuns(some, { tokensPerBatch: 8192, longRows: true, fewShapes });
        const tokens = some.reduce((a, b) => a + b);
        expect(shape.width).toBeGreaterThanOrEqual(tokens);
        expect(shape.width).toBeLessThanOrEqual(Math.max(64, mostPadding * tokens + 32));
        return shape.width;
      });
      expect(new Set(widths).size).toBeLessThanOrEqual(mostWidths);
    }
  });

  test("a text longer than the budget gets a run of its own", () => {
    const [first] = planScoringRuns([9000, 10], { tokensPerBatch: 8192, longRows: true });
    expect(first.shape.height).toBe(1);
    expect(first.shape.width).toBeGreaterThanOrEqual(9000);
  });
});
