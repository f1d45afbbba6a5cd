// A notebook's interrupt in the midst of long work: what the same call gives when it is made again is held to work that was never stopped.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { checkPairs } from "../lib/check/check";
import { findModel } from "../lib/checkpoints/findModel";
import { loadRewardModel } from "../lib/checkpoints/loadCheckpoint";
import { initBackend } from "../lib/engine/backend";
import { evaluateScores } from "../lib/evaluation/evaluate";
import type { PreferencePair } from "../lib/pairs/pair";
import { copyPolicy, openPolicy, writeFreshPolicy, type Policy } from "../lib/policy/policy";
import { encodeAnswers, encodePrompts, sampleAnswers } from "../lib/policy/sample";
import { fitAnswers, fitPreferences } from "../lib/policy/train";
import { embedTexts } from "../lib/scoring/embed";
import { scorePairs } from "../lib/scoring/score";
import { loadPairs } from "../lib/pairs/read";
import { scratch } from "./pairs/helpers";

const KERNEL_STOPS = Symbol.for("rewardbook.stops");
const kernel = globalThis as unknown as Record<symbol, Set<AbortController> | undefined>;
const interrupt = () => kernel[KERNEL_STOPS]!.forEach((controller) => controller.abort());
/** Interrupts once so much is done. */
const after = (enough: number) => (done: number) => void (done >= enough && interrupt());

beforeEach(() => void (kernel[KERNEL_STOPS] = new Set()));
afterEach(() => void delete kernel[KERNEL_STOPS]);

const { lines } = scratch();
const file = (name: string, rows: number, more: object = {}) =>
  lines(
    name,
    Array.from({ length: rows }, (_, i) => ({
      prompt: `Question number ${i}: what is ${i} plus ${i % 7}?`,
      chosen: `It is ${i + (i % 7)}, counted one by one.`,
      rejected: i % 50 === 0 ? "No." : `It may be ${i + 9}.`,
      category: ["sums", "more"][i % 2],
      ...more,
    })),
  );

describe("check", () => {
  test("stopped amid the file, it goes on from there and finds what it would have found", async () => {
    const path = file("pairs.jsonl", 3000);
    const whole = await checkPairs(path);
    await expect(checkPairs(path, { onProgress: after(1000) })).rejects.toThrow(
      /^check: stopped at 1024 pairs; run it again to go on from there$/,
    );
    const told: number[] = [];
    expect(await checkPairs(path, { onProgress: (done) => told.push(done) })).toEqual(whole);
    expect(Math.min(...told)).toBeGreaterThan(1024);
    // what was kept is used once
    told.length = 0;
    await checkPairs(path, { onProgress: (done) => told.push(done) });
    expect(told[0]).toBe(256);
  });

  test("stopped while labels are judged, it does not read the file again", async () => {
    const path = file("judged.jsonl", 600);
    const noise = { estimate: 0.1, pairs: 600, folds: 5, judge_accuracy: 0.9, suspicious: [] };
    const stops = async () => {
      interrupt();
      throw new Error("stopped inside");
    };
    await expect(checkPairs(path, { estimateNoise: stops })).rejects.toThrow("check: stopped at 600 of 600 pairs");
    const told: number[] = [];
    const { report } = await checkPairs(path, {
      estimateNoise: async () => noise,
      onProgress: (done) => told.push(done),
    });
    expect(told).toEqual([]);
    expect(report).toMatchObject({ pairs: 600, label_noise: { estimate: 0.1 } });
  });

  test("a file that has changed meanwhile is read from its beginning", async () => {
    const path = file("changing.jsonl", 1500);
    await expect(checkPairs(path, { onProgress: after(256) })).rejects.toThrow("stopped at 256 pairs");
    file("changing.jsonl", 700, { chosen: "The same answer to everything." });
    const { report } = await checkPairs(path);
    expect(report.pairs).toBe(700);
    expect(report.one_sided_answers.examples[0]).toMatchObject({ side: "chosen", chosen: 700 });
  });
});

