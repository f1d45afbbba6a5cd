import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { trainRewardModel } from "../../lib/training";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "./tinyRun";

const home = process.cwd(),
  folder = temporaryFolder();
beforeAll(async () => {
  await initBackend();
  process.chdir(folder);
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});
const lines = (run: string, file: string) =>
  readFileSync(join("metrics", run, file), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const losses = (run: string): number[] => lines(run, "train_steps.jsonl").map(({ loss }) => loss);

// Expected: the same run by the whole model; only the path through the encoder differs, and rounding with it.
it("a head-only run trains on cached vectors, to the numbers of the whole model, and again from the file", async () => {
  const [model, pairs] = [await saveTinyModel(folder), writeTinyPairs(folder)];
  const input = {
    model,
    pairs,
    max_length: 64,
    epochs: 2,
    batch_size: 8,
    learning_rate: 3e-3,
    precision: "f32",
    val_ratio: 0.2,
    train_ratio: 0.8,
  } as const;
  const cached = await trainRewardModel({ ...input, freeze: "head-only", run: "cached" });
  const files = readdirSync(join(".cache", "encoder"));
  expect([files.length, files[0].endsWith(".vectors")]).toEqual([1, true]);
  await trainRewardModel({ ...input, freeze: "head-only", run: "again" });
  expect(losses("again")).toEqual(losses("cached"));
  await trainRewardModel({
    ...input,
    freeze: "pattern:^(?!classifier|bert\\.pooler|bert\\.embeddings\\.token_type).*",
    weight_decay: 0,
    run: "whole",
    max_steps: 2,
  });
  await trainRewardModel({ ...input, freeze: "head-only", weight_decay: 0, run: "short", max_steps: 2 });
  expect(Math.abs(losses("short")[0] - losses("whole")[0])).toBeLessThan(1e-5);
  expect(cached.metrics.val_accuracy).toBeGreaterThan(0.5);
  expect(existsSync(join("checkpoints", "cached", "best", "model.safetensors"))).toBe(true);
});

// Expected: the run that is never interrupted; several updates a graph run move neither a validation nor the end.
it("updates that run together keep to eval_steps, max_steps and the bits of a resumed run", async () => {
  const [model, pairs] = [await saveTinyModel(folder), writeTinyPairs(folder)];
  const input = {
    model,
    pairs,
    max_length: 64,
    epochs: 2,
    batch_size: 4,
    learning_rate: 3e-3,
    val_ratio: 0.2,
    train_ratio: 0.8,
    freeze: "head-only",
    max_steps: 45,
    eval_steps: 10,
    save_steps: 4,
  } as const;
  const steps: number[] = [];
  const saved = new Set<boolean>(); // within an epoch of milliseconds nothing is written
  await trainRewardModel(
    { ...input, run: "straight" },
    {
      onStep: ({ step, epoch }) => {
        steps.push(step);
        if (epoch === 1) saved.add(existsSync(join("checkpoints", "straight", "last")));
      },
    },
  );
  expect([...saved]).toEqual([false]);
  expect(steps).toEqual(Array.from({ length: 45 }, (_, i) => i + 1));
  expect(lines("straight", "val_steps.jsonl").map(({ step }) => step)).toEqual([10, 20, 30, 40]);
  const stop = new AbortController();
  await trainRewardModel(
    { ...input, run: "stopped" },
    { signal: stop.signal, onStep: ({ step }) => step === 13 && stop.abort() },
  );
  expect(losses("stopped").length).toBeLessThan(45);
  await trainRewardModel({ ...input, run: "stopped", resume: true });
  expect(losses("stopped")).toEqual(losses("straight"));
});
