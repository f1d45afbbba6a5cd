import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveConfig } from "../../lib/config";
import { buildDataset, type PairDataset } from "../../lib/dataset";
import { initBackend } from "../../lib/engine/backend";
import { createScorer } from "../../lib/scoring/score";
import { trainableNames } from "../../lib/models/freeze";
import type { PreferencePair } from "../../lib/pairs/pair";
import { loadRewardModel, type LoadedModel } from "../../lib/checkpoints/checkpoint";
import { cacheFor, createFrozenScorer } from "../../lib/training/frozenEncoder";
import { takeStep } from "../../lib/training";
import { createFrozenStep, isHeadOnly, groupUpdates } from "../../lib/training/frozenStep";
import { createTrainingStep, type StepOutcome } from "../../lib/training/step";
import { createTrainingPlan, type Update } from "../../lib/batching/trainingPlan";
import { makeModelDirectory } from "../checkpoints/modelDirectory";

const root = mkdtempSync(join(tmpdir(), "frozen-"));
afterAll(() => rmSync(root, { recursive: true }));

const config = resolveConfig({
  freeze: "head-only",
  batch_size: 4,
  gradient_accumulation: 2,
  max_length: 16,
  precision: "f32",
  learning_rate: 1e-2,
  label_smoothing: 0.1,
  centering: 0.01,
});
const plan = { batchSize: 4, gradientAccumulation: 2, tokensPerBatch: 128, seed: 1, epochs: 1, linkedPairs: 4 };
const pairs = Array.from({ length: 13 }, (_, i): PreferencePair => ({
  id: `${i}`,
  questionId: `${i}`,
  prompt: `Question ${i % 5}`,
  chosen: "the quick fox ".repeat(1 + (i % 4)),
  rejected: `lazy dog ${i % 3}`,
  riskLevel: "UNKNOWN",
  confidencePenalty: (i % 3) / 2,
  margin: i % 2 ? 0.5 : undefined,
  line: i + 1,
  raw: {},
}));

async function prepare(
  family: string,
): Promise<{ loaded: LoadedModel; dataset: PairDataset; updates: Update[]; trainable: string[] }> {
  const dir = join(root, family);
  await makeModelDirectory(dir, family);
  const loaded = await loadRewardModel(dir, { settings: { template: "{prompt} {response}", max_length: 16 } });
  const dataset = await buildDataset(pairs, loaded.tokenizer, {
    ...config,
    template: "{prompt} {response}",
    max_length: 16,
  });
  const updates = createTrainingPlan(dataset.tokens, plan).epoch(1);
  return { loaded, dataset, updates, trainable: [...trainableNames(loaded.model, "head-only")] };
}

beforeAll(async () => void (await initBackend()));