describe("a reward model", () => {
  const load = () => loadRewardModel(findModel("all-MiniLM-L6-v2"), { seed: 1, quiet: true });
  let pairs: PreferencePair[];
  beforeAll(async () => {
    await initBackend();
    ({ pairs } = await loadPairs(file("scored.jsonl", 60)));
  });

  // The cell that is run again loads its model again.
  test("evaluation goes on with the same weights in another object, and never with other weights", async () => {
    const [first, second] = [await load(), await load()];
    const options = { tokensPerBatch: 256 };
    const ticks: number[] = [];
    const whole = await scorePairs(first, pairs, { ...options, onProgress: (done) => ticks.push(done) });
    const stop = () => scorePairs(first, pairs, { ...options, onProgress: after(30) });
    await expect(stop()).rejects.toThrow(/^scoring: stopped at \d+ of \d+ texts; run it again to go on from there$/);
    const told: number[] = [];
    const again = await scorePairs(second, pairs, { ...options, onProgress: (done) => told.push(done) });
    again.forEach(({ chosenScore }, i) => expect(Math.abs(chosenScore - whole[i].chosenScore)).toBeLessThan(1e-5));
    expect(evaluateScores(again).accuracy).toBe(evaluateScores(whole).accuracy);
    expect(told[0]).toBeGreaterThan(ticks[0]);

    await expect(stop()).rejects.toThrow("stopped");
    const head = second.model.parameters.get("classifier.weight")!;
    tf.tidy(() => head.assign(tf.mul(head, 2)));
    told.length = 0;
    const [other] = await scorePairs(second, pairs, { ...options, onProgress: (done) => told.push(done) });
    expect(told[0]).toBe(ticks[0]);
    expect(other.chosenScore).not.toBeCloseTo(again[0].chosenScore, 5);
    for (const { model } of [first, second]) model.dispose();
  }, 60_000);

  test("vectors for the label noise go on, too", async () => {
    const loaded = await load();
    const items = pairs.flatMap(({ prompt, chosen, rejected }) =>
      [chosen, rejected].map((response) => ({ prompt, response })),
    );
    const whole = await embedTexts(loaded, items, { tokensPerBatch: 256 });
    const stopped = embedTexts(loaded, items, { tokensPerBatch: 256, onProgress: after(20) });
    await expect(stopped).rejects.toThrow(/^vectors: stopped at \d+ of 120 texts; run it again to go on from there$/);
    const told: number[] = [];
    const again = await embedTexts(loaded, items, { tokensPerBatch: 256, onProgress: (done) => told.push(done) });
    expect(told[0]).toBeGreaterThan(20);
    again.forEach((vector, i) =>
      vector.forEach((value, k) => expect(Math.abs(value - whole[i][k])).toBeLessThan(1e-5)),
    );
    loaded.model.dispose();
  }, 60_000);
});

describe("a policy", () => {
  const folder = mkdtempSync(join(tmpdir(), "rewardbook-stopped-"));
  const prompts = ["What is 2 plus 3?", "Where is Rome?", "Who sings?"];
  const texts = ["It is 5.", "It lies in Italy.", "Anna sings."];
  const TEMPLATE = "{prompt} {response}";
  let policy: Policy;
  beforeAll(async () => {
    await initBackend();
    const shape = { hiddenSize: 32, layers: 1, heads: 2, maxLength: 64 };
    await writeFreshPolicy(folder, [...prompts, ...texts], { shape, seed: 1 });
    policy = await openPolicy(folder);
  });
  afterAll(() => {
    policy.dispose();
    rmSync(folder, { recursive: true });
  });

  test("answers that are whole are kept, for the same weights alone; the rest is drawn as it would have been", async () => {
    const [asked] = await encodePrompts(policy, prompts, TEMPLATE);
    const rows = new Array<number[]>(12).fill(asked);
    const options = { temperature: 2, maxNewTokens: 8, seed: 3, rowsAtOnce: 4 };
    const whole = await sampleAnswers(policy, rows, options);
    const tensors = tf.memory().numTensors;
    const stop = () => sampleAnswers(policy, rows, { ...options, onProgress: after(8) });
    await expect(stop()).rejects.toThrow("answers: stopped at 8 of 12 answers; run it again to go on from there");
    expect(tf.memory().numTensors).toBe(tensors);
    const told: number[] = [];
    const copy = copyPolicy(policy);
    expect(await sampleAnswers(copy, rows, { ...options, onProgress: (done) => told.push(done) })).toEqual(whole);
    expect(told).toEqual([8, 12]);

    await expect(stop()).rejects.toThrow("stopped");
    const table = copy.parameters.get("model.embed_tokens.weight")!;
    tf.tidy(() => table.assign(tf.mul(table, -1)));
    told.length = 0;
    await sampleAnswers(copy, rows, { ...options, onProgress: (done) => told.push(done) });
    expect(told[0]).toBe(0);
    copy.dispose();
  });

  // Would fail if the optimizer, the schedule, the order of the items or DPO's reference began anew.
  test("fine-tuning that was stopped ends in the weights of one that was not", async () => {
    const [asked, told] = [await encodePrompts(policy, prompts, TEMPLATE), await encodeAnswers(policy, texts)];
    const examples = asked.map((prompt, i) => ({ prompt, answer: told[i], weight: 1 + i }));
    const pairs = asked.map((prompt, i) => ({ prompt, chosen: told[i], rejected: told[(i + 1) % 3] }));
    const recipe = { steps: 12, batchSize: 2, learningRate: 0.01, seed: 1 };
    const ways = [
      (of: Policy, onStep?: (step: number) => void) => fitAnswers(of, examples, { ...recipe, onStep }),
      (of: Policy, onStep?: (step: number) => void) => fitPreferences(of, pairs, { ...recipe, beta: 0.1, onStep }),
    ];
    for (const fit of ways) {
      const [plain, broken] = [copyPolicy(policy), copyPolicy(policy)];
      const expected = await fit(plain);
      const stopped = fit(broken, after(5));
      await expect(stopped).rejects.toThrow("policy: stopped at 5 of 12 steps; run it again to go on from there");
      const steps: number[] = [];
      expect(await fit(broken, (step) => steps.push(step))).toEqual(expected);
      expect(steps).toEqual([6, 7, 8, 9, 10, 11, 12]);
      for (const [name, variable] of plain.parameters)
        expect(broken.parameters.get(name)!.dataSync()).toEqual(variable.dataSync());
      for (const one of [plain, broken]) one.dispose();
    }
  });
});
