// Curves against every subset enumerated; choices and errors by hand; ranks against SciPy's in statistics.test.ts.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { InputError } from "../../lib/errors";
import { expectedBestOf, topIndices } from "../../lib/reranking/bestOfN";
import { evaluateReranking } from "../../lib/reranking/rerank";
import { readRerankRows, type RerankRow } from "../../lib/reranking/rerankRows";
import { createRandom } from "../../lib/random";

const row = (line: number, qualities: readonly number[], texts?: readonly string[]): RerankRow => ({
  line,
  prompt: `prompt ${line}`,
  candidates: qualities.map((quality, i) => ({ text: texts?.[i] ?? `answer ${i}`, quality })),
  best: null,
});

describe("expectedBestOf", () => {
  // Enumerates all subsets; ties at the top broken evenly. Fails if drawn with replacement, or if ties go to the first.
  test("equals the mean over every subset", () => {
    const random = createRandom(5);
    const keys = Array.from({ length: 7 }, () => random.integer(4));
    const values = keys.map(() => random.normal());
    for (let n = 1; n <= 7; n++) {
      let sum = 0;
      let subsets = 0;
      for (let mask = 0; mask < 1 << 7; mask++) {
        const chosen = keys.map((_, i) => i).filter((i) => mask & (1 << i));
        if (chosen.length !== n) continue;
        const top = topIndices(chosen.map((i) => keys[i])).map((i) => values[chosen[i]]);
        sum += top.reduce((a, b) => a + b, 0) / top.length;
        subsets++;
      }
      expect(expectedBestOf(keys, values, n)).toBeCloseTo(sum / subsets, 12);
    }
  });
});

describe("evaluateReranking", () => {
  const rows = [
    row(1, [0, 1, 2], ["a", "bb", "ccc"]),
    row(2, [3, 1, 2], ["aaaa", "bb", "ccc"]),
    row(3, [0, 5, 0], ["aa", "b", "ccc"]),
  ];
  const result = evaluateReranking(rows, [0, 1, 2, 9, 1, 1, 4, 3, 2]);

  // By hand: the model takes quality 2, 3, 0; first 0, 3, 0; longest 2, 3, 0; random 1, 2, 5/3; oracle 2, 3, 5.
  test("compares the choices", () => {
    const { model, first, random, longest, oracle } = result.quality!.by_choice;
    expect([model, first, longest, oracle]).toEqual([5 / 3, 1, 5 / 3, 10 / 3]);
    expect(random).toBeCloseTo((1 + 2 + 5 / 3) / 3, 12);
    expect(result.accuracy!.by_choice).toMatchObject({ model: 2 / 3, first: 1 / 3, oracle: 1 });
    expect(result.accuracy!.by_choice.random).toBeCloseTo(1 / 3, 12);
    expect(result.quality!.differences.first.difference).toBeCloseTo(2 / 3, 12);
    expect(result.choices.map(({ choice }) => choice)).toEqual([2, 0, 0]);
  });

  // scipy.stats.spearmanr by prompt: 1, 0.8660254, 0
  test("averages Spearman over prompts", () => {
    expect(result.spearman!.n_prompts).toBe(3);
    expect(result.spearman!.mean).toBeCloseTo((1 + Math.sqrt(0.75) + 0) / 3, 9);
  });

  test("ends its curve at the choices among all, and begins it at random", () => {
    const { measure, points } = result.curve!;
    expect(measure).toBe("quality");
    const { random, model, longest, oracle } = result.quality!.by_choice;
    expect(points[0].model).toBeCloseTo(random, 12);
    expect(points[0].oracle).toBeCloseTo(random, 12);
    for (const [at, all] of [
      ["model", model],
      ["longest", longest],
      ["oracle", oracle],
    ] as const) {
      expect(points[2][at]).toBeCloseTo(all, 12);
    }
  });

  test("gives before and after with what became of it", () => {
    expect(result.examples).toHaveLength(3);
    expect(result.examples[0]).toMatchObject({
      line: 1,
      before: { index: 0, text: "a", quality: 0 },
      after: { index: 2, text: "ccc", score: 2 },
      outcome: "better",
    });
    const many = Array.from({ length: 50 }, (_, i) => row(i + 1, [1, i % 2 ? 2 : 0]));
    const examples = evaluateReranking(
      many,
      many.flatMap(() => [0, 1]),
    ).examples;
    // Fails if only improvements were shown.
    expect(new Set(examples.map(({ outcome }) => outcome))).toEqual(new Set(["better", "worse"]));
    expect(examples).toHaveLength(10);
  });

  // A constant scorer chooses nothing: it must come out as random, not as first.
  test("a scorer that ties everything is worth a random choice", () => {
    const tied = evaluateReranking(rows, new Array(9).fill(1));
    expect(tied.ties).toBe(3);
    expect(tied.quality!.by_choice.model).toBeCloseTo(tied.quality!.by_choice.random, 12);
    expect(tied.quality!.differences.random.difference).toBeCloseTo(0, 12);
    expect(tied.spearman!.mean).toBe(0);
  });

  test("takes rows that only name their best, or say nothing", () => {
    const plain = (line: number, best: number | null): RerankRow => ({
      line,
      prompt: `prompt ${line}`,
      candidates: [
        { text: "a", quality: null },
        { text: "b", quality: null },
      ],
      best,
    });
    const mixed = evaluateReranking([plain(1, 1), plain(2, null)], [0, 1, 1, 0]);
    expect(mixed).toMatchObject({ n_prompts: 2, n_judged: 1, quality: null, spearman: null });
    expect(mixed.accuracy!.by_choice.model).toBe(1);
    expect(mixed.curve!.measure).toBe("accuracy");
    const blind = evaluateReranking([plain(1, null)], [0, 1]);
    expect(blind).toMatchObject({ accuracy: null, curve: null, choices: [{ line: 1, choice: 1 }] });
    expect(JSON.parse(JSON.stringify(mixed))).toEqual(mixed);
  });

  test("refuses missing and broken scores", () => {
    expect(() => evaluateReranking(rows, [1])).toThrow(/expected 9 scores, got 1/);
    expect(() => evaluateReranking(rows, [0, NaN, 2, 9, 1, 1, 4, 3, 2])).toThrow(
      /line 1: expected a finite score for candidate 1/,
    );
  });
});

