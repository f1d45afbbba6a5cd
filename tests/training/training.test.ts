import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import type { TrainingInput } from "../../lib/config";
import { loadPairs } from "../../lib/pairs/read";
import { splitPairs } from "../../lib/split";
import { scorePairs } from "../../lib/scoring/score";
import { loadRewardModel } from "../../lib/checkpoints/checkpoint";
import { readSafetensors } from "../../lib/files/safetensors";
import { trainRewardModel, type TrainingResult } from "../../lib/training";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "./tinyRun";

const home = process.cwd();
const folder = temporaryFolder();
let base: TrainingInput;

beforeAll(async () => {
  await initBackend();
  process.chdir(folder);
  const [model, pairs] = [await saveTinyModel(folder), writeTinyPairs(folder)];
  base = {
    model,
    pairs,
    max_length: 64,
    epochs: 2,
    batch_size: 8,
    learning_rate: 3e-3,
    precision: "f32",
    val_ratio: 0.2,
    train_ratio: 0.8,
    dropout: true,
  };
});
afterAll(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const json = (...parts: string[]) => JSON.parse(readFileSync(join(folder, ...parts), "utf8"));
const lines = (...parts: string[]) =>
  readFileSync(join(folder, ...parts), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

/** Ends the run after a step, as a kill would, but with the state of `last` saved by --save-steps. */
async function trainUntil(step: number, input: TrainingInput): Promise<void> {
  const controller = new AbortController();
  await trainRewardModel(input, {
    signal: controller.signal,
    onStep: (record) => {
      if (record.step === step) controller.abort();
    },
  });
}

describe("trainRewardModel", () => {
  let result: TrainingResult;
  beforeAll(async () => {
    result = await trainRewardModel({ ...base, run: "whole" });
  });

  test("learns to rank unseen questions", () => {
    expect(result.metrics.val_accuracy).toBeGreaterThan(0.9);
    const steps = lines("metrics/whole/train_steps.jsonl");
    expect(steps[0].loss / (1 + 3 * 0.125)).toBeCloseTo(Math.LN2, 0);
    expect(steps.map((record: { step: number }) => record.step)).toEqual(steps.map((_: unknown, i: number) => i + 1));
  });

  test("writes the files and keys of the contract", () => {
    const files = readdirSync(join(folder, "metrics/whole"));
    expect(files).toEqual(
      expect.arrayContaining([
        "config.json",
        "environment.json",
        "data.json",
        "train_steps.jsonl",
        "val_epochs.jsonl",
        "val_deltas",
        "training_log.csv",
        "metrics.json",
        "reward_eval_val_epoch01.json",
        "reward_eval_val_epoch02.json",
        "plots",
      ]),
    );
    expect(Object.keys(json("metrics/whole/reward_eval_val_epoch01.json"))).toEqual(
      expect.arrayContaining(["pairwise_accuracy", "ece", "acc_by_risk", "ece_detail", "deltas", "probs", "corrects"]),
    );
    expect(json("metrics/whole/val_deltas/deltas_epoch02.json")).toMatchObject({ epoch: 2, deltas: expect.any(Array) });
    expect(Object.keys(json("metrics/whole/metrics.json"))).toEqual(
      expect.arrayContaining([
        "train_accuracy",
        "val_accuracy",
        "overfitting_gap",
        "num_parameters",
        "training_steps",
        "train_seconds",
        "train_pairs_per_second",
        "peak_memory_mb",
      ]),
    );
    expect(json("metrics/whole/config.json")).toMatchObject({ run: "whole", seed: 42, beta: 3 });
    expect(Object.keys(json("metrics/whole/data.json"))).toContain("truncation");
    for (const name of ["best", "epoch01", "epoch02", "last"])
      expect(existsSync(join(folder, "checkpoints/whole", name, "model.safetensors"))).toBe(true);
    expect(existsSync(join(folder, "checkpoints/whole/last/training_state.json"))).toBe(true);
  });

  test("the best checkpoint carries the run's metrics, as the stage-3 system's does", () => {
    const read = (...parts: string[]) => JSON.parse(readFileSync(join(folder, ...parts), "utf8"));
    const metrics = read("checkpoints/whole/best/metrics.json");
    expect(metrics).toEqual(read("metrics/whole/metrics.json"));
    for (const key of ["train_accuracy", "val_accuracy", "overfitting_gap", "num_parameters", "training_steps"])
      expect(metrics[key]).toEqual(expect.any(Number));
  });

  test("the best checkpoint gives the validation scores again", async () => {
    const loaded = await loadRewardModel(join(folder, "checkpoints/whole/best"));
    const { pairs } = await loadPairs(join(folder, "metrics/whole/val_pairs.jsonl"));
    const scored = await scorePairs(loaded, pairs);
    const logged = lines("metrics/whole/val_scores.jsonl");
    expect(scored.length).toBe(logged.length);
    scored.forEach((pair, i) => {
      expect(Math.abs(pair.chosenScore - logged[i].chosen_score)).toBeLessThan(1e-5);
      expect(Math.abs(pair.rejectedScore - logged[i].rejected_score)).toBeLessThan(1e-5);
    });
    expect(loaded.settings.temperature).toBeCloseTo(result.evaluation.temperature, 10);
    loaded.model.dispose();
  });

  test("no question stands in both splits", () => {
    const held = new Set(lines("metrics/whole/val_pairs.jsonl").map((row: { question_id: string }) => row.question_id));
    expect(held.size).toBe(16);
    expect(json("metrics/whole/data.json").counts).toEqual({ train: 128, val: 32, test: 0 });
  });

  test("leaves no tensor behind", async () => {
    const before = tf.memory().numTensors;
    await trainRewardModel({ ...base, run: "leak", epochs: 1, max_steps: 6 });
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("split pairs", () => {
  const ratios = { train_ratio: 0.75, val_ratio: 0.25, test_ratio: 0, seed: 5 };
  const short = () => ({ ...base, ...ratios, pairs: undefined, epochs: 1, max_steps: 2 });

  // Expected: the lists as they were given, whatever a split of the file by the run's own seed would be.
  test("are trained and validated on as they are given", async () => {
    const { pairs, report } = await loadPairs(base.pairs!);
    const split = splitPairs(pairs, ratios);
    await trainRewardModel({ ...short(), ...split, reports: [report], run: "given" });
    const held = lines("metrics/given/val_pairs.jsonl").map((row: { prompt: string }) => row.prompt);
    expect(held).toEqual(split.val.map((pair) => pair.prompt));
    const data = json("metrics/given/data.json");
    expect(data.counts).toEqual({ train: split.train.length, val: split.val.length, test: 0 });
    expect(data.sources[0]).toMatchObject({ file: base.pairs, rows: 160, used: 160 });
    expect(data.split.seed).toBe(5);
  });

  test("are refused where a validation pair is trained on, also the other way round", async () => {
    const { pairs } = await loadPairs(base.pairs!);
    const leaked = { ...pairs[3], id: "again", chosen: pairs[3].rejected, rejected: pairs[3].chosen };
    const request = { ...short(), train: pairs.slice(0, 100), val: [...pairs.slice(120), leaked], run: "leaked" };
    await expect(trainRewardModel(request)).rejects.toThrow(/got 1 training pairs .*validation pair again/);
    expect(existsSync(join(folder, "metrics/leaked"))).toBe(false);
  });

  test("come with their validation pairs", async () => {
    const { pairs } = await loadPairs(base.pairs!);
    await expect(trainRewardModel({ ...short(), train: pairs })).rejects.toThrow(/both train and val/);
    await expect(trainRewardModel({ ...short(), val: pairs })).rejects.toThrow(/both train and val/);
  });
});

describe("resume", () => {
  const weightsOf = async (run: string) =>
    await readSafetensors(join(folder, "checkpoints", run, "last/model.safetensors"));
  const expectSameWeights = async (a: string, b: string) => {
    const [first, second] = [await weightsOf(a), await weightsOf(b)];
    for (const [name, { data }] of first)
      expect(Buffer.compare(Buffer.from(data.buffer), Buffer.from(second.get(name)!.data.buffer)), name).toBe(0);
  };
  const input = () => ({ ...base, epochs: 2, gradient_accumulation: 2, save_steps: 3, patience: 0 });

  // The whole state: weights, both moments, schedule, data order, dropout seeds, epoch sums. Any one missing changes a bit.
  test("gives the same bits as a run that was never interrupted: mid-epoch, dropout and accumulation on", async () => {
    const whole = await trainRewardModel({ ...input(), run: "straight" });
    await trainUntil(5, { ...input(), run: "resumed" });
    const resumed = await trainRewardModel({ ...input(), run: "resumed", resume: true });
    expect(resumed.metrics.training_steps).toBe(whole.metrics.training_steps);
    await expectSameWeights("straight", "resumed");
    const steps = lines("metrics/resumed/train_steps.jsonl");
    expect(steps.map((record: { loss: number }) => record.loss)).toEqual(
      lines("metrics/straight/train_steps.jsonl").map((record: { loss: number }) => record.loss),
    );
    expect(resumed.metrics.train_accuracy).toBe(whole.metrics.train_accuracy);
  });

  test("passes over a damaged checkpoint, says so, and goes on from the one before", async () => {
    await trainUntil(7, { ...input(), run: "damaged" });
    cpSync(
      join(folder, "checkpoints/damaged/last/config.json"),
      join(folder, "checkpoints/damaged/last/optimizer.safetensors"),
    );
    const messages: string[] = [];
    await trainRewardModel({ ...input(), run: "damaged", resume: true }, { onMessage: (text) => messages.push(text) });
    expect(messages.join("\n")).toMatch(/skipped .*last: optimizer\.safetensors/);
    expect(messages.join("\n")).toMatch(/resumed after step 6 /);
    await expectSameWeights("straight", "damaged");
  });

  // The base is read again; matrices, head and moments come from the state.
  test("the same bits with LoRA", async () => {
    const adapted = { ...input(), epochs: 1, lora_rank: 4, lora_dropout: 0.1, save_steps: 2 };
    await trainRewardModel({ ...adapted, run: "lora-straight" });
    await trainUntil(3, { ...adapted, run: "lora-resumed" });
    await trainRewardModel({ ...adapted, run: "lora-resumed", resume: true });
    await expectSameWeights("lora-straight", "lora-resumed");
    expect(existsSync(join(folder, "checkpoints/lora-straight/best/adapter/adapter_config.json"))).toBe(true);
  });

  test("refuses other data or settings", async () => {
    await expect(trainRewardModel({ ...input(), run: "resumed", resume: true, learning_rate: 1e-4 })).rejects.toThrow(
      /learning_rate: 0\.003 then, 0\.0001 now/,
    );
  });
});

describe("bad input writes nothing", () => {
  test.each([
    ["no pairs", {}, /expected a file of preference pairs, got none/],
    ["no such file", { pairs: "nowhere.jsonl" }, /nowhere\.jsonl/],
    ["no such model", { model: "no-such-model" }, /no-such-model/],
  ])("%s", async (_name, change, message) => {
    const { pairs: _pairs, ...rest } = base;
    const input = { ...(_name === "no pairs" ? rest : base), ...change, run: "refused" };
    await expect(trainRewardModel(input)).rejects.toThrow(message);
    expect(existsSync(join(folder, "metrics/refused"))).toBe(false);
    expect(existsSync(join(folder, "checkpoints/refused"))).toBe(false);
  });

  test("a malformed line, named with its number", async () => {
    const file = join(folder, "broken.jsonl");
    writeFileSync(file, readFileSync(join(folder, "pairs.jsonl"), "utf8") + '{"prompt": \n');
    await expect(trainRewardModel({ ...base, pairs: file, run: "refused" })).rejects.toThrow(/broken\.jsonl:161: /);
  });
});
