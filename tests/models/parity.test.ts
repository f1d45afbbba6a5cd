// Scores and gradients against Python's transformers (goldens of tests/goldens/models.py: transformers 4.51.0, torch 2.13.0).

import * as tf from "@tensorflow/tfjs-core";
import { existsSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { parseModelConfig } from "../../lib/models/config";
import { createRewardModel, type NamedTensor } from "../../lib/models/createModel";
import { poolInputs, scoreInputs, type RewardModel } from "../../lib/models/rewardModel";
import { excess, FAMILIES, inputsOf, modelOf, readGolden, relativeDistance, unpack, type Golden } from "./golden";

beforeAll(async () => {
  await initBackend();
});

const scores = (model: RewardModel, side: { ids: number[][]; mask: number[][] }, options = {}) =>
  tf.tidy(() => scoreInputs(model, inputsOf(side), options).dataSync());

describe.each(FAMILIES)("%s", (name) => {
  const golden = readGolden<Golden>(name);

  // Fails for a wrong activation, norm, position, mask, rotary table or head.
  test("scores equal Python's, padded right and left, with and without the last-layer shortcut", () => {
    const model = modelOf(golden);
    for (const side of [golden.right, golden.left]) {
      for (const fullLastLayer of [false, true]) {
        expect(excess(scores(model, side, { fullLastLayer }), side.scores, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
      }
    }
    model.dispose();
  });

  // Fails for a gradient lost in the shortcut, a pooled row taken from the wrong place, a key head that is not shared.
  test.each([false, true])("gradients of the pair loss equal Python's, recomputed or not (%s)", (recompute) => {
    const model = modelOf(golden);
    const names = [...model.parameters.keys()];
    const variables = names.map((n) => model.parameters.get(n)!);
    const { value, grads } = tf.variableGrads(() => {
      const r = scoreInputs(model, inputsOf(golden.right), { recompute });
      return tf.mean(tf.softplus(tf.sub(r.slice([2], [2]), r.slice([0], [2])))) as tf.Scalar;
    }, variables);
    expect(value.dataSync()[0]).toBeCloseTo(golden.loss, 5);
    const actual = variables.flatMap((v) => [...grads[v.name].dataSync()]);
    const expected = names.flatMap((n) => [...unpack(golden.gradients[n])]);
    expect(relativeDistance(actual, expected)).toBeLessThanOrEqual(1e-4);
    const whole = Math.hypot(...expected);
    for (const [i, n] of names.entries()) {
      const [a, e] = [grads[variables[i].name].dataSync(), unpack(golden.gradients[n])];
      expect(Math.hypot(...e.map((x, j) => x - a[j])), n).toBeLessThanOrEqual(1e-4 * Math.hypot(...e) + 1e-6 * whole);
    }
    model.dispose();
  });

  // Fails when padding, the batch around a text, or its order leaks into its score.
  test("scores do not depend on batch size, order or padding", () => {
    const model = modelOf(golden);
    const { ids, mask, scores: together } = golden.right;
    ids.forEach((row, i) => {
      const length = mask[i].reduce((a, b) => a + b);
      const alone = scores(model, { ids: [row.slice(0, length)], mask: [mask[i].slice(0, length)] });
      expect(Math.abs(alone[0] - together[i])).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(together[i])));
    });
    const batch = scores(model, golden.right);
    const order = [2, 0, 3, 1];
    const wider = { ids: order.map((i) => [...ids[i], 7, 7, 7]), mask: order.map((i) => [...mask[i], 0, 0, 0]) };
    const shuffled = scores(model, wider);
    order.forEach((from, to) => expect(Math.abs(shuffled[to] - batch[from])).toBeLessThanOrEqual(1e-5));
    model.dispose();
  });

  // Fails when a base model's names, or those of old BERT checkpoints, are not recognised.
  test("a base model's tensors load without prefix and get a fresh head", () => {
    const head = /^(classifier|pre_classifier|score)\./;
    const prefix = /^(bert|distilbert|roberta|model)\./;
    const tensors = new Map<string, NamedTensor>();
    for (const [n, packed] of Object.entries(golden.tensors)) {
      if (!head.test(n))
        tensors.set(n.replace(prefix, "").replace("LayerNorm.weight", "LayerNorm.gamma"), {
          shape: packed.shape,
          data: unpack(packed),
        });
    }
    const model = createRewardModel(parseModelConfig(golden.config, "golden"), tensors, { seed: 1 });
    expect(model.freshHead).toBe(true);
    expect(model.fresh.every((n) => head.test(n))).toBe(true);
    expect([...model.parameters.keys()].sort()).toEqual(Object.keys(golden.tensors).sort());
    expect([...scores(model, golden.right)].every(Number.isFinite)).toBe(true);
    model.dispose();
  });

  test("a row of padding alone scores a number and leaves the others alone", () => {
    const model = modelOf(golden);
    const { ids, mask } = golden.right;
    const padded = scores(model, { ids: [...ids, ids[0]], mask: [...mask, mask[0].map(() => 0)] });
    expect(Number.isFinite(padded[4])).toBe(true);
    expect(excess(padded.slice(0, 4), golden.right.scores, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    model.dispose();
  });
});

const MINILM = join(__dirname, "../../models/all-MiniLM-L6-v2");

/** The F32 tensors of a safetensors file, read without lib/storage so that a bug there cannot hide one here. */
function readFloats(path: string): Map<string, NamedTensor> {
  const file = openSync(path, "r");
  const read = (length: number, at: number) => {
    const bytes = new Uint8Array(length);
    readSync(file, bytes, 0, length, at);
    return bytes;
  };
  const size = Number(new DataView(read(8, 0).buffer).getBigUint64(0, true));
  const header = JSON.parse(Buffer.from(read(size, 8)).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([, { dtype }]) => dtype === "F32")
      .map(
        ([
          name,
          {
            shape,
            data_offsets: [from, to],
          },
        ]) => [name, { shape, data: new Float32Array(read(to - from, 8 + size + from).buffer) }],
      ),
  );
}

// The set-up always brings the default encoder; the golden holds no weights of it.
test.skipIf(!existsSync(MINILM))("the default encoder gives Python's scores and hidden states", () => {
  const golden = readGolden<{ texts: number[][]; scores: number[]; hidden: { shape: number[]; data: string } }>(
    "minilm",
  );
  const tensors = readFloats(join(MINILM, "model.safetensors"));
  const config = parseModelConfig(require(join(MINILM, "config.json")), "config.json");
  tensors.set("classifier.weight", {
    shape: [1, config.hiddenSize],
    data: Float32Array.from({ length: config.hiddenSize }, (_, i) => Math.sin(i + 1) / 4),
  });
  tensors.set("classifier.bias", { shape: [1], data: Float32Array.of(0.25) });
  const model = createRewardModel(config, tensors);
  const width = Math.max(...golden.texts.map((t) => t.length));
  const side = {
    ids: golden.texts.map((t) => [...t, ...new Array(width - t.length).fill(0)]),
    mask: golden.texts.map((t) => [...t.map(() => 1), ...new Array(width - t.length).fill(0)]),
  };
  expect(excess(scores(model, side), golden.scores, 0, 1e-4)).toBeLessThanOrEqual(1);
  const hidden = tf.tidy(() => poolInputs(model, inputsOf(side)).dataSync());
  expect(excess(hidden, unpack(golden.hidden), 0, 1e-4)).toBeLessThanOrEqual(1);
  model.dispose();
});
