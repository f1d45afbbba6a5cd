// The same golden scores on the WebAssembly backend, which machines without the native one fall back to.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { scoreInputs } from "../../lib/models/rewardModel";
import { excess, FAMILIES, inputsOf, modelOf, readGolden, relativeDistance, unpack } from "./golden";

beforeAll(async () => {
  await initBackend({ backend: "wasm" });
});

// Fails when a family needs an operation that WebAssembly lacks.
test.each(FAMILIES)("%s: scores and gradients equal Python's", (name) => {
  const golden = readGolden(name);
  const model = modelOf(golden);
  const names = [...model.parameters.keys()];
  const variables = names.map((n) => model.parameters.get(n)!);
  expect(tf.getBackend()).toBe("wasm");
  expect(
    excess(scoreInputs(model, inputsOf(golden.right)).dataSync(), golden.right.scores, 1e-4, 1e-5),
  ).toBeLessThanOrEqual(1);
  const { grads } = tf.variableGrads(() => {
    const r = scoreInputs(model, inputsOf(golden.right));
    return tf.mean(tf.softplus(tf.sub(tf.slice(r, [2], [2]), tf.slice(r, [0], [2])))) as tf.Scalar;
  }, variables);
  const actual = variables.flatMap((v) => [...grads[v.name].dataSync()]);
  expect(
    relativeDistance(
      actual,
      names.flatMap((n) => [...unpack(golden.gradients[n])]),
    ),
  ).toBeLessThanOrEqual(1e-4);
  model.dispose();
});
