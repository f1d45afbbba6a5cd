import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrainingInput } from "../../lib/config";
import { initBackend } from "../../lib/engine/backend";
import { scorePairs } from "../../lib/evaluation/score";
import { loadPairs } from "../../lib/pairs/read";
import { loadRewardModel } from "../../lib/storage/checkpoint";
import { trainRewardModel } from "../../lib/training";
import { makeModelDirectory } from "../storage/modelDirectory";
import { temporaryFolder, writeTinyPairs } from "./tinyRun";

const home = process.cwd();
const folder = temporaryFolder();
let base: TrainingInput;

beforeAll(async () => {
  await initBackend();
  process.chdir(folder);
  await makeModelDirectory(join(folder, "policy"), "llama", { architectures: ["LlamaForCausalLM"] });
  base = { model: join(folder, "policy"), pairs: writeTinyPairs(folder, 30), max_length: 48, epochs: 1, batch_size: 8, learning_rate: 1e-2, precision: "f32", architecture: "shared" };
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** The saved checkpoint gives the validation scores again, though it holds no trunk. */
async function expectSameScores(run: string): Promise<void> {
  const loaded = await loadRewardModel(join(folder, "checkpoints", run, "best"));
  const { pairs } = await loadPairs(join(folder, "metrics", run, "val_pairs.jsonl"));
  const scored = await scorePairs(loaded, pairs);
  const { readRun } = await import("../../lib/report/runFiles");
  readRun(join(folder, "metrics", run)).scores.forEach((row, i) => {
    expect(Math.abs(row.chosen_score - scored[i].chosenScore)).toBeLessThan(1e-5);
  });
  loaded.model.dispose();
}

describe("a reward model that shares the policy's trunk", () => {
  test.each([
    ["head", { freeze: "head-only" }],
    ["adapter", { lora_rank: 2 }],
  ])("saves the %s alone and loads it onto the policy again", async (name, change) => {
    await trainRewardModel({ ...base, ...change, run: name });
    const best = join(folder, "checkpoints", name, "best");
    expect(existsSync(join(best, "model.safetensors"))).toBe(false);
    const bytes = readdirSync(best).reduce((sum, file) => sum + statSync(join(best, file)).size, 0);
    expect(bytes).toBeLessThan(statSync(join(folder, "policy/model.safetensors")).size / 2);
    await expectSameScores(name);
  });

  test("resumes from the head and its moments", async () => {
    const input = { ...base, freeze: "head-only", save_steps: 2 };
    await trainRewardModel({ ...input, run: "straight" });
    const stop = new AbortController();
    await trainRewardModel({ ...input, run: "resumed" }, { signal: stop.signal, onStep: ({ step }) => step === 3 && stop.abort() });
    await trainRewardModel({ ...input, run: "resumed", resume: true });
    const [straight, resumed] = await Promise.all(
      ["straight", "resumed"].map((run) => loadRewardModel(join(folder, "checkpoints", run, "last"))),
    );
    expect(resumed.model.parameters.get("score.weight")!.dataSync()).toEqual(straight.model.parameters.get("score.weight")!.dataSync());
  });

  test("is refused on a model that is no language model", async () => {
    await makeModelDirectory(join(folder, "encoder"), "bert");
    await expect(trainRewardModel({ ...base, model: join(folder, "encoder"), max_length: 16, run: "refused" })).rejects.toThrow(/ForCausalLM/);
  });
});
