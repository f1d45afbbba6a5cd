// Weights kept in bfloat16 against float32 weights that hold the same rounded numbers.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import { parseModelConfig } from "../../lib/models/config";
import { isHalf } from "../../lib/models/halfStorage";
import { attachLora, mergedParameters } from "../../lib/models/lora";
import { halfNames } from "../../lib/models/memory";
import { createRewardModel, type CheckpointTensor } from "../../lib/models/createModel";
import { scoreInputs, type RewardModel } from "../../lib/models/rewardModel";
import { trainableNames } from "../../lib/models/freeze";
import { encodeBfloat16 } from "../../lib/files/dtypes";
import { excess, inputsOf, joined, readGolden, relativeDistance, unpackAll } from "./golden";

beforeAll(async () => {
  await initBackend();
});

const widened = (bits: Uint16Array) => new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);

/** One model with its matrices in bf16 and one with the same numbers in f32. */
function twins(name: string): [half: RewardModel, full: RewardModel] {
  const golden = readGolden(name);
  const config = parseModelConfig(golden.config, name);
  const names = halfNames(config);
  const half = new Map<string, CheckpointTensor>();
  const full = new Map<string, CheckpointTensor>();
  for (const [n, { shape, data }] of unpackAll(golden.tensors)) {
    const bits = encodeBfloat16(data);
    half.set(n, { shape, data: names.has(n) ? bits : data });
    full.set(n, { shape, data: names.has(n) ? widened(bits) : data });
  }
  return [createRewardModel(config, half), createRewardModel(config, full)];
}

describe.each(["bert", "distilbert", "qwen3"])("%s with a trunk in bf16", (name) => {
  const side = readGolden(name).right;

  // Fails when a half is read as something else, or its rows are looked up in the wrong type.
  test("scores as in f32, eager and compiled, in both precisions", async () => {
    const [half, full] = twins(name);
    expect([...half.parameters.values()].filter(isHalf)).toHaveLength(halfNames(half.config).size);
    const { ids, segmentIds } = inputsOf(side);
    const expected = scoreInputs(full, { ids, segmentIds }).dataSync();
    expect(excess(scoreInputs(half, { ids, segmentIds }).dataSync(), expected, 1e-6, 1e-6)).toBeLessThanOrEqual(1);
    for (const precision of ["f32", "bf16"] as const) {
      const [a, b] = [half, full].map((model) =>
        compile((i, m) => scoreInputs(model, { ids: i as tf.Tensor2D, segmentIds: m as tf.Tensor2D }), {
          precision,
          xla: false,
        }),
      );
      expect(
        excess(a(ids, segmentIds)[0].dataSync(), b(ids, segmentIds)[0].dataSync(), 1e-5, 1e-5),
      ).toBeLessThanOrEqual(1);
      [a, b].forEach((compiled) => compiled.dispose());
    }
    for (const [n, { pieces }] of mergedParameters(half))
      expect(joined(pieces()), n).toEqual(full.parameters.get(n)!.dataSync());
    [half, full].forEach((model) => model.dispose());
  });

  test.each([false, true])(
    "low-rank updates and head get the gradients of f32, recomputed or not (%s)",
    (recompute) => {
      const gradients = twins(name).map((model) => {
        attachLora(model, { rank: 2, seed: 1 });
        const variables = [...trainableNames(model, "none")].map((n) => model.parameters.get(n)!);
        const { grads } = tf.variableGrads(
          () => tf.sum(scoreInputs(model, inputsOf(side), { recompute })) as tf.Scalar,
          variables,
        );
        const flat = variables.flatMap((v) => [...grads[v.name].dataSync()]);
        model.dispose();
        return flat;
      });
      expect(relativeDistance(gradients[0], gradients[1])).toBeLessThan(1e-5);
    },
  );
});

// Fails when a variable's handle outlives it.
test("disposing a model gives its halves back", () => {
  twins("bert").forEach((model) => model.dispose());
  const before = (tf.backend() as unknown as { binding: { getNumOfTensors(): number } }).binding.getNumOfTensors();
  twins("bert").forEach((model) => {
    tf.tidy(() => void scoreInputs(model, inputsOf(readGolden("bert").right)).dataSync());
    model.dispose();
  });
  expect((tf.backend() as unknown as { binding: { getNumOfTensors(): number } }).binding.getNumOfTensors()).toBe(
    before,
  );
});
