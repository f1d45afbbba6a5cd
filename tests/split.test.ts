// The split's promises. Filter and totals: the original notebook's own code (tests/goldens/pairs.py); the rest by counting.
import { readFileSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { normaliseText, promptKey } from "../lib/pairs/normalise";
import type { PreferencePair } from "../lib/pairs/pair";
import { loadPairs } from "../lib/pairs/read";
import { shareOut } from "../lib/pairs/shares";
import { createRandom } from "../lib/random";
import { SPLITS, type SplitOptions, splitPairs } from "../lib/split";
import { writeSplit } from "../lib/pairs/writeSplit";
import { golden, scratch } from "./pairs/helpers";

const { directory } = scratch();
const options: SplitOptions = { train_ratio: 0.8, val_ratio: 0.1, test_ratio: 0.1, seed: 7 };

function pair(index: number, fields: Partial<PreferencePair> = {}): PreferencePair {
  const prompt = fields.prompt ?? `word${index} ${index * 31} unlike ${index * 7} others`;
  return {
    id: `p${index}`,
    questionId: promptKey(prompt),
    prompt,
    chosen: "c",
    rejected: "r",
    riskLevel: "Low",
    confidencePenalty: 0,
    line: index + 1,
    raw: { question_text: prompt, index },
    ...fields,
  };
}

describe("splitPairs", () => {
  it("has the original's keys, filter and totals on its file", async () => {
    const { split: expected } = JSON.parse(readFileSync(golden("expected.json"), "utf8"));
    const { pairs } = await loadPairs(golden("preference_pairs.json"), { keep_ties: true });
    const split = splitPairs(pairs, { ...options, drop_weak: true });
    expect(Object.keys(split.stats)).toEqual(["seed", "drop_weak", "dropped", "counts", "unique_qids", "risk_dist"]);
    expect(split.stats.dropped).toEqual(expected.dropped);
    const { counts, unique_qids: questions, risk_dist: risks } = split.stats;
    expect(counts.train + counts.val + counts.test).toBe(expected.kept);
    expect([questions.train, questions.val, questions.test]).toEqual([16, 2, 2]);
    for (const [risk, count] of Object.entries(expected.risk))
      expect(SPLITS.reduce((sum, name) => sum + (risks[name][risk] ?? 0), 0)).toBe(count);
    expect(splitPairs(pairs, options).stats.dropped).toEqual({ score_diff_zero: 0, both_score1: 0 });
  });

  it("never parts a question, and keeps ids together whose prompts are equal", () => {
    const random = createRandom(1);
    const pairs = Array.from({ length: 400 }, (_, i) =>
      pair(i, {
        questionId: `q${random.integer(90)}`,
        prompt: `Prompt number ${random.integer(70)}`,
        riskLevel: random.pick(["Low", "High"]),
      }),
    );
    const split = splitPairs(pairs, options);
    for (const key of [(p: PreferencePair) => p.questionId, (p: PreferencePair) => normaliseText(p.prompt)]) {
      const homes = new Map<string, string>();
      for (const name of SPLITS)
        for (const item of split[name])
          expect(homes.get(key(item)) ?? name).toBe(homes.set(key(item), name).get(key(item)));
    }
    expect(SPLITS.flatMap((name) => split[name]).length).toBe(400);
    expect(
      splitPairs(
        [pair(0, { questionId: "a", prompt: "Why  NOT?" }), pair(1, { questionId: "b", prompt: "why not?" })],
        options,
      ).train,
    ).toHaveLength(2);
  });

  it("keeps the order of the rows and gives the same for the same seed only", () => {
    const pairs = Array.from({ length: 300 }, (_, i) => pair(i, { riskLevel: ["Low", "Medium", "High"][i % 3] }));
    const [a, b, c] = [7, 7, 8].map((seed) => splitPairs(pairs, { ...options, seed }));
    for (const name of SPLITS)
      expect(a[name].map(({ line }) => line)).toEqual([...a[name]].map(({ line }) => line).sort((x, y) => x - y));
    expect(a.val.map(({ id }) => id)).toEqual(b.val.map(({ id }) => id));
    expect(a.val.map(({ id }) => id)).not.toEqual(c.val.map(({ id }) => id));
  });

  it("stratifies by the majority risk of each question; of equal ones the first counts", () => {
    const pairs = Array.from({ length: 100 }, (_, q) =>
      ["High", "Low", q % 2 ? "High" : "Low"].map((riskLevel, i) =>
        pair(3 * q + i, { questionId: `q${q}`, prompt: `Only ${q}`, riskLevel }),
      ),
    ).flat();
    const { val } = splitPairs(pairs, { ...options, val_ratio: 0.2, train_ratio: 0.8, test_ratio: 0 });
    const majorities = [...new Set(val.map(({ questionId }) => Number(questionId.slice(1)) % 2))];
    expect(majorities).toHaveLength(2);
    expect(val.filter(({ questionId }) => Number(questionId.slice(1)) % 2 === 1)).toHaveLength(30);
  });

  it("gives a small ratio its question where there are enough, and every row to training where it is asked to", () => {
    const few = Array.from({ length: 4 }, (_, i) => pair(i));
    expect(splitPairs(few, { train_ratio: 0.9, val_ratio: 0.1, test_ratio: 0, seed: 1 }).stats.counts).toEqual({
      train: 3,
      val: 1,
      test: 0,
    });
    expect(splitPairs(few, { train_ratio: 1, val_ratio: 0, test_ratio: 0, seed: 1 }).stats.counts).toEqual({
      train: 4,
      val: 0,
      test: 0,
    });
    expect(
      splitPairs(few.slice(0, 1), { train_ratio: 0.5, val_ratio: 0.5, test_ratio: 0, seed: 1 }).train.length,
    ).toBeLessThanOrEqual(1);
  });

  it("refuses ratios that are no shares of one", () => {
    for (const ratios of [
      [0.9, 0.2, 0],
      [1.1, -0.1, 0],
      [NaN, 0.5, 0.5],
    ])
      expect(() =>
        splitPairs([pair(0)], { ...options, train_ratio: ratios[0], val_ratio: ratios[1], test_ratio: ratios[2] }),
      ).toThrow(/sum to 1/);
  });

  it("reports near-duplicate prompts across splits, and keeps them together on request", () => {
    const long =
      "Please write a short letter to the neighbours about the broken lift and say when the repair will be finished this week";
    const pairs = Array.from({ length: 40 }, (_, i) =>
      i % 4 === 0 ? pair(i, { prompt: `${long} version${i}`, questionId: `q${i}` }) : pair(i),
    );
    const parted = splitPairs(pairs, { ...options, train_ratio: 0.5, val_ratio: 0.5, test_ratio: 0 });
    expect(parted.nearDuplicates.length).toBeGreaterThan(0);
    for (const leak of parted.nearDuplicates) expect(leak.similarity).toBeGreaterThanOrEqual(0.8);
    const kept = splitPairs(pairs, {
      ...options,
      train_ratio: 0.5,
      val_ratio: 0.5,
      test_ratio: 0,
      keep_near_duplicates: true,
    });
    expect(kept.nearDuplicates).toEqual([]);
    const homes = SPLITS.filter((name) => kept[name].some(({ prompt }) => prompt.startsWith(long)));
    expect(homes).toHaveLength(1);
  });
});

describe("shareOut (controlled rounding)", () => {
  it("keeps rows, columns and cells within one of their shares on 2,000 random tables", () => {
    const random = createRandom(3);
    for (let trial = 0; trial < 2000; trial++) {
      const sizes = Array.from({ length: 1 + random.integer(8) }, () => 1 + random.integer(40));
      const val = random.integer(50) / 100;
      const test = random.next() < 0.5 ? 0 : random.integer(50) / 100;
      const ratios = [1 - val - test, val, test];
      const table = shareOut(sizes, ratios);
      const total = sizes.reduce((a, b) => a + b, 0);
      table.forEach((row, s) => {
        expect(row.reduce((a, b) => a + b, 0)).toBe(sizes[s]);
        row.forEach((cell, k) => expect(Math.abs(cell - sizes[s] * ratios[k])).toBeLessThan(1 + 1e-6));
      });
      ratios.forEach((ratio, k) =>
        expect(Math.abs(table.reduce((sum, row) => sum + row[k], 0) - total * ratio)).toBeLessThan(1 + 1e-6),
      );
    }
  });

  it("ten strata of four questions: a tenth is four in all, not none of each (the original rounds each away)", () => {
    const table = shareOut(new Array(10).fill(4), [0.9, 0.1, 0]);
    expect(table.reduce((sum, row) => sum + row[1], 0)).toBe(4);
  });
});

describe("writeSplit", () => {
  it("writes the original's names and rows, and no test file without a test ratio", async () => {
    const { pairs } = await loadPairs(golden("preference_pairs.json"), { keep_ties: true });
    const split = splitPairs(pairs, { ...options, train_ratio: 0.9, test_ratio: 0 });
    const paths = await writeSplit(split, { directory, stem: "preference_pairs", container: "json", withTest: false });
    expect(readdirSync(directory).sort()).toEqual([
      "preference_pairs_split_stats.json",
      "preference_pairs_train.json",
      "preference_pairs_val.json",
    ]);
    const source = JSON.parse(readFileSync(golden("preference_pairs.json"), "utf8"));
    const written = [paths.train, paths.val].flatMap((path) => JSON.parse(readFileSync(path, "utf8")));
    const key = (row: { rejected_answer: { answer_text: string } }) => row.rejected_answer.answer_text;
    expect(written.sort((a, b) => (key(a) < key(b) ? -1 : 1))).toEqual(
      source.sort((a: never, b: never) => (key(a) < key(b) ? -1 : 1)),
    );
    expect(JSON.parse(readFileSync(paths.stats, "utf8"))).toEqual(split.stats);
  });

  it("the train file of a list is what Python's json.dumps(indent=2) writes", async () => {
    const { pairs } = await loadPairs(golden("preference_pairs.json"), { keep_ties: true });
    const split = splitPairs(pairs, { ...options, train_ratio: 1, val_ratio: 0, test_ratio: 0 });
    const paths = await writeSplit(split, { directory, stem: "whole", container: "json", withTest: false });
    // Python writes 0.0 where JavaScript writes 0: the only difference of the two.
    expect(readFileSync(paths.train, "utf8")).toBe(
      readFileSync(golden("preference_pairs.json"), "utf8").replaceAll(": 0.0,", ": 0,"),
    );
  });
});
