// The whole step: packed batches with shared answers against one pair a batch, and what it leaves behind.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveConfig } from "../../lib/config";
import { buildDataset } from "../../lib/dataset";
import { initBackend } from "../../lib/engine/backend";
import type { PreferencePair } from "../../lib/pairs/pair";
import { loadRewardModel } from "../../lib/checkpoints/checkpoint";
import { createTrainingPlan, type BatchShape } from "../../lib/batching/trainingPlan";
import { takeStep } from "../../lib/training";
import { createTrainingStep } from "../../lib/training/step";
import { makeModelDirectory } from "../checkpoints/modelDirectory";

const root = mkdtempSync(join(tmpdir(), "rewardbook-step-"));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(async () => void (await initBackend()));

const answers = ["the quick fox", "lazy dog", "the dog", "quick quick fox the lazy dog"];
/** All six pairs of the four answers to each of two prompts. */
const pairs = [0, 1].flatMap((prompt) =>
  [
    [0, 1],
    [0, 2],
    [0, 3],
    [1, 2],
    [1, 3],
    [2, 3],
  ].map(([a, b], i): PreferencePair => ({
    id: `${prompt}-${i}`,
    questionId: `${prompt}`,
    prompt: `Question ${prompt}`,
    chosen: answers[a],
    rejected: answers[b],
    riskLevel: "UNKNOWN",
    confidencePenalty: (i % 3) / 2,
    margin: i % 2 ? 0.5 : undefined,
    line: i + 1,
    raw: {},
  })),
);

async function prepare(
  family: string,
  planned: { batchSize: number; linkedPairs: number; tokensPerBatch: number; gradientAccumulation: number },
) {
  const dir = join(root, family);
  await makeModelDirectory(dir, family);
  const loaded = await loadRewardModel(dir, { settings: { template: "{prompt} {response}", max_length: 16 } });
  const config = resolveConfig({
    max_length: 16,
    precision: "f32",
    learning_rate: 1e-2,
    label_smoothing: 0.1,
    centering: 0.01,
  });
  const dataset = await buildDataset(pairs, loaded.tokenizer, {
    ...config,
    template: "{prompt} {response}",
    max_length: 16,
  });
  const trainable = [...loaded.model.parameters.keys()];
  const plan = createTrainingPlan(dataset.tokens, { seed: 1, epochs: 1, ...planned });
  const step = createTrainingStep({
    model: loaded.model,
    trainable,
    dataset,
    config,
    precision: "f32",
    padId: loaded.tokenizer.padId,
    fused: new Set<BatchShape>(),
  });
  const dispose = () => {
    step.dispose();
    loaded.model.dispose();
    dataset.tokens.close();
  };
  return { step, updates: plan.epoch(1), dispose };
}

describe("createTrainingStep", () => {
  // Expected: the same twelve pairs, each in a graph run of its own, their gradients added up.
  it.each(["bert", "distilbert", "roberta", "llama"])(
    "%s: answers shared in packed rows give the loss and the gradient of pairs apart",
    async (family) => {
      const seen = [];
      for (const planned of [
        { batchSize: 12, linkedPairs: 12, tokensPerBatch: 4096, gradientAccumulation: 1 },
        { batchSize: 1, linkedPairs: 1, tokensPerBatch: 64, gradientAccumulation: 12 },
      ]) {
        const { step, updates, dispose } = await prepare(family, planned);
        expect(updates.length).toBe(1);
        // the rewards of a second step are those that the first one's gradient led to
        const [first, second] = [1, 2].map((n) => takeStep(step, updates[0], 1e-2, n));
        const order = updates[0].batches.flatMap(({ pairs }) => pairs);
        const rewards = [first, second].flatMap(({ chosen, rejected }) =>
          pairs.flatMap((_, pair) => [chosen[order.indexOf(pair)], rejected[order.indexOf(pair)]]),
        );
        seen.push({ tokens: first.tokens, loss: first.loss, norm: first.gradNorm, rewards });
        dispose();
      }
      const [together, apart] = seen;
      expect(together.tokens).toBeLessThan(0.5 * apart.tokens); // 8 texts instead of 24
      expect(together.loss).toBeCloseTo(apart.loss, 5);
      expect(together.norm / apart.norm).toBeCloseTo(1, 4);
      together.rewards.forEach((value, i) => expect(value).toBeCloseTo(apart.rewards[i], 4));
    },
  );

  it("leaves no tensor behind in 1,000 steps, and memory flat", async () => {
    const { step, updates, dispose } = await prepare("bert", {
      batchSize: 4,
      linkedPairs: 4,
      tokensPerBatch: 128,
      gradientAccumulation: 1,
    });
    const run = (count: number) => {
      for (let i = 0; i < count; i++) takeStep(step, updates[i % updates.length], 1e-4, i);
      return { tensors: tf.memory().numTensors, megabytes: process.memoryUsage().rss / 2 ** 20 };
    };
    const before = run(200);
    const after = run(1000);
    expect(after.tensors).toBe(before.tensors);
    expect(after.megabytes - before.megabytes).toBeLessThan(40);
    dispose();
  }, 60_000);
});
