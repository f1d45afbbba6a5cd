// The life of a run: it ends once, is one process's at a time, is never written over unasked, stops when it diverges, and its
// log has every line once. Expected of a run that was stopped: the files of one that never was.
import { cpSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { TrainingInput } from "../../lib/config";
import { readSafetensors } from "../../lib/files/safetensors";
import { lockFile, lockRun } from "../../lib/runs/lock";
import { trainRewardModel, type TrainingHooks } from "../../lib/training";
import { openRun } from "../../lib/training/open";
import { inOwnFolder, lines, numbers, train } from "./ownFolder";

const { folder, base } = inOwnFolder();

const metrics = (run: string) => JSON.parse(readFileSync(join("metrics", run, "metrics.json"), "utf8"));
const modified = (...parts: string[]) => statSync(join(...parts)).mtimeMs;

test.each([
  ["stage3", /expected at least 800 training and 200 validation pairs, got \d+ and \d+/],
  ["bert-pairwise", undefined],
])("the preset %s warns of few pairs where its source does", async (preset, warning) => {
  const said: string[] = [];
  const opened = await openRun({ ...base, preset, run: `few-${preset}` }, (text) => said.push(text));
  opened.release();
  expect(said.some((text) => (warning ?? /at least 800/).test(text))).toBe(warning !== undefined);
});

/** Throws out of the run at a hook: like a kill, nothing that comes after it happens. */
const killedAt = async (input: TrainingInput, hooks: TrainingHooks) => {
  await expect(trainRewardModel(input, hooks)).rejects.toThrow("killed");
};
const kill = (when: boolean) => {
  if (when) throw new Error("killed");
};
const optimizerOf = (run: string) => readSafetensors(join("checkpoints", run, "last", "optimizer.safetensors"));
const sameBits = async (file: string, a: string, b: string) => {
  const [first, second] = await Promise.all([a, b].map((run) => readSafetensors(join("checkpoints", run, file))));
  expect([...second.keys()]).toEqual([...first.keys()]);
  for (const [name, { data }] of first) expect(second.get(name)!.data, name).toEqual(data);
};

describe("a run ends once", () => {
  test("at max_steps: resumed it takes no step and leaves its files alone; raised it goes on within the epoch", async () => {
    await train({ ...base, max_steps: 6, run: "limit" });
    const before = [modified("checkpoints/limit/best"), modified("metrics/limit/metrics.json")];
    const again = await train({ ...base, max_steps: 6, run: "limit", resume: true });
    expect(again.said).toMatch(/run limit is finished: it ended by --max-steps after step 6.*more --max-steps/);
    expect(again.result.metrics.training_steps).toBe(6);
    expect([modified("checkpoints/limit/best"), modified("metrics/limit/metrics.json")]).toEqual(before);

    const further = await train({ ...base, max_steps: 12, run: "limit", resume: true });
    expect(further.said).toMatch(/max_steps: 6 when the run began, 12 now/);
    expect(numbers("limit", "train_steps.jsonl", "step")).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(numbers("limit", "train_steps.jsonl", "epoch")).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(numbers("limit", "val_epochs.jsonl", "step")).toEqual([8, 12]);
    await expect(train({ ...base, max_steps: 9, run: "limit", resume: true })).rejects.toThrow(
      /max_steps: 12 then, 9 now/,
    );
  });

  test("where a save falls on the limit, but the end was not reached: the validation is made up, no step is", async () => {
    const input = { ...base, max_steps: 6, run: "edge" };
    await killedAt(input, { onValidation: () => kill(true) });
    const { result } = await train({ ...input, resume: true });
    expect(result.metrics.training_steps).toBe(6);
    expect(numbers("edge", "train_steps.jsonl", "step")).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("after its last epoch, and by early stopping", async () => {
    const input = { ...base, learning_rate: 1e-12, epochs: 4, patience: 1, run: "early" };
    const { result } = await train(input);
    const steps = result.metrics.training_steps;
    expect(steps).toBeLessThan(32);
    const again = await train({ ...input, resume: true });
    expect(again.said).toMatch(/ended by early stopping after step \d+ .*more --patience/);
    expect(again.result.metrics.training_steps).toBe(steps);
    const further = await train({ ...input, resume: true, patience: 0 });
    expect(further.result.metrics.training_steps).toBe(32);
    const done = await train({ ...input, resume: true, patience: 0 });
    expect(done.said).toMatch(/ended by its last epoch after step 32 .*more --epochs/);
    const longer = await train({ ...input, resume: true, patience: 0, epochs: 5 });
    expect(longer.result.metrics.training_steps).toBe(40);
    expect(numbers("early", "val_epochs.jsonl", "epoch")).toEqual([1, 2, 3, 4, 5]);
  });

  test("killed while it was being finished, it is finished: metrics, gate and plots, and not a step more", async () => {
    const input = { ...base, epochs: 1, gate: "report", run: "finishing" } as const;
    const { result } = await train(input);
    const weights = readFileSync("checkpoints/finishing/best/model.safetensors");
    for (const file of ["metrics.json", "quality_gate.json"]) rmSync(join("metrics/finishing", file));
    rmSync("metrics/finishing/plots", { recursive: true });
    const again = await train({ ...input, resume: true });
    expect(again.said).not.toMatch(/is finished/);
    expect(again.said).toMatch(/plots/);
    expect(metrics("finishing")).toMatchObject({ training_steps: result.metrics.training_steps, interrupted: false });
    expect(again.result.gate).toEqual(result.gate);
    expect(existsSync("metrics/finishing/quality_gate.json")).toBe(true);
    expect(readFileSync("checkpoints/finishing/best/model.safetensors").equals(weights)).toBe(true);
    expect(numbers("finishing", "train_steps.jsonl", "step")).toHaveLength(8);
  });
});

describe("freeze gradual", () => {
  const input = () => ({ ...base, epochs: 4, freeze: "gradual", save_steps: 5 });

  test("thaws a layer an epoch, and gives the same bits when it was stopped in and between epochs", async () => {
    const { result } = await train({ ...input(), run: "gradual" });
    expect(result.metrics.training_steps).toBe(32);
    // Head, the last layer, both, all: each brings moments of its own.
    expect([...(await optimizerOf("gradual")).keys()].some((name) => name.includes("word_embeddings"))).toBe(true);
    const stopped = { ...input(), run: "thawed" };
    await killedAt(stopped, { onStep: ({ step }) => kill(step === 7) });
    await killedAt({ ...stopped, resume: true }, { onStep: ({ step }) => kill(step === 9) });
    await killedAt({ ...stopped, resume: true }, { onStep: ({ step }) => kill(step === 23) });
    await train({ ...stopped, resume: true });
    for (const file of ["last/model.safetensors", "last/optimizer.safetensors"])
      await sameBits(file, "gradual", "thawed");
  });
});

describe("one process a run", () => {
  test("a second training of the run is refused in one line; the lock goes with the first", async () => {
    const lock = lockRun("taken");
    await expect(train({ ...base, run: "taken" })).rejects.toThrow(/^run taken: expected .* that process \d+ on .*$/);
    expect(existsSync("metrics/taken")).toBe(false);
    lock.release();
    await train({ ...base, max_steps: 1, run: "taken" });
    expect(existsSync(lockFile("taken"))).toBe(false);
  });
});

describe("nothing is written over unasked", () => {
  test("the same name again is refused, naming both ways; --overwrite says so and leaves nothing of the old run", async () => {
    await train({ ...base, run: "name" });
    await expect(train({ ...base, run: "name" })).rejects.toThrow(
      /metrics.name and checkpoints.name; --resume .*--overwrite .*--run/,
    );
    expect(numbers("name", "train_steps.jsonl", "step")).toHaveLength(16);
    const { said } = await train({ ...base, epochs: 1, run: "name", overwrite: true });
    expect(said).toMatch(/run name: replaces the earlier run/);
    expect(existsSync("checkpoints/name/epoch02")).toBe(false);
    const own = { ...base, model: "checkpoints/name/best", run: "name", overwrite: true };
    await expect(train(own)).rejects.toThrow(/checkpoints\/name\/best, which lies in the run to be replaced/);
  });

  test("with both states damaged it stops and says what it found; --overwrite begins anew", async () => {
    const input = { ...base, epochs: 1, run: "damaged" };
    await train(input);
    for (const state of ["last", "last-previous"])
      writeFileSync(join("checkpoints/damaged", state, "optimizer.safetensors"), "gone");
    const best = readFileSync("checkpoints/damaged/best/model.safetensors");
    await expect(train({ ...input, resume: true })).rejects.toThrow(
      /last: optimizer\.safetensors: .*last-previous: optimizer\.safetensors: .*--overwrite/,
    );
    expect(readFileSync("checkpoints/damaged/best/model.safetensors").equals(best)).toBe(true);
    expect(numbers("damaged", "train_steps.jsonl", "step")).toHaveLength(8);
    const { said, result } = await train({ ...input, resume: true, overwrite: true });
    expect(said).toMatch(/skipped .*last: optimizer\.safetensors/);
    expect(result.metrics.training_steps).toBe(8);
  });

  test("with all states gone it stops, too; before the first save it begins again", async () => {
    const input = { ...base, epochs: 1, run: "gone" };
    await killedAt(input, { onStep: ({ step }) => kill(step === 2) });
    await expect(train({ ...input, resume: true, learning_rate: 1e-4 })).rejects.toThrow(
      /learning_rate: 0\.003 then, 0\.0001 now/,
    );
    const { said } = await train({ ...input, resume: true });
    expect(said).toMatch(/nothing to resume/);
    for (const state of ["last", "last-previous"]) rmSync(join("checkpoints/gone", state), { recursive: true });
    await expect(train({ ...input, resume: true })).rejects.toThrow(
      /state that run gone saved \(8 steps are logged\), got none/,
    );
  });

  test("a refused resume names each field that differs, the pairs and the base model, with old and new", async () => {
    const input = { ...base, epochs: 1, lora_rank: 2, run: "fields" };
    await killedAt(input, { onStep: ({ step }) => kill(step === 4) });
    await expect(train({ ...input, resume: true, learning_rate: 0.1, seed: 7 })).rejects.toThrow(
      /learning_rate: 0\.003 then, 0\.1 now.*pairs of train: "\w{12}" then, "\w{12}" now/s,
    );
    const moved = join(folder, "moved.jsonl");
    cpSync(base.pairs!, moved);
    const weights = join(base.model!, "model.safetensors");
    cpSync(weights, `${weights}.kept`);
    const bytes = readFileSync(weights);
    bytes[bytes.length - 5] ^= 1;
    writeFileSync(weights, bytes);
    await expect(train({ ...input, pairs: moved, resume: true })).rejects.toThrow(
      /base model's model\.safetensors: "\w{12}" then, "\w{12}" now/,
    );
    renameSync(`${weights}.kept`, weights);
    const { result } = await train({ ...input, pairs: moved, resume: true });
    expect(result.metrics.training_steps).toBe(8);
  });
});

describe("the log has every line once", () => {
  test("killed behind the validation of an epoch whose last step was saved", async () => {
    // 8 steps an epoch, a save every 4: the state at step 8 is that of before the validation.
    const input = { ...base, save_steps: 4, max_length: 8 };
    const straight = await train({ ...input, run: "once" });
    const stopped = { ...input, run: "twice" };
    let seen = 0;
    await killedAt(stopped, { onValidation: () => kill(++seen === 1) });
    expect(lines("twice", "val_epochs.jsonl")).toHaveLength(1);
    await killedAt({ ...stopped, resume: true }, { onValidation: () => kill(++seen === 3) });
    await train({ ...stopped, resume: true });
    for (const file of ["train_steps.jsonl", "val_epochs.jsonl"])
      expect(numbers("twice", file, "step")).toEqual(numbers("once", file, "step"));
    expect(lines("once", "warnings.jsonl").length).toBeGreaterThan(0);
    expect(lines("twice", "warnings.jsonl")).toEqual(lines("once", "warnings.jsonl"));
    const [table, expected] = ["twice", "once"].map((run) =>
      readFileSync(join("metrics", run, "training_log.csv"), "utf8"),
    );
    expect(table).toBe(expected);
    expect(straight.result.warnings.length).toBe(lines("twice", "warnings.jsonl").length);
  });
});
