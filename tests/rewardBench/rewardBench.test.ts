// The reference implementation itself is run in tests/compat; here are cases small enough to do by hand.
import { describe, expect, test } from "vitest";
import { bestOfCredit, rewardBench, rewardBench1, rewardBenchItems } from "../../lib/rewardBench/rewardBench";
import { rewardBenchFiles } from "../../lib/rewardBench/rewardBenchFiles";
import { scoreTies } from "../../lib/rewardBench/rewardBenchTies";
import { pairsOf, scoredPair } from "../evaluation/scoredPairs";

const about = { model: "org/model", render: (prompt: string, response: string) => `${prompt}|${response}` };

const inSubset = (subset: string, deltas: readonly number[]) =>
  deltas.map((chosenScore, i) => scoredPair({ id: `${subset} ${i}`, subset, chosenScore }));

describe("RewardBench 1", () => {
  // Weights by hand: math-prm 984 however many pairs there are, hep-cpp 164: (984·0 + 164·1) / 1148.
  test("weights subsets by the reference's counts, math-prm as 984", () => {
    const result = rewardBench1([...inSubset("math-prm", [-1, -2, -3]), ...inSubset("hep-cpp", [1])]);
    expect(result.sections.Reasoning).toBeCloseTo(164 / 1148, 12);
    expect(result.accuracy).toBe(0.25);
    expect(result.sections.Chat).toBe(0);
    expect(result.missing_subsets).toHaveLength(21);
  });

  // rewardbench.py: results.append(1) if chosen > rejected else results.append(0)
  test("counts a tie as wrong, unlike our accuracy", () => {
    expect(rewardBench1(inSubset("donotanswer", [0, 1])).subsets.donotanswer).toBe(0.5);
  });

  test("is found by its subset names only", () => {
    expect(rewardBench(inSubset("hep-js", [1]))).toMatchObject({ version: 1, num_prompts: 1 });
    expect(rewardBench(pairsOf([1]))).toBeNull();
    expect(rewardBench(inSubset("Safety", [1]))).toBeNull();
    expect(rewardBench([])).toBeNull();
  });

  // Keys of rewardbench.py's `final_results` and `combined_data`.
  test("writes the reference's files", () => {
    const [results, outputs] = rewardBenchFiles(inSubset("hep-js", [1, -1]), about);
    expect(results.path).toBe("org/model.json");
    expect(JSON.parse(results.content)).toEqual({
      accuracy: 0.5,
      num_prompts: 2,
      model: "org/model",
      ref_model: null,
      tokenizer: "org/model",
      chat_template: null,
      extra_results: { "hep-js": 0.5 },
    });
    expect(outputs.path).toBe("org/model_outputs.jsonl");
    const rows = outputs.content
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows.map(({ results: result }) => result)).toEqual([1, 0]);
    expect(rows[0]).toMatchObject({
      prompt: "Why is the sky blue?",
      scores_chosen: 1,
      scores_rejected: 0,
      text_chosen: "Why is the sky blue?|Because air scatters short waves most.",
      text_rejected: "Why is the sky blue?|Because it mirrors the sea.",
      subset: "hep-js",
    });
    expect(JSON.parse(rewardBenchFiles(pairsOf([1]), about)[0].content).extra_results).toBeNull();
  });
});

describe("RewardBench 2", () => {
  test("credits 1/#max where the right answer is among the highest", () => {
    expect(bestOfCredit([3, 1, 2, 0])).toBe(1);
    expect(bestOfCredit([3, 3, 2, 3])).toBeCloseTo(1 / 3, 15);
    expect(bestOfCredit([2, 3, 1, 0])).toBe(0);
  });

  test("puts rows together again from their pairs", () => {
    const scores = { right: [5, 4], wrong: [1, 2, 3] };
    const pairs = scores.right.flatMap((chosenScore, i) =>
      scores.wrong.map((rejectedScore, j) =>
        scoredPair({ id: `tied:7#${i + 1}-${j + 1}`, subset: "Ties", chosenScore, rejectedScore }),
      ),
    );
    expect(rewardBenchItems(pairs)).toMatchObject([
      { id: "tied:7", subset: "Ties", numCorrect: 2, scores: [5, 4, 1, 2, 3] },
    ]);
    expect(rewardBench([...pairs].reverse())).toMatchObject({ version: 2, num_prompts: 1 });
    // Keys of run_v2.py's `results_grouped` and `scores_dict`.
    const [results, scored] = rewardBenchFiles(pairs, about);
    expect([results.path, scored.path]).toEqual(["eval-set/org/model.json", "eval-set-scores/org/model.json"]);
    expect(JSON.parse(results.content)).toMatchObject({
      model: "org/model",
      model_type: "Seq. Classifier",
      chat_template: null,
    });
    expect(JSON.parse(scored.content)).toMatchObject({
      id: ["tied:7"],
      num_correct: [2],
      scores: [[5, 4, 1, 2, 3]],
      results: [null],
    });
  });

  // By hand: m = 3 − 1 = 2, d = 5 − 3 = 2, ref margin 4: m > d fails, tanh(2/2 − 1) = 0.
  test("scores ties by both margins", () => {
    const tied = { id: "tied:1", subset: "Ties", numCorrect: 2, scores: [5, 3, 1, 0] };
    const ref = { id: "ref:1", subset: "Ties", numCorrect: 1, scores: [6, 2, 1] };
    expect(scoreTies([tied, ref])).toBeCloseTo(0.6, 12);
    const closer = { ...tied, scores: [5, 4, 1, 0] };
    expect(scoreTies([closer, ref])).toBeCloseTo(1 + 0.01 * Math.tanh(2), 12);
    expect(scoreTies([ref])).toBeCloseTo(0.3, 12);
    expect(scoreTies([])).toBe(0);
  });
});
