// A folder of their own for the runs of a test file, a tiny model and pairs in it, and what the tests read of a run.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, vi } from "vitest";
import type { TrainingInput } from "../../lib/config";
import { initBackend } from "../../lib/engine/backend";
import { trainRewardModel, type TrainingHooks, type TrainingResult } from "../../lib/training";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "./tinyRun";

/** Moves the tests of a file there. @returns the folder, and a configuration of two short epochs, filled in before the first test */
export function inOwnFolder(): { readonly folder: string; readonly base: TrainingInput } {
  const home = process.cwd();
  const folder = temporaryFolder();
  const base: TrainingInput = {
    max_length: 64,
    epochs: 2,
    batch_size: 16,
    learning_rate: 3e-3,
    precision: "f32",
    val_ratio: 0.2,
    train_ratio: 0.8,
    patience: 0,
    save_steps: 3,
  };
  beforeAll(async () => {
    await initBackend();
    process.chdir(folder);
    vi.stubEnv("CHROMIUM", "/bin/false"); // plots take longer than these runs
    Object.assign(base, { model: await saveTinyModel(folder), pairs: writeTinyPairs(folder) });
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    process.chdir(home);
    rmSync(folder, { recursive: true });
  });
  return { folder, base };
}

export const lines = (run: string, file: string) =>
  readFileSync(join("metrics", run, file), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
export const numbers = (run: string, file: string, field: string): number[] =>
  lines(run, file).map((line) => line[field]);

/** Trains, and keeps what was said. */
export const train = async (input: TrainingInput, hooks: TrainingHooks = {}) => {
  const messages: string[] = [];
  const result: TrainingResult = await trainRewardModel(input, { ...hooks, onMessage: (text) => messages.push(text) });
  return { result, said: messages.join("\n") };
};