describe("createFrozenStep", () => {
  // Expected: the step that runs the whole encoder each time.
  it.each(["bert", "roberta", "llama"])("trains the head of %s as the whole model would", async (family) => {
    const results: { losses: number[]; rewards: number[]; norms: number[]; head: Map<string, Float32Array> }[] = [];
    for (const frozen of [false, true]) {
      const { loaded, dataset, updates, trainable } = await prepare(family);
      const cache = cacheFor(loaded, { dir: join(root, "cache"), precision: "f32" });
      const options = {
        model: loaded.model,
        trainable,
        dataset,
        config,
        precision: "f32",
        padId: loaded.tokenizer.padId,
        fused: new Set<never>(),
      } as const;
      const step = frozen ? createFrozenStep({ ...options, cache, tokensPerBatch: 256 }) : createTrainingStep(options);
      const outcomes = updates.map((update, i) =>
        "takeTogether" in step ? step.takeTogether([update], [1e-2], i)[0] : takeStep(step, update, 1e-2, i),
      );
      results.push({
        losses: outcomes.map(({ loss }) => loss),
        norms: outcomes.map(({ gradNorm }) => gradNorm),
        rewards: outcomes.flatMap(({ chosen, rejected }) => [...chosen, ...rejected]),
        head: new Map(
          trainable.map((name) => [name, loaded.model.parameters.get(name)!.dataSync().slice() as Float32Array]),
        ),
      });
      expect(isHeadOnly(loaded.model, trainable)).toBe(true);
      step.dispose();
      cache.close();
      loaded.model.dispose();
      dataset.tokens.close();
    }
    const [whole, cached] = results;
    const near = (a: ArrayLike<number>, b: ArrayLike<number>) => {
      expect(a.length).toBe(b.length);
      expect(Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])))).toBeLessThan(2e-4); // Adam normalises rounding noise
    };
    near(cached.losses, whole.losses);
    near(cached.rewards, whole.rewards);
    near(cached.norms, whole.norms);
    for (const [name, values] of whole.head) near(cached.head.get(name)!, values);
  });

  // Expected: the same updates one at a time, vectors kept or uploaded. Bits, so that a resumed run may group its steps otherwise.
  it.each(["bert", "distilbert", "llama"])(
    "updates of %s that run together give the bits of single ones",
    async (family) => {
      const [many, seen] = [
        { ...plan, batchSize: 3, gradientAccumulation: 1, epochs: 3 },
        [] as { outcomes: StepOutcome[]; state: Map<string, Float32Array> }[],
      ];
      for (const [grouped, residentBytes] of [
        [false, 2 ** 30],
        [true, 2 ** 30],
        [true, 0],
      ] as const) {
        const { loaded, dataset, trainable } = await prepare(family);
        const updates = [1, 2, 3].flatMap((epoch) =>
          createTrainingPlan(dataset.tokens, many)
            .epoch(epoch)
            .filter(({ pairs }) => pairs === 3),
        );
        const cache = cacheFor(loaded, { dir: join(root, "cache-together"), precision: "f32" });
        const step = createFrozenStep({
          model: loaded.model,
          trainable,
          dataset,
          config,
          precision: "f32",
          padId: loaded.tokenizer.padId,
          cache,
          tokensPerBatch: 256,
          residentBytes,
        });
        const outcomes: StepOutcome[] = [];
        while (outcomes.length < updates.length) {
          const at = outcomes.length,
            group = grouped ? groupUpdates(updates, at) : [updates[at]];
          if (grouped && at === 0) expect(group.length).toBeGreaterThan(1);
          outcomes.push(
            ...step.takeTogether(
              group,
              group.map((_, i) => 1e-2 / (1 + at + i)),
              at,
            ),
          );
        }
        const tensors = [
          ...step.optimizer.state(),
          ...trainable.map((name) => [name, loaded.model.parameters.get(name)!] as const),
        ];
        seen.push({
          outcomes,
          state: new Map(tensors.map(([name, tensor]) => [name, tensor.dataSync().slice() as Float32Array])),
        });
        step.dispose();
        cache.close();
        loaded.model.dispose();
        dataset.tokens.close();
      }
      expect(seen[1]).toEqual(seen[0]);
      expect(seen[2]).toEqual(seen[0]);
      expect(new Set(seen[1].outcomes.map(({ loss }) => loss)).size).toBeGreaterThan(8);
    },
  );

  it("runs together only what is of one size and leaves room for what is due", () => {
    const update = (pairs: number): Update => ({ pairs, batches: [] });
    const updates = [...Array.from({ length: 20 }, () => update(4)), update(2)];
    const size = groupUpdates(updates, 0).length;
    expect(groupUpdates(updates, 21 - size)).toEqual([updates[21 - size]]); // the last one is smaller
    expect(groupUpdates(updates, 20 - size)).toEqual(updates.slice(20 - size, 20));
    expect(groupUpdates(updates, 0, size - 1)).toEqual([updates[0]]);
    expect(groupUpdates(updates, 0, size)).toHaveLength(size);
  });

  it("encodes each distinct text once, and nothing the second time", async () => {
    const { loaded, dataset, trainable } = await prepare("distilbert");
    const dir = join(root, "cache-once");
    const options = {
      model: loaded.model,
      trainable,
      dataset,
      config,
      precision: "f32",
      padId: 0,
      fused: new Set<never>(),
      tokensPerBatch: 256,
    } as const;
    const first = cacheFor(loaded, { dir, precision: "f32" });
    const tensors = tf.memory().numTensors;
    createFrozenStep({ ...options, cache: first }).dispose();
    expect(tf.memory().numTensors).toBe(tensors);
    expect(first.size).toBe(
      new Set(Array.from({ length: 2 * pairs.length }, (_, text) => String(dataset.tokens.ids(text)))).size,
    );
    first.close();
    const again = cacheFor(loaded, { dir, precision: "f32" });
    expect(again.size).toBe(first.size);
    again.close();
  });

  it("is not for a model whose encoder trains", async () => {
    const { loaded } = await prepare("bert");
    expect(isHeadOnly(loaded.model, [...trainableNames(loaded.model, "top-1")])).toBe(false);
  });
});

// Expected: the scorer that runs the whole model.
it("createFrozenScorer gives the scores of the whole model", async () => {
  const { loaded, dataset } = await prepare("bert");
  const cache = cacheFor(loaded, { dir: join(root, "cache-scores"), precision: "f32" });
  const plan = { cache, precision: "f32", padId: 0, tokensPerBatch: 256 } as const;
  const [whole, frozen] = [createScorer(loaded.model, 0, { precision: "f32" }), createFrozenScorer(loaded.model, plan)];
  const [a, b] = [await whole.score(dataset.tokens), await frozen.score(dataset.tokens)];
  expect(Math.max(...a.map((value, i) => Math.abs(value - b[i])))).toBeLessThan(1e-5);
  [whole, frozen].forEach((scorer) => scorer.dispose());
  cache.close();
});