describe("readRerankRows", () => {
  const file = (...lines: unknown[]) => {
    const path = join(mkdtempSync(join(tmpdir(), "rerank-")), "rows.jsonl");
    writeFileSync(path, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)) + "\n").join(""));
    return path;
  };

  test("reads texts and rated texts", async () => {
    const path = file(
      { prompt: "p", candidates: ["a", "b"], best: 1 },
      {
        prompt: "q",
        candidates: [
          { text: "c", quality: 2 },
          { text: "d", quality: -1 },
        ],
      },
    );
    const { rows } = await readRerankRows(path);
    expect(rows).toEqual([
      {
        line: 1,
        prompt: "p",
        candidates: [
          { text: "a", quality: null },
          { text: "b", quality: null },
        ],
        best: 1,
      },
      {
        line: 2,
        prompt: "q",
        candidates: [
          { text: "c", quality: 2 },
          { text: "d", quality: -1 },
        ],
        best: null,
      },
    ]);
  });

  test.each([
    ["{", /:2: expected a JSON object, got malformed JSON/],
    [{ candidates: ["a", "b"] }, /:2: expected field "prompt"/],
    [{ prompt: "p" }, /:2: expected field "candidates"/],
    [{ prompt: "p", candidates: "a" }, /:2: candidates: expected a list, got a string/],
    [{ prompt: "p", candidates: ["a"] }, /:2: candidates: expected two answers or more, got 1/],
    [
      { prompt: "p", candidates: ["a", 3] },
      /:2: candidates\[1\]: expected a string, messages or \{text or messages, quality\}, got a number/,
    ],
    [
      { prompt: "p", candidates: [{ text: "a", quality: "good" }, "b"] },
      /:2: candidates\[0\].quality: expected a finite number/,
    ],
    [
      { prompt: "p", candidates: [{ text: "a", quality: 1 }, "b"] },
      /:2: candidates: expected a quality for all 2 or for none, got 1/,
    ],
    [
      { prompt: "p", candidates: ["a", "b"], best: 2 },
      /:2: best: expected the index of a candidate from 0 to 1, got 2/,
    ],
  ])("names line and field: %j", async (bad, message) => {
    const good = { prompt: "p", candidates: ["a", "b"] };
    const path = file(good, bad);
    await expect(readRerankRows(path)).rejects.toThrow(InputError);
    await expect(readRerankRows(path)).rejects.toThrow(message);
    const { rows, faults } = await readRerankRows(path, { skip_bad_rows: true });
    expect([rows.length, faults.length]).toEqual([1, 1]);
  });
});
