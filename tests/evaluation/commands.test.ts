// The commands evaluate and rerank on a tiny random BERT: their files against DESIGN's keys, the scores file, the reference's keys.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { run } from "../../cli/main";
import { initBackend } from "../../lib/engine/backend";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "../training/tinyRun";

const folder = temporaryFolder();
let checkpoint: string;
beforeAll(async () => {
  await initBackend();
  checkpoint = await saveTinyModel(folder);
});
const json = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const lines = (name: string) =>
  readFileSync(join(folder, name), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const put = (name: string, rows: readonly object[]) => {
  writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return join(folder, name);
};
const at = (name: string) => join(folder, name);

describe("evaluate", () => {
  test("writes DESIGN's keys, and metrics that the scores file gives back", async () => {
    const pairs = writeTinyPairs(folder, 30);
    const args = [
      "evaluate",
      "--checkpoint",
      checkpoint,
      "--pairs",
      pairs,
      "--out",
      at("e.json"),
      "--scores",
      at("s.jsonl"),
    ];
    expect(await run([...args, "--against", checkpoint])).toBe(0);
    const evaluation = json("e.json");
    for (const key of [
      "n_pairs",
      "ties",
      "accuracy",
      "accuracy_ci95",
      "loss",
      "nll",
      "brier",
      "ece",
      "ece_symmetric",
      "mce",
      "temperature",
      "mean_margin",
      "mean_chosen_reward",
      "mean_rejected_reward",
      "by_risk",
      "by_category",
      "calibration_bins",
      "length",
      "baselines",
    ]) {
      expect(evaluation, key).toHaveProperty(key);
    }
    expect(Object.keys(evaluation.by_risk)).toEqual(["High", "Low"]);
    expect(evaluation.against).toMatchObject({ difference: 0, only_this_right: 0, n_pairs: 60 });
    const deltas = lines("s.jsonl").map(({ chosen_score, rejected_score }) => chosen_score - rejected_score);
    expect(deltas).toHaveLength(60);
    const accuracy = deltas.reduce((sum, delta) => sum + (delta > 0 ? 1 : delta === 0 ? 0.5 : 0), 0) / 60;
    expect(evaluation.accuracy).toBeCloseTo(accuracy, 12);
    expect(evaluation.mean_margin).toBeCloseTo(deltas.reduce((a, b) => a + b, 0) / 60, 9);
  });

  test("RewardBench 2: rows to pairs and back to best of four, with the reference's files", async () => {
    const wrong = ["no no no", "a no the", "the no no"];
    const rows = [
      {
        id: "17",
        prompt: "Is it?",
        chosen: ["the the"],
        rejected: wrong,
        subset: "Math",
        num_correct: 1,
        total_completions: 4,
      },
      {
        id: "ref:1",
        prompt: "Name one",
        chosen: ["the"],
        rejected: wrong,
        subset: "Ties",
        num_correct: 1,
        total_completions: 4,
      },
      {
        id: "tied:1",
        prompt: "Name any",
        chosen: ["the", "a the"],
        rejected: wrong,
        subset: "Ties",
        num_correct: 2,
        total_completions: 5,
      },
    ];
    const pairs = put("rb2.jsonl", rows);
    const args = ["evaluate", "--checkpoint", checkpoint, "--pairs", pairs, "--out", at("rb2.json")];
    expect(await run([...args, "--rewardbench-out", at("bench")])).toBe(0);
    expect(json("rb2.json").rewardbench).toMatchObject({ version: 2, num_prompts: 3 });
    const scored = json("bench/eval-set-scores/tiny-bert.json");
    expect(scored.id).toEqual(["17", "ref:1", "tied:1"]);
    expect(scored.num_correct).toEqual([1, 1, 2]);
    expect(scored.scores.map((scores: number[]) => scores.length)).toEqual([4, 4, 5]);
    expect(scored.text[2][1]).toBe("Question:\nName any\n\nAnswer:\na the");
    expect(json("bench/eval-set/tiny-bert.json").Math).toBe(json("rb2.json").rewardbench.subsets.Math);
  });
});

describe("rerank", () => {
  const rows = [
    {
      prompt: "one?",
      candidates: [
        { text: "the", quality: 1 },
        { text: "no no", quality: 0 },
        { text: "the no", quality: 0.5 },
      ],
    },
    { prompt: "two?", candidates: ["no", "the the"], best: 1 },
  ];

  // Fails if candidates were scored without their prompt, or if rows and scores fell out of step.
  test("chooses by the scores that `score` gives", async () => {
    expect(
      await run(["rerank", "--checkpoint", checkpoint, "--input", put("r.jsonl", rows), "--out", at("r.json")]),
    ).toBe(0);
    const items = rows.flatMap(({ prompt, candidates }) =>
      candidates.map((candidate) => ({ prompt, response: typeof candidate === "string" ? candidate : candidate.text })),
    );
    expect(
      await run(["score", "--checkpoint", checkpoint, "--input", put("i.jsonl", items), "--out", at("i.out.jsonl")]),
    ).toBe(0);
    const scores = lines("i.out.jsonl").map(({ score }) => score);
    const { choices, n_judged, accuracy, quality, curve } = json("r.json");
    expect(choices.flatMap((choice: { scores: number[] }) => choice.scores)).toEqual(scores);
    expect(choices[0].choice).toBe(scores.indexOf(Math.max(...scores.slice(0, 3))));
    expect(n_judged).toBe(2);
    expect(accuracy.by_choice.random).toBeCloseTo((1 / 3 + 1 / 2) / 2, 12);
    expect(quality.by_choice.oracle).toBe(1);
    expect(curve.measure).toBe("accuracy");
  });

  test("refuses bad rows with exit code 1 and writes nothing", async () => {
    mkdirSync(at("bad"));
    const input = put("bad.jsonl", [rows[0], { prompt: "p", candidates: ["a"] }]);
    expect(await run(["rerank", "--checkpoint", checkpoint, "--input", input, "--out", at("bad/out.json")])).toBe(1);
    expect(() => json("bad/out.json")).toThrow();
    expect(
      await run([
        "rerank",
        "--checkpoint",
        checkpoint,
        "--input",
        input,
        "--out",
        at("bad/out.json"),
        "--skip-bad-rows",
      ]),
    ).toBe(0);
    expect(json("bad/out.json").n_prompts).toBe(1);
    expect(await run(["rerank", "--checkpoint", checkpoint])).toBe(2);
  });
});
