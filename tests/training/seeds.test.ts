// Several seeds of a tiny model: what is written, that the ensemble's rewards are the members' means, and that a frozen encoder is shared.
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { run as rewardbook } from "../../cli/main";
import { initBackend } from "../../lib/engine/backend";
import { loadPairs } from "../../lib/pairs/read";
import { lockRun } from "../../lib/runs/lock";
import { readRun } from "../../lib/runs/runFiles";
import { loadScoringModel } from "../../lib/checkpoints/checkpoint";
import { reportHtml } from "../../lib/report/pages/report";
import { openScoring } from "../../lib/scoring/members";
import { scorePairs } from "../../lib/scoring/score";
import { clusteredShare } from "../../lib/statistics";
import { parseSeeds } from "../../lib/training/seeds";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "./tinyRun";

const folder = temporaryFolder();
const home = process.cwd();
let model: string;
let pairs: string;
beforeAll(async () => {
  await initBackend();
  [model, pairs] = [await saveTinyModel(folder), writeTinyPairs(folder, 60)];
  process.chdir(folder);
});
afterAll(() => process.chdir(home));

async function command(...words: string[]) {
  let printed = "";
  let said = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((said += String(text)), true));
  const code = await rewardbook(words);
  vi.restoreAllMocks();
  return { code, printed, said };
}
const train = (run: string, ...words: string[]) =>
  command(
    ...["train", "--pairs", pairs, "--model", model, "--run", run, "--epochs", "1", "--learning-rate", "0.003"],
    ...["--val-ratio", "0.3", "--train-ratio", "0.7", "--gate", "report", "--precision", "f32", ...words],
  );
