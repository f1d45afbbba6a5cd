import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { trainRewardModel } from "../../lib/training";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "./tinyRun";

const home = process.cwd(), folder = temporaryFolder();
beforeAll(async () => {
  await initBackend();
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});
const losses = (run: string) =>
  readFileSync(join("metrics", run, "train_steps.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line).loss as number);

// Expected: the same run by the whole model; only the path through the encoder differs, and rounding with it.
it("a head-only run trains on cached vectors, to the numbers of the whole model, and again from the file", async () => {
  const [model, pairs] = [await saveTinyModel(folder), writeTinyPairs(folder)];
  const input = { model, pairs, max_length: 64, epochs: 2, batch_size: 8, learning_rate: 3e-3, precision: "f32", val_ratio: 0.2, train_ratio: 0.8 } as const;
  const cached = await trainRewardModel({ ...input, freeze: "head-only", run: "cached" });
  const files = readdirSync(join(".cache", "encoder"));
  expect([files.length, files[0].endsWith(".vectors")]).toEqual([1, true]);
  await trainRewardModel({ ...input, freeze: "head-only", run: "again" });
  expect(losses("again")).toEqual(losses("cached"));
  await trainRewardModel({ ...input, freeze: "pattern:^(?!classifier|bert\\.pooler|bert\\.embeddings\\.token_type).*", weight_decay: 0, run: "whole", max_steps: 2 });
  await trainRewardModel({ ...input, freeze: "head-only", weight_decay: 0, run: "short", max_steps: 2 });
  expect(Math.abs(losses("short")[0] - losses("whole")[0])).toBeLessThan(1e-5);
  expect(cached.metrics.val_accuracy).toBeGreaterThan(0.5);
  expect(existsSync(join("checkpoints", "cached", "best", "model.safetensors"))).toBe(true);
});
