// Simulated sides whose outcomes the tests set; the intervals of single accuracies against CR1 with SciPy's t quantile.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { judgeAccuracy, writeSplitOf, type TrainedSide } from "../../bench/accuracy";
import { accuracyLine } from "../../bench/table";
import type { PreferencePair } from "../../lib/pairs/pair";

const pairAt = (i: number, question: number): PreferencePair => ({
  id: `line ${i + 1}`,
  questionId: `q${question}`,
  prompt: `prompt ${question}`,
  chosen: `chosen ${i}`,
  rejected: `rejected ${i}`,
  riskLevel: "UNKNOWN",
  confidencePenalty: 0,
  line: i + 1,
  raw: { row: i },
});

const PAIRS_A_PROMPT = 2;
const heldOut = (prompts: number, copies = 1): PreferencePair[] =>
  Array.from({ length: prompts * PAIRS_A_PROMPT * copies }, (_, i) =>
    pairAt(i, Math.floor(i / PAIRS_A_PROMPT / copies)),
  );

/** A side that gets the first `right[g]` pairs of prompt g right. */
function side(right: readonly number[], changes: Partial<TrainedSide["done"]> = {}, copies = 1): TrainedSide {
  const outcomes = right.flatMap((count) =>
    Array.from({ length: PAIRS_A_PROMPT * copies }, (_, i) => i < count * copies),
  );
  const done = {
    ms: 1,
    pairs: 4000,
    tokens: 900_000,
    updates: 250,
    texts: 2 * outcomes.length,
    held_out_tokens: 7000,
    train_loss: 0.5,
  };
  return { done: { ...done, ...changes }, scores: outcomes.flatMap((correct) => (correct ? [1, -1] : [-1, 1])) };
}

const OURS = [2, 2, 2, 2, 1, 2, 1, 2, 0, 2, 2, 2];
const THEIRS = [2, 2, 1, 2, 1, 2, 2, 2, 0, 1, 2, 1];

describe("judgeAccuracy", () => {
  test("gives both accuracies with their intervals over prompts, and what only one side got right", () => {
    const result = judgeAccuracy(heldOut(12), side(OURS, { train_loss: 0.41 }), side(THEIRS, { train_loss: 0.43 }));
    expect(result).toMatchObject({
      trainPairs: 4000,
      trainTokens: 900_000,
      updates: 250,
      heldOutPairs: 24,
      heldOutPrompts: 12,
      onlyOursRight: 3,
      onlyTheirsRight: 1,
      verdict: "not below",
    });
    expect(result.difference).toBeCloseTo(2 / 24, 12);
    expect(result.ours).toMatchObject({ accuracy: 20 / 24, trainLoss: 0.41 });
    expect(result.theirs).toMatchObject({ accuracy: 18 / 24, trainLoss: 0.43 });
    expect(result.ours.interval[0]).toBeCloseTo(0.6264128, 6);
    expect(result.ours.interval[1]).toBe(1);
    expect(result.theirs.interval[0]).toBeCloseTo(0.5358169, 6);
    expect(result.theirs.interval[1]).toBeCloseTo(0.9641831, 6);
  });

  test("calls ours below only where the whole interval of the difference is", () => {
    expect(judgeAccuracy(heldOut(12), side(THEIRS), side(OURS)).verdict).toBe("not below");
    const worse = judgeAccuracy(heldOut(12), side([0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0]), side(OURS));
    expect(worse.interval[1]).toBeLessThan(0);
    expect(worse.verdict).toBe("below");
    expect(judgeAccuracy(heldOut(12), side(OURS), side(OURS))).toMatchObject({
      difference: 0,
      interval: [0, 0],
      verdict: "not below",
    });
  });

  test("copies of pairs under the same prompts add no certainty", () => {
    const once = judgeAccuracy(heldOut(12), side(OURS), side(THEIRS));
    const often = judgeAccuracy(heldOut(12, 10), side(OURS, {}, 10), side(THEIRS, {}, 10));
    once.interval.forEach((bound, i) => expect(often.interval[i]).toBeCloseTo(bound, 12));
  });

  test("a tie counts one half", () => {
    const tied: TrainedSide = { ...side(OURS), scores: side(OURS).scores.map((score, i) => (i < 2 ? 0 : score)) };
    expect(judgeAccuracy(heldOut(12), tied, side(OURS)).difference).toBeCloseTo(-0.5 / 24, 12);
  });

  test.each(["pairs", "tokens", "updates", "texts", "held_out_tokens"])("refuses sides that differ in %s", (field) => {
    expect(() => judgeAccuracy(heldOut(12), side(OURS), side(THEIRS, { [field]: 12 }))).toThrow(
      `expected equal work, got ${field} `,
    );
  });

  test("refuses scores that are too few or not finite", () => {
    const short = { ...side(THEIRS), scores: side(THEIRS).scores.slice(2) };
    expect(() => judgeAccuracy(heldOut(12), side(OURS), short)).toThrow(
      "expected 48 scores, two a held-out pair, got 46 for TRL",
    );
    const broken = { ...side(THEIRS), scores: side(THEIRS).scores.map((score, i) => (i === 5 ? NaN : score)) };
    expect(() => judgeAccuracy(heldOut(12), side(OURS), broken)).toThrow("pair line 3: expected finite scores");
  });
});

describe("writeSplitOf", () => {
  const dir = mkdtempSync(join(tmpdir(), "rewardbook-test-"));
  afterAll(() => rmSync(dir, { recursive: true }));
  const read = (path: string) => readFileSync(path, "utf8");
  const rows = (path: string): number[] =>
    read(path)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).row);

  test("keeps questions apart and every pair with its own token ids, in the order asked for", async () => {
    const pairs = Array.from({ length: 60 }, (_, i) => pairAt(i, i % 20)).reverse();
    const write = (name: string, value: unknown) => {
      writeFileSync(join(dir, name), JSON.stringify(value));
      return join(dir, name);
    };
    const tokens = pairs.flatMap(({ line }) => [
      [line - 1, 0],
      [line - 1, 1],
    ]);
    const files = { pairs: write("pairs.json", pairs), tokens: write("tokens.json", tokens), items: "" };
    const backwards = async (train: readonly unknown[]) => train.map((_, i) => train.length - 1 - i);
    const split = await writeSplitOf({ dir, pairs: async () => files }, Infinity, backwards);
    expect(split.trainPairs).toBe(54);
    expect(split.heldOut).toHaveLength(6);
    const [train, val] = [rows(split.pairs), rows(split.val)];
    expect([...train, ...val].sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
    expect(val).toEqual(split.heldOut.map(({ raw }) => raw.row));
    expect(train.filter((row) => val.some((held) => held % 20 === row % 20))).toEqual([]);
    expect(JSON.parse(read(split.tokens))).toEqual(
      [...train].reverse().flatMap((row) => [
        [row, 0],
        [row, 1],
      ]),
    );
    expect(JSON.parse(read(split.held_out_tokens))).toEqual(
      val.flatMap((row) => [
        [row, 0],
        [row, 1],
      ]),
    );
  });
});

test("the table's line has both sides, the difference and the verdict", () => {
  const result = judgeAccuracy(heldOut(12), side(OURS), side(THEIRS));
  expect(accuracyLine({ ...result, difference: -0.0141, interval: [-0.052, 0.0238] })).toBe(
    "Accuracy on 24 held-out pairs after one epoch over 4,000, same split, budget, seed and order: ours 83.3% [62.6, 100.0], " +
      "TRL RewardTrainer bf16 75.0% [53.6, 96.4]; difference −1.4 points [−5.2, +2.4]: not below.",
  );
});