const lines = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe.each([
  ["whole models", "whole", []],
  ["a frozen encoder", "frozen", ["--freeze", "head-only"]],
] as const)("train --seeds: %s", (_name, run, flags) => {
  it("keeps mean, spread and interval, the best and the ensemble", async () => {
    const { code, printed, said } = await train(run, "--seeds", "3", "--json", ...flags);
    expect([code, said.match(/seed \d+ \(\d of 3\)/g)]).toEqual([
      0,
      ["seed 42 (1 of 3)", "seed 43 (2 of 3)", "seed 44 (3 of 3)"],
    ]);
    const result = JSON.parse(printed);
    const accuracies: number[] = result.seeds.map(({ accuracy }: { accuracy: number }) => accuracy);
    const mean = accuracies.reduce((a, b) => a + b, 0) / 3;
    expect(result.accuracy.mean).toBeCloseTo(mean, 12);
    expect(result.accuracy.sd).toBeCloseTo(Math.hypot(...accuracies.map((one) => one - mean)) / Math.SQRT2, 12);
    expect(result.accuracy.ci95[0]).toBeLessThanOrEqual(mean);
    expect(Math.max(...accuracies)).toBe(
      result.seeds.find((seed: { run: string }) => seed.run === result.best).accuracy,
    );
    const record = readRun(join("metrics", run));
    expect(record.seeds!.file.seeds.map(({ seed }) => seed)).toEqual([42, 43, 44]);
    expect(record.evaluation!.accuracy).toBe(Math.max(...accuracies));
    // All seeds were validated on the same pairs.
    const ids = record.seeds!.scores.map((list) => list.map(({ id }) => id).join());
    expect(new Set(ids).size).toBe(1);
    expect((await command("verify", join("checkpoints", run, "best"))).code).toBe(0);
  });

  it("the ensemble's rewards are the means of its members', each scored alone", async () => {
    const { pairs: all } = await loadPairs(pairs);
    const some = all.slice(0, 20);
    const ensemble = await openScoring(join("checkpoints", run, "ensemble"));
    const lists = await ensemble.scorePairs(some);
    ensemble.dispose();
    for (const [m, seed] of [42, 43, 44].entries()) {
      const alone = await loadScoringModel(join("checkpoints", `${run}-seed${seed}`, "best"));
      const expected = await scorePairs(alone, some);
      alone.model.dispose();
      lists[m].forEach((pair, i) => {
        expect(pair.chosenScore).toBeCloseTo(expected[i].chosenScore, 5);
        expect(pair.rejectedScore).toBeCloseTo(expected[i].rejectedScore, 5);
      });
    }
    const out = join(folder, `${run}.jsonl`);
    const words = ["score", "--checkpoint", join("checkpoints", run, "ensemble"), "--input", pairs, "--out", out];
    expect((await command(...words)).code).toBe(0);
    lines(out)
      .slice(0, 20)
      .forEach((row, i) => {
        const mean = lists.reduce((sum, list) => sum + list[i].chosenScore, 0) / 3;
        expect(row.chosen_score).toBeCloseTo(mean, 5);
        expect(row.margin_sd).toBeUndefined();
      });
  });

  it("score --uncertainty tells the spread; its suspects are the pairs that every model contradicts", async () => {
    const out = join(folder, `${run}-spread.jsonl`);
    const suspects = join(folder, `${run}-suspects.jsonl`);
    const words = ["score", "--checkpoint", join("checkpoints", run, "ensemble"), "--input", pairs, "--out", out];
    expect((await command(...words, "--uncertainty", "--suspects", suspects)).code).toBe(0);
    const rows = lines(out);
    const found = rows.filter(({ disagreement }) => disagreement === 1);
    const text = readFileSync(suspects, "utf8").trim();
    expect(text === "" ? 0 : text.split("\n").length).toBe(found.length);
    for (const row of rows) {
      expect(row.margin_sd).toBeGreaterThan(0);
      expect(row.suspect).toBe(row.disagreement === 1);
      expect(row.probability > 0.5).toBe(row.chosen_score > row.rejected_score);
    }
    const evaluated = join(folder, `${run}-eval.json`);
    const evaluate = [
      "evaluate",
      "--checkpoint",
      join("checkpoints", run, "ensemble"),
      "--pairs",
      pairs,
      "--out",
      evaluated,
    ];
    expect((await command(...evaluate)).code).toBe(0);
    const right = rows.map(({ chosen_score: c, rejected_score: r }) => (c > r ? 1 : c < r ? 0 : 0.5));
    const { mean } = clusteredShare(
      right,
      rows.map(({ question_id }) => question_id),
    );
    expect(JSON.parse(readFileSync(evaluated, "utf8")).accuracy).toBeCloseTo(mean, 12);
  });

  it("the report tells of all seeds, and compare takes them all", async () => {
    const page = reportHtml(readRun(join("metrics", run)));
    expect(page).toContain("the best of 3 seeds");
    expect(page).toMatch(/id="seeds"/);
    const { printed } = await command("compare", "--runs", `${run},${run}-seed43`, "--json");
    expect(JSON.parse(printed)).toMatchObject({ runs: 3, other_runs: 1 });
  });
});

it("a frozen encoder stands in the ensemble once, and went over the texts once", () => {
  const ensemble = join("checkpoints", "frozen", "ensemble");
  const files = readdirSync(ensemble);
  expect(files).toEqual(
    expect.arrayContaining(["config.json", "model.safetensors", "heads.safetensors", "ensemble.json"]),
  );
  expect(statSync(join(ensemble, "heads.safetensors")).size).toBeLessThan(
    statSync(join(ensemble, "model.safetensors")).size / 2,
  );
  const caches = readdirSync(join(".cache", "encoder")).filter((name) => name.endsWith(".vectors"));
  expect(caches).toHaveLength(1);
  expect(readdirSync(join("checkpoints", "whole", "ensemble")).sort()).toEqual([
    "42",
    "43",
    "44",
    "ensemble.json",
    "manifest.json",
  ]);
});

