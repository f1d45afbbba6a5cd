// Heads that transformers does not have, against their definitions; other backends; what a step changes.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { parseModelConfig } from "../../lib/models/config";
import { createRewardModel } from "../../lib/models/createModel";
import { poolInputs, scoreInputs, scorePooled, type RewardModel } from "../../lib/models/rewardModel";
import { hiddenStates } from "../../lib/models/families";
import { createDropout, layoutOf } from "../../lib/models/layers";
import { excess, FAMILIES, inputsOf, modelOf, readGolden, unpackAll } from "./golden";

beforeAll(async () => {
  await initBackend();
});

const withHead = (name: string, head: "value" | "mean") => {
  const golden = readGolden(name);
  return createRewardModel(parseModelConfig(golden.config, name), unpackAll(golden.tensors), { head, seed: 2 });
};

/** All last hidden states [B][T][H] of a model. */
function hidden(model: RewardModel, side: { ids: number[][]; mask: number[][] }): number[][][] {
  const { ids, mask } = inputsOf(side);
  const forward = { ...model, lora: null, dropout: createDropout(undefined), recompute: false, fullLastLayer: true };
  const all = hiddenStates(forward, ids, layoutOf(mask), null);
  return all.reshape([...mask.shape, model.config.hiddenSize]).arraySync() as number[][][];
}

describe.each(["bert", "distilbert", "llama"])("heads on %s", (name) => {
  const { right, left } = readGolden(name);
  const output = (model: RewardModel, x: number[]) => {
    const bias = model.parameters.get("score.bias")?.dataSync()[0] ?? 0;
    return model.parameters
      .get("score.weight")!
      .dataSync()
      .reduce((sum: number, w: number, i: number) => sum + w * x[i], bias);
  };

  // Fails when the last token is found by position rather than by mask.
  test.each([
    ["right", right],
    ["left", left],
  ])("value reads the last token, padded %s", (_, side) => {
    const model = withHead(name, "value");
    const expected = hidden(model, side).map((rows, b) => output(model, rows[side.mask[b].lastIndexOf(1)]));
    expect(excess(scoreInputs(model, inputsOf(side)).dataSync(), expected, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    model.dispose();
  });

  // Fails when padding is averaged in.
  test.each([
    ["right", right],
    ["left", left],
  ])("mean reads the mean over tokens, padded %s", (_, side) => {
    const model = withHead(name, "mean");
    const expected = hidden(model, side).map((rows, b) => {
      const tokens = rows.filter((row, t) => side.mask[b][t] === 1);
      return output(
        model,
        tokens[0].map((_, i) => tokens.reduce((sum, row) => sum + row[i], 0) / tokens.length),
      );
    });
    expect(excess(scoreInputs(model, inputsOf(side)).dataSync(), expected, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    model.dispose();
  });
});

describe.each(FAMILIES)("%s", (name) => {
  const golden = readGolden(name);

  test("pooled hidden states and the head alone give the same scores", () => {
    const model = modelOf(golden);
    const pooled = poolInputs(model, inputsOf(golden.right));
    expect(pooled.shape).toEqual([4, model.config.hiddenSize]);
    expect(excess(scorePooled(model, pooled).dataSync(), golden.right.scores, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    model.dispose();
  });
});

describe("sliding window", () => {
  // transformers masks what lies further back; we refuse rather than score something else.
  test("is refused where it would hide tokens, and only there", () => {
    const golden = readGolden("mistral");
    golden.config.sliding_window = golden.right.ids[0].length;
    const exact = modelOf(golden);
    expect(
      excess(scoreInputs(exact, inputsOf(golden.right)).dataSync(), golden.right.scores, 1e-4, 1e-5),
    ).toBeLessThanOrEqual(1);
    golden.config.sliding_window = golden.right.ids[0].length - 1;
    const narrow = modelOf(golden);
    expect(() => scoreInputs(narrow, inputsOf(golden.right))).toThrow(
      /at most 10 tokens \(sliding_window\), got 11; lower max_length/,
    );
    [exact, narrow].forEach((model) => model.dispose());
  });

  test("of a Qwen that does not use it is none", () => {
    const { config } = readGolden("qwen2");
    expect(
      parseModelConfig({ ...config, sliding_window: 4, use_sliding_window: false }, "dir").slidingWindow,
    ).toBeNull();
    expect(parseModelConfig({ ...config, sliding_window: 4, use_sliding_window: true }, "dir").slidingWindow).toBe(4);
  });
});

// Fails when a tensor made inside is not given back.
test("scoring in a tidy leaks nothing, and disposing a model gives everything back", () => {
  const before = tf.memory().numTensors;
  const model = modelOf(readGolden("llama3"));
  const inputs = inputsOf(readGolden("llama3").right);
  tf.tidy(() => void scoreInputs(model, inputs).dataSync());
  model.dispose();
  tf.dispose([inputs.ids, inputs.mask]);
  expect(tf.memory().numTensors).toBe(before);
});
