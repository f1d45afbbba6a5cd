// Model code as a compiled graph against the same code run eagerly: it must stay traceable, dropout and gradients included.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import { scoreInputs } from "../../lib/models/rewardModel";
import { excess, FAMILIES, inputsOf, modelOf, readGolden, relativeDistance } from "./golden";

beforeAll(async () => {
  await initBackend();
});

describe.each(FAMILIES)("%s", (name) => {
  // Fails when model code reads a value or lets a shape depend on data: the trace refuses the one and freezes the other.
  test("compiled scores equal eager ones, also on a second batch through the same graph", () => {
    const golden = readGolden(name);
    const model = modelOf(golden);
    const score = compile(
      (ids, mask) => scoreInputs(model, { ids: ids as tf.Tensor2D, segmentIds: mask as tf.Tensor2D }),
      {
        precision: "f32",
        xla: false,
      },
    );
    for (const side of [golden.right, golden.left]) {
      const { ids, segmentIds } = inputsOf(side);
      const [result] = score(ids, segmentIds);
      expect(excess(result.dataSync(), side.scores, 1e-4, 1e-5)).toBeLessThanOrEqual(1);
      tf.dispose([ids, segmentIds, result]);
    }
    expect(score.graphs()).toHaveLength(1);
    score.dispose();
    model.dispose();
  });
});

describe.each(["bert", "llama3"])("%s with dropout", (name) => {
  // Fails when a mask depends on what ran before, or gradients see another mask than the forward pass.
  test("compiled gradients equal eager ones for the same seed, and another seed gives others", () => {
    const golden = readGolden(name);
    golden.config.attention_dropout = 0.1;
    const model = modelOf(golden);
    const variables = [...model.parameters.values()];
    const gradientsWith = (recompute: boolean) => (ids: tf.Tensor, mask: tf.Tensor, dropoutSeed: tf.Tensor) => {
      const { value, grads } = tf.variableGrads(() => {
        const r = scoreInputs(
          model,
          { ids: ids as tf.Tensor2D, segmentIds: mask as tf.Tensor2D },
          { dropoutSeed: dropoutSeed as tf.Tensor1D, recompute },
        );
        return tf.mean(tf.softplus(tf.sub(r.slice([2], [2]), r.slice([0], [2])))) as tf.Scalar;
      }, variables);
      return [value, ...variables.map((v) => grads[v.name])];
    };
    const { ids, segmentIds } = inputsOf(golden.right);
    const flat = (tensors: tf.Tensor[]) => tensors.flatMap((t) => [...t.dataSync()]);
    const seed = tf.tensor1d([5, 6], "int32");
    const step = compile(gradientsWith(false), { precision: "f32", xla: false });
    const again = compile(gradientsWith(true), { precision: "f32", xla: false });
    const eager = flat(gradientsWith(false)(ids, segmentIds, seed));
    expect(relativeDistance(flat(gradientsWith(true)(ids, segmentIds, seed)), eager)).toBeLessThan(1e-5);
    expect(relativeDistance(flat(again(ids, segmentIds, seed)), eager)).toBeLessThan(1e-5);
    expect(relativeDistance(flat(step(ids, segmentIds, seed)), eager)).toBeLessThan(1e-5);
    expect(relativeDistance(flat(step(ids, segmentIds, tf.tensor1d([5, 7], "int32"))), eager)).toBeGreaterThan(0.01);
    step.dispose();
    again.dispose();
    model.dispose();
  });
});