it("names that are taken, seeds that are none, and a spread of one model are refused before anything is trained", async () => {
  expect(await train("whole", "--seeds", "2")).toMatchObject({ code: 2, said: expect.stringContaining("whole") });
  expect(existsSync(join("metrics", "whole-seed45"))).toBe(false);
  expect((await train("other", "--seeds", "1,1")).code).toBe(2);
  expect((await train("other", "--seeds", "one")).code).toBe(2);
  expect(existsSync(join("metrics", "other"))).toBe(false);
  const rows = join(folder, "rows.jsonl");
  writeFileSync(rows, JSON.stringify({ prompt: "a", response: "b" }) + "\n");
  const single = [
    "score",
    "--checkpoint",
    join("checkpoints", "whole", "best"),
    "--input",
    rows,
    "--out",
    join(folder, "o"),
  ];
  expect(await command(...single, "--uncertainty")).toMatchObject({
    code: 2,
    said: expect.stringContaining("train --seeds"),
  });
  const damaged = join("checkpoints", "whole", "ensemble", "ensemble.json");
  writeFileSync(damaged, readFileSync(damaged, "utf8").replace('"temperature": ', '"temperature": 1'));
  const ensemble = [...single];
  ensemble[2] = join("checkpoints", "whole", "ensemble");
  expect(await command(...ensemble)).toMatchObject({ code: 1, said: expect.stringContaining("ensemble.json") });
});

it("going on with seeds never takes the place of a model that was trained alone", async () => {
  const before = readFileSync(join("metrics", "whole-seed42", "metrics.json"), "utf8");
  expect(await train("whole-seed42", "--seeds", "2", "--resume")).toMatchObject({
    code: 2,
    said: expect.stringContaining("trained alone"),
  });
  expect(readFileSync(join("metrics", "whole-seed42", "metrics.json"), "utf8")).toBe(before);
});

it("seeds that another process trains are refused", async () => {
  const lock = lockRun("held");
  try {
    expect(await train("held", "--seeds", "2")).toMatchObject({ code: 2, said: expect.stringContaining("process") });
  } finally {
    lock.release();
  }
  expect(existsSync(join("metrics", "held-seed42"))).toBe(false);
});

it("seeds that were trained once are summed up again, byte for byte, and nothing is trained", async () => {
  const files = ["metrics/whole/seeds.json", "checkpoints/whole/ensemble/manifest.json"];
  const before = files.map((path) => readFileSync(path, "utf8"));
  rmSync(join("metrics", "whole"), { recursive: true }); // killed while the best seed's files took the run's name
  const { code, said } = await train("whole", "--seeds", "3", "--resume");
  expect({ code, finished: said.match(/is finished/g) }).toEqual({ code: 0, finished: Array(3).fill("is finished") });
  expect(files.map((path) => readFileSync(path, "utf8"))).toEqual(before);
});

it.each(["whole", "frozen"])(
  "verify judges the ensemble of %s by its members, and names the damaged one",
  async (run) => {
    const ensemble = join("checkpoints", run, "ensemble");
    expect(await command("verify", ensemble)).toMatchObject({ code: 0, printed: expect.stringContaining("complete") });
    const damaged = join(folder, `damaged-${run}`);
    cpSync(ensemble, damaged, { recursive: true });
    const file = join(damaged, run === "whole" ? join("43", "model.safetensors") : "heads.safetensors");
    const bytes = readFileSync(file);
    bytes[bytes.length - 1] ^= 0x80; // the sign of a weight
    writeFileSync(file, bytes);
    expect(await command("verify", damaged)).toMatchObject({ code: 1, printed: expect.stringContaining(file) });
  },
);

it("seeds are counted from the run's own, or listed", () => {
  expect(parseSeeds("3", 7)).toEqual([7, 8, 9]);
  expect(parseSeeds("5, 1,2", 7)).toEqual([5, 1, 2]);
  for (const text of ["1", "0", "", "2,x", "1,,2", "-3", "1.5,2"]) expect(() => parseSeeds(text, 1)).toThrow(/--seeds/);
});
