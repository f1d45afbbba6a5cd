// rewardbook compare over runs, seeds, checkpoints, score files and held-out files. Expected values: simulated skills, and counting by hand.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { run } from "../../cli/main";
import { initBackend } from "../../lib/engine/backend";
import { writeRun } from "../report/fixture";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "../training/tinyRun";

const folder = temporaryFolder();
const home = process.cwd();
let checkpoint: string;
beforeAll(async () => {
  await initBackend();
  checkpoint = await saveTinyModel(folder);
  process.chdir(folder);
  mkdirSync("metrics");
  for (const [name, seed, skill] of [
    ["a", 1, 1.3],
    ["b", 2, 0.5],
    ["a2", 5, 1.3],
    ["b2", 6, 0.5],
  ] as const)
    writeRun("metrics", { name, seed, skill });
});
afterAll(() => process.chdir(home));
afterEach(() => vi.restoreAllMocks());

async function compare(...words: string[]) {
  let printed = "";
  let said = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((said += String(text)), true));
  const code = await run(["compare", ...words]);
  vi.restoreAllMocks();
  return { code, printed, said };
}
const json = async (...words: string[]) => JSON.parse((await compare(...words, "--json")).printed);

describe("compare", () => {
  it("runs by the scores they kept, in words and numbers", async () => {
    const { printed, code } = await compare("--runs", "a,b", "--detect", "3", "--out", "c.json");
    expect(code).toBe(0);
    expect(printed).toMatch(/compared {3}a is better than b by \d+\.\d points \(95% interval .* 400 validation pairs/);
    expect(printed).toMatch(/power .*four times in five\. One of 3\.0 points would be shown with a chance of \d+%/);
    expect(JSON.parse(readFileSync("c.json", "utf8"))).toMatchObject({
      run: "a",
      against: "b",
      difference_shown: true,
    });
    expect((await compare("--runs", "a,a2")).printed).toContain("No difference shown: ");
  });

  it("models joined to sides are seeds", async () => {
    const result = await json("--runs", "a+a2,b+b2");
    expect(result).toMatchObject({
      runs: 2,
      other_runs: 2,
      models: [
        ["a", "a2"],
        ["b", "b2"],
      ],
      n_pairs: 400,
    });
    expect(result.error_parts.runs).toBeGreaterThan(0);
  });

  it("a run of several seeds stands for all of them", async () => {
    writeSeeds("a", ["a", "a2"]);
    try {
      expect((await json("--runs", "a,b")).models).toEqual([["a", "a2"], ["b"]]);
    } finally {
      rmSync(join("metrics", "a", "seeds.json"));
    }
  });

  it("three runs: the first against each, p adjusted by Holm", async () => {
    const { comparisons } = await json("--runs", "a,a2,b");
    expect(comparisons.map(({ against }: { against: string }) => against)).toEqual(["a2", "b"]);
    const [same, worse] = comparisons as { p_value: number; p_value_holm: number }[];
    expect(worse.p_value_holm).toBeCloseTo(2 * worse.p_value, 12);
    expect(same.p_value_holm).toBe(same.p_value);
  });

  it("score files are matched by id; other data are refused", async () => {
    const rows = (right: (i: number) => boolean) =>
      Array.from({ length: 40 }, (_, i) =>
        JSON.stringify({ id: `${i}`, chosen_score: right(i) ? 1 : 0, rejected_score: 0.5 }),
      );
    writeFileSync("x.jsonl", rows((i) => i < 30).join("\n"));
    writeFileSync(
      "y.jsonl",
      rows((i) => i < 20)
        .reverse()
        .join("\n"),
    );
    const result = await json("--runs", "x.jsonl,y.jsonl");
    expect(result).toMatchObject({
      n_pairs: 40,
      accuracy: 0.75,
      other_accuracy: 0.5,
      difference: 0.25,
      only_this_right: 10,
    });
    expect(result.difference_shown).toBe(true);
    cpSync(join("metrics", "b"), join("metrics", "elsewhere"), { recursive: true });
    const data = JSON.parse(readFileSync(join("metrics", "b", "data.json"), "utf8"));
    data.sources[0].sha256 = "0".repeat(64);
    writeFileSync(join("metrics", "elsewhere", "data.json"), JSON.stringify(data));
    expect(await compare("--runs", "a,elsewhere")).toMatchObject({
      code: 1,
      said: expect.stringContaining("--pairs FILE"),
    });
    expect((await compare("--runs", "a")).code).toBe(2);
    expect((await compare("--runs", "a,b", "--detect", "x")).code).toBe(2);
    expect((await compare("--runs", "a,nowhere")).code).toBe(1);
  });

  it("checkpoints on several held-out files: all together, then each", async () => {
    const one = writeTinyPairs(folder, 24);
    cpSync(one, "again.jsonl");
    const result = await json("--runs", `${checkpoint},${checkpoint}`, "--pairs", one, "again.jsonl");
    expect(result.comparisons.map(({ pairs }: { pairs: string }) => pairs)).toEqual(["all files", one, "again.jsonl"]);
    const [all, first] = result.comparisons;
    expect(all).toMatchObject({ n_pairs: 2 * first.n_pairs, difference: 0, difference_shown: false });
    // The same prompts stand in both files: they are no more clusters than in one.
    expect(all.n_prompts).toBe(first.n_prompts);
  });
});

function writeSeeds(run: string, names: readonly string[]): void {
  const seeds = names.map((name, i) => ({ seed: i, run: name, accuracy: 0.8, accuracy_ci95: [0.7, 0.9] }));
  const accuracy = { mean: 0.8, sd: 0.01, ci95: [0.7, 0.9], standard_error: 0.02, degrees_of_freedom: 4 };
  const ensemble = {
    checkpoint: "",
    accuracy: 0.8,
    accuracy_ci95: [0.7, 0.9],
    loss: 0.5,
    ece_symmetric: 0.1,
    temperature: 1,
  };
  const file = { run, best: names[0], n_pairs: 400, n_prompts: 200, accuracy, seeds, ensemble };
  writeFileSync(join("metrics", run, "seeds.json"), JSON.stringify(file));
}
