import { existsSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TrainingInput } from "../../lib/config";
import { initBackend } from "../../lib/engine/backend";
import { scorePairs } from "../../lib/scoring/score";
import { loadPairs } from "../../lib/pairs/read";
import { loadRewardModel } from "../../lib/checkpoints/checkpoint";
import { trainRewardModel } from "../../lib/training";
import { makeModelDirectory } from "../checkpoints/modelDirectory";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "./tinyRun";

const home = process.cwd();
const folder = temporaryFolder();
let base: TrainingInput;

beforeAll(async () => {
  await initBackend();
  process.chdir(folder);
  await makeModelDirectory(join(folder, "policy"), "llama", { architectures: ["LlamaForCausalLM"] });
  base = {
    model: join(folder, "policy"),
    pairs: writeTinyPairs(folder, 30),
    max_length: 48,
    epochs: 1,
    batch_size: 8,
    learning_rate: 1e-2,
    precision: "f32",
    architecture: "shared",
  };
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
  const { readRun } = await import("../../lib/runs/runFiles");
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
    await trainRewardModel(
      { ...input, run: "resumed" },
      { signal: stop.signal, onStep: ({ step }) => step === 3 && stop.abort() },
    );
    await trainRewardModel({ ...input, run: "resumed", resume: true });
    const [straight, resumed] = await Promise.all(
      ["straight", "resumed"].map((run) => loadRewardModel(join(folder, "checkpoints", run, "last"))),
    );
    expect(resumed.model.parameters.get("score.weight")!.dataSync()).toEqual(
      straight.model.parameters.get("score.weight")!.dataSync(),
    );
  });

  // Numbers in a file come from its size: 8 bytes, the header, then 4 bytes a number.
  test("its parameters, time and speed stand in metrics.json, and those of a separate model beside them", async () => {
    await trainRewardModel({ ...base, freeze: "head-only", run: "policy-head" });
    await trainRewardModel({ ...base, model: await saveTinyModel(folder), architecture: "separate", run: "small" });
    const metrics = (run: string) => JSON.parse(readFileSync(join(folder, "metrics", run, "metrics.json"), "utf8"));
    const numbersIn = (path: string) => {
      const bytes = readFileSync(join(folder, path));
      return (bytes.length - 8 - Number(bytes.readBigUInt64LE(0))) / 4;
    };
    const { hidden_size: hidden } = JSON.parse(readFileSync(join(folder, "policy/config.json"), "utf8"));
    const [shared, separate] = [metrics("policy-head"), metrics("small")];
    expect(shared).toMatchObject({ architecture: "shared", trainable_parameters: hidden, saved_parameters: hidden });
    expect(numbersIn("checkpoints/policy-head/best/adapter_model.safetensors")).toBe(hidden);
    expect(shared.num_parameters).toBe(numbersIn("policy/model.safetensors"));
    const all = numbersIn("checkpoints/small/best/model.safetensors");
    expect(separate).toMatchObject({
      architecture: "separate",
      num_parameters: all,
      trainable_parameters: all,
      saved_parameters: all,
    });
    for (const { train_seconds, score_pairs_per_second } of [shared, separate]) {
      expect(train_seconds).toBeGreaterThan(0);
      expect(score_pairs_per_second).toBeGreaterThan(0);
    }
  });

  test("is refused on a model that is no language model", async () => {
    await makeModelDirectory(join(folder, "encoder"), "bert");
    await expect(
      trainRewardModel({ ...base, model: join(folder, "encoder"), max_length: 16, run: "refused" }),
    ).rejects.toThrow(/ForCausalLM/);
  });
});
