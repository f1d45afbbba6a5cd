// Heads that transformers does not have, against their definitions; other backends; what a step changes.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { checkpointConfig } from "../../lib/models/rewardModel";
import { parseModelConfig, type HeadKind } from "../../lib/models/config";
import { createRewardModel } from "../../lib/models/createModel";
import { poolInputs, scoreInputs, scorePooled, type RewardModel } from "../../lib/models/rewardModel";
import { hiddenStates } from "../../lib/models/families";
import { createDropout, layoutOf } from "../../lib/models/layers";
import {
  excess,
  FAMILIES,
  inputsOf,
  modelOf,
  readGolden,
  relativeDistance,
  unpack,
  unpackAll,
  type Golden,
} from "./golden";

beforeAll(async () => {
  await initBackend();
});

const withHead = (name: string, head: HeadKind) => {
  const golden = readGolden(name);
  return createRewardModel(parseModelConfig(golden.config, name), unpackAll(golden.tensors), { head, seed: 2 });
};

/** All last hidden states [B][T][H] of a model. */
function hidden(model: RewardModel, side: { ids: number[][]; mask: number[][] }): number[][][] {
  const { ids, segmentIds } = inputsOf(side);
  const forward = { ...model, lora: null, dropout: createDropout(undefined), recompute: false, fullLastLayer: true };
  const all = hiddenStates(forward, ids, layoutOf(segmentIds), null);
  return all.reshape([...segmentIds.shape, model.config.hiddenSize]).arraySync() as number[][][];
}

describe.each(["bert", "distilbert", "llama"])("heads on %s", (name) => {
  const { right, left } = readGolden(name);
  const output = (model: RewardModel, x: number[]) => {
    const bias = model.parameters.get("score.bias")?.dataSync()[0] ?? 0;
    const weights = model.parameters.get("score.weight")!.dataSync() as Float32Array;
    return weights.reduce((sum, weight, i) => sum + weight * x[i], bias);
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
      const tokens = rows.filter((_, t) => side.mask[b][t] === 1);
      return output(
        model,
        tokens[0].map((_, i) => tokens.reduce((sum, row) => sum + row[i], 0) / tokens.length),
      );
    });
    expect(excess(scoreInputs(model, inputsOf(side)).dataSync(), expected, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    model.dispose();
  });
});

// Expected: torch, a linear layer on what transformers' base model gives (tests/goldens/models.py, heads).
type HeadGolden = Pick<Golden, "loss" | "tensors" | "gradients"> & { scores: number[] };
const { versions: _, ...HEADS_OF } = readGolden<Record<string, Record<string, HeadGolden>>>("heads");

describe.each(Object.keys(HEADS_OF))("linear heads on %s, against torch", (name) => {
  test.each(Object.keys(HEADS_OF[name]) as HeadKind[])("%s: scores, loss and gradients", (head) => {
    const { right, config, tensors } = readGolden(name),
      golden = HEADS_OF[name][head];
    const model = createRewardModel(parseModelConfig(config, name), unpackAll({ ...tensors, ...golden.tensors }), {
      head,
    });
    expect(model.fresh).toEqual([]);
    const names = Object.keys(golden.gradients);
    const { value, grads } = tf.variableGrads(
      () => {
        const r = scoreInputs(model, inputsOf(right));
        return tf.mean(tf.softplus(tf.sub(r.slice([2], [2]), r.slice([0], [2])))) as tf.Scalar;
      },
      names.map((n) => model.parameters.get(n)!),
    );
    expect(excess(scoreInputs(model, inputsOf(right)).dataSync(), golden.scores, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    expect(value.dataSync()[0]).toBeCloseTo(golden.loss, 5);
    for (const n of names) {
      const expected = unpack(golden.gradients[n]),
        got = grads[model.parameters.get(n)!.name].dataSync();
      // the bias moves both rewards of a pair alike: its gradient is rounding
      if (n === "score.bias") expect(Math.abs(got[0])).toBeLessThan(1e-6);
      else expect(relativeDistance(got, expected), n).toBeLessThanOrEqual(1e-4);
    }
    model.dispose();
  });
});

describe("cls", () => {
  test("comes back from the saved configuration, with its parameters alone", () => {
    const model = withHead("distilbert", "cls");
    const saved = checkpointConfig(model.config);
    expect(saved).toMatchObject({ rewardbook_head: "cls", architectures: ["DistilBertModel"] });
    expect(parseModelConfig(saved, "dir").head).toBe("cls");
    expect([...model.parameters.keys()].filter((n) => !n.startsWith("distilbert."))).toEqual([
      "score.weight",
      "score.bias",
    ]);
    model.dispose();
  });

  test("is refused on a decoder, whose first token sees nothing", () => {
    expect(() => withHead("llama", "cls")).toThrow(/head: expected classification, value or mean for a llama, got cls/);
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
  tf.dispose([inputs.ids, inputs.segmentIds]);
  expect(tf.memory().numTensors).toBe(before);
});
