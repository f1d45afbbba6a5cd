// AdamW against torch 2.13's AdamW and clip_grad_norm_ (goldens/engine.py), resumption, non-finite gradients.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { createAdamW, type AdamWOptions } from "../../lib/engine/adamw";
import { initBackend } from "../../lib/engine/backend";
import { nativeBackend } from "../../lib/engine/binding";
import { createRandom } from "../../lib/random";

beforeAll(async () => {
  await initBackend({ backend: "tensorflow" });
});

const options: AdamWOptions = {
  weightDecay: 0.1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  gradClip: 1,
  decays: (name) => !name.endsWith("bias"),
};
const random = createRandom(7);
const normal = (shape: number[]) => {
  const n = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: n }, () => random.normal()),
    shape,
  );
};
const make = () =>
  new Map([
    ["a.weight", tf.variable(normal([3, 4]))],
    ["a.bias", tf.variable(normal([4]))],
  ]);
const copy = (source: Map<string, tf.Variable>) =>
  new Map([...source].map(([name, v]) => [name, tf.variable(v.clone())]));
const values = (parameters: Iterable<tf.Tensor>) => [...parameters].map((p) => [...p.dataSync()]);
const gradients = () => [normal([3, 4]), normal([4])];

describe("createAdamW", () => {
  // The kernel writes over weights and moments: fails when a clone, or what the variable was made of, is written over, too.
  it("leaves alone what shares the numbers of a weight or moment", () => {
    const start = normal([300, 700]);
    const weight = tf.variable(start);
    const adamw = createAdamW(new Map([["w", weight]]), options);
    const gradient = normal([300, 700]);
    const clones: [tf.Tensor, number[]][] = [[start, [...start.dataSync()]]];
    for (let step = 0; step < 3; step++) {
      tf.dispose(adamw.step([gradient], 1e-2));
      for (const tensor of [weight, ...adamw.state().values()]) clones.push([tensor.clone(), [...tensor.dataSync()]]);
    }
    for (const [clone, before] of clones) expect([...clone.dataSync()]).toEqual(before);
    expect(new Set(clones.map(([, [first]]) => first)).size).toBe(clones.length); // each step moved all of them
    for (const [clone] of clones) clone.dispose();
    tf.dispose([weight, gradient]);
    adamw.dispose();
  });

  it("takes torch's steps: decay on weights only, clipped gradient, norm before clipping", () => {
    const golden = JSON.parse(readFileSync(join(__dirname, "../goldens/engine/adamw.json"), "utf8"));
    const parameters = new Map<string, tf.Variable>(
      Object.entries<number[][]>(golden.start).map(([name, value]) => [name, tf.variable(tf.tensor(value))]),
    );
    const { weight_decay: weightDecay, clip: gradClip, lr } = golden;
    const adamw = createAdamW(parameters, { ...options, weightDecay, gradClip });
    for (const step of golden.steps) {
      const { gradNorm, skipped } = adamw.step(
        Object.values<number[][]>(step.gradients).map((g) => tf.tensor(g)),
        lr,
      );
      expect(gradNorm.dataSync()[0]).toBeCloseTo(step.norm, 5);
      expect(skipped.dataSync()[0]).toBe(0);
      for (const [name, expected] of Object.entries<number[]>(step.weights)) {
        const got = parameters.get(name)!.dataSync();
        expected.flat().forEach((x, i) => expect(Math.abs(got[i] - x)).toBeLessThan(1e-6));
      }
    }
  });

  it("goes on bit for bit from a restored state", () => {
    const first = make();
    const adamw = createAdamW(first, options);
    const steps = Array.from({ length: 6 }, gradients);
    for (const g of steps.slice(0, 3)) adamw.step(g, 1e-2);
    const second = copy(first);
    const resumed = createAdamW(second, options);
    resumed.restore(new Map([...adamw.state()].map(([name, t]) => [name, tf.tensor(t.dataSync().slice(), t.shape)])));
    for (const g of steps.slice(3)) {
      adamw.step(g, 1e-2);
      resumed.step(g, 1e-2);
    }
    expect(values(second.values())).toEqual(values(first.values()));
    expect([...resumed.state().get("step")!.dataSync()]).toEqual([6]);
    expect(() => resumed.restore(new Map())).toThrow(/optimizer state step: expected/);
  });

  it("goes on unchanged when it is given its own state, as where a layer thaws among others", () => {
    const parameters = make();
    const adamw = createAdamW(parameters, options);
    adamw.step(gradients(), 1e-2);
    const before = values(adamw.state().values());
    adamw.restore(adamw.state());
    expect(values(adamw.state().values())).toEqual(before);
    expect(adamw.step(gradients(), 1e-2).skipped.dataSync()[0]).toBe(0);
  });

  it.each([NaN, Infinity])("skips an update with a gradient of %s and says so", (bad) => {
    const parameters = make();
    const adamw = createAdamW(parameters, options);
    adamw.step(gradients(), 1e-2);
    const before = values([...parameters.values(), ...adamw.state().values()]);
    const { skipped } = adamw.step([normal([3, 4]), tf.tensor1d([1, bad, 1, 1])], 1e-2);
    expect(skipped.dataSync()[0]).toBe(1);
    expect(values([...parameters.values(), ...adamw.state().values()])).toEqual(before);
    expect(adamw.step(gradients(), 1e-2).skipped.dataSync()[0]).toBe(0);
  });

  it("holds the same tensors after 1,000 steps", () => {
    const adamw = createAdamW(make(), options);
    const g = gradients();
    const step = () => tf.dispose(Object.values(adamw.step(g, 1e-3)));
    step();
    const handles = () => [tf.memory().numTensors, nativeBackend()!.binding.getNumOfTensors()];
    const before = handles();
    for (let i = 0; i < 1000; i++) step();
    expect(handles()).toEqual(before);
  });
});
