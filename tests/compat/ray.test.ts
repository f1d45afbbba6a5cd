// The hand-over on a real Ray head with two workers: training with a worker killed, coming back, scoring with a worker killed.
// Expected: our own engine, which trains the same pairs and scores the same texts here.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run as command } from "../../cli/main";
import { initBackend } from "../../lib/engine/backend";
import { Interrupted } from "../../lib/errors";
import { loadPairs } from "../../lib/pairs/read";
import { writeFreshPolicy } from "../../lib/policy/policy";
import { createRandom } from "../../lib/random";
import { readLog } from "../../lib/runs/runFiles";
import { trainRewardModel } from "../../lib/training";
import { comeBack, handOverTraining, trainRemotely } from "../../remote/train";
import { openHead } from "../../remote/head";
import { connectTo } from "../../remote/connection";
import { readRecord } from "../../remote/record";
import { writeTinyPairs } from "../training/tinyRun";
import { PYTHON, startRay, type RayCluster } from "./rayCluster";

const home = process.cwd();
const folder = mkdtempSync(join(tmpdir(), "rewardbook-ray-"));
const MODEL = join(folder, "tiny-llama");
const PAIRS = join(folder, "pairs.jsonl");
let ray: RayCluster;

beforeAll(async () => {
  process.chdir(folder);
  await initBackend();
  writeTinyPairs(folder, 100);
  const { pairs } = await loadPairs(PAIRS);
  const texts = pairs.flatMap(({ prompt, chosen, rejected }) => [prompt, chosen, rejected]);
  await writeFreshPolicy(MODEL, texts, { shape: { hiddenSize: 32, layers: 2, heads: 4, maxLength: 64 }, seed: 7 });
  ray = await startRay(3);
});
afterAll(async () => {
  await ray?.close();
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** 150 pairs to train, 50 to validate: 10 steps an epoch. */
const request = (run: string) => ({
  ...{ pairs: PAIRS, model: MODEL, run, max_length: 64, train_ratio: 0.75, val_ratio: 0.25, seed: 5 },
  ...{ epochs: 20, batch_size: 16, learning_rate: 2e-3, precision: "f32" as const, gate: "off" as const },
  ...{ save_steps: 20, patience: 0 },
});
const there = () => ({ address: ray.address, workers: 2, retries: 3 });

describe("training on two workers", () => {
  it("is left alone by Ctrl-C, found again, outlives a killed worker, and ends as a local training does", async () => {
    const stop = new AbortController();
    const leaving = trainRemotely(request("far"), there(), {
      signal: stop.signal,
      onStep: ({ step }) => void (step === 3 && stop.abort()),
    });
    await expect(leaving).rejects.toThrow(Interrupted);
    const { submission_id } = readRecord("far")!;
    expect((await openHead(connectTo(ray.address)).job(submission_id))!.status).toBe("RUNNING");

    const said: string[] = [];
    let killed: boolean | null = null;
    const onStep = ({ step }: { step: number }) => void (step >= 45 && (killed ??= ray.killActor("RayTrainWorker")));
    const { result } = await comeBack("far", { onStep, onMessage: (text) => said.push(text) });
    expect(killed).toBe(true);
    expect(said.join("\n")).toMatch(/a worker was lost/);
    expect(said.join("\n")).toMatch(/accepted: 32 probe texts score the same here/);
    const { steps, epochs } = readLog("metrics/far");
    const total = result!.metrics.training_steps;
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
    expect(epochs.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const jobs = await openHead(connectTo(ray.address)).jobs();
    expect(jobs.filter((job) => job.submission_id?.includes("-far-"))).toHaveLength(1);

    const near = await trainRewardModel(request("near"));
    const [here, away] = [near.metrics, result!.metrics];
    expect(here.training_steps).toBe(total);
    for (const [one, other] of [
      [here, away],
      [away, here],
    ]) {
      expect(one.val_accuracy).toBeGreaterThanOrEqual(other.val_accuracy_ci95[0]);
      expect(one.val_accuracy).toBeLessThanOrEqual(other.val_accuracy_ci95[1]);
    }
    expect(away.val_accuracy).toBeGreaterThan(0.7); // it has learned
    mkdirSync("reports");
    expect(await command(["report", "--run", "far", "--out", "reports/far.html"])).toBe(0);
  });

  it("that was stopped goes on from its last checkpoint", async () => {
    const stopAt = async (step: number) => {
      const { submission_id } = readRecord("on")!;
      if (step === 30) await openHead(connectTo(ray.address)).stop(submission_id);
    };
    const first = handOverTraining(request("on"), there(), { onStep: ({ step }) => void stopAt(step) });
    await expect(first).rejects.toThrow(/it was stopped.*--resume goes on from its last checkpoint/);
    const said: string[] = [];
    const hooks = { onMessage: (text: string) => said.push(text) };
    const result = await trainRemotely({ ...request("on"), resume: true }, there(), hooks);
    expect(said.join("\n")).toMatch(/from the checkpoint after step \d+0/);
    expect(readLog("metrics/on").steps.map(({ step }) => step)).toEqual(
      Array.from({ length: result.metrics.training_steps }, (_, i) => i + 1),
    );
  });
});

describe("scoring", () => {
  it("gives each of 20,000 rows one score though a worker is killed, and the scores are ours", async () => {
    const random = createRandom(9);
    const words = () =>
      Array.from({ length: 1 + random.integer(8) }, () => (random.next() < 0.5 ? "the" : "no")).join(" ");
    const rows = Array.from({ length: 20_000 }, (_, i) => ({
      id: i,
      prompt: `question ${i % 50}?`,
      response: `a ${words()}`,
    }));
    writeFileSync("rows.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const files = (out: string) => ["--checkpoint", "checkpoints/far/best", "--input", "rows.jsonl", "--out", out];
    let [killed, over] = [false, false];
    const killing = (async () => {
      while (!killed && !over) {
        killed = ray.killActor("MapWorker");
        await wait(50);
      }
    })();
    const where = ["--address", ray.address, "--workers", "2", "--json"];
    const code = await command(["remote", "score", ...files("away.jsonl"), ...where]).finally(() => (over = true));
    await killing;
    expect(code).toBe(0);
    expect(killed).toBe(true);
    expect(await command(["score", ...files("here.jsonl"), "--json"])).toBe(0);
    const read = (file: string) =>
      readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { id: number; score: number });
    const [away, here] = [read("away.jsonl"), read("here.jsonl")];
    expect(away.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(Math.max(...away.map(({ score }, i) => Math.abs(score - here[i].score)))).toBeLessThan(1e-3);
  });
});

describe("without a cluster", () => {
  it("the same job runs here, by the same Python", async () => {
    const said: string[] = [];
    const short = { ...request("alone"), epochs: 2 };
    const hooks = { onMessage: (text: string) => said.push(text) };
    const { metrics } = await trainRemotely(short, { address: "local", python: PYTHON }, hooks);
    expect(metrics.training_steps).toBe(2 * Math.ceil(150 / 16));
    expect(said.join("\n")).toMatch(/accepted: 32 probe texts/);
  });
});
