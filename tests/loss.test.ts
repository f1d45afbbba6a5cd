import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../lib/engine/backend";
import { pairLoss, pairWeight, type LossOptions } from "../lib/loss";
import golden from "./goldens/loss.json";

beforeAll(() => initBackend());

const plain: LossOptions = { kind: "bradley-terry", labelSmoothing: 0, centering: 0 };
const lossOf = (chosen: number[], rejected: number[], options = plain) => {
  const pairs = {
    chosen: tf.tensor1d(chosen),
    rejected: tf.tensor1d(rejected),
    weights: tf.onesLike(tf.tensor1d(chosen)),
    margins: tf.zerosLike(tf.tensor1d(chosen)),
  };
  return Array.from(pairLoss(pairs, options).dataSync());
};

const expectClose = (got: ArrayLike<number>, wanted: readonly number[]) =>
  wanted.forEach((value, i) =>
    expect(Math.abs(got[i] - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value))),
  );

describe("pairLoss", () => {
  // tests/goldens/loss.py: PyTorch float64, autograd. Rewards 240 apart would be infinite through log(sigmoid).
  test.each(golden.cases)(
    "equals PyTorch, value and gradient: $kind, smoothing $labelSmoothing, centring $centering",
    (wanted) => {
      const weights = tf.tensor1d(golden.weights);
      const margins = tf.tensor1d(golden.margins);
      const options = { ...wanted, kind: wanted.kind as LossOptions["kind"] };
      const total = (chosen: tf.Tensor, rejected: tf.Tensor) =>
        tf.sum(
          pairLoss({ chosen: chosen as tf.Tensor1D, rejected: rejected as tf.Tensor1D, weights, margins }, options),
        );
      const chosen = tf.tensor1d(golden.chosen);
      const rejected = tf.tensor1d(golden.rejected);
      const [chosenGradient, rejectedGradient] = tf.grads((c, r) => total(c, r) as tf.Scalar)([chosen, rejected]);
      expectClose(pairLoss({ chosen, rejected, weights, margins }, options).dataSync(), wanted.loss);
      expectClose(chosenGradient.dataSync(), wanted.chosenGradient);
      expectClose(rejectedGradient.dataSync(), wanted.rejectedGradient);
    },
  );

  // The teaching notebook (source 003) prints 0.5187 for these four pairs.
  test("gives the teaching notebook's value", () => {
    const losses = lossOf([2, 1.5, 3, 0.5], [1, 1, 2, 1]);
    expect(losses.reduce((a, b) => a + b) / 4).toBeCloseTo(0.5187, 4);
  });

  test("is ln 2 for equal rewards, whatever the smoothing", () => {
    expect(lossOf([3], [3])[0]).toBeCloseTo(Math.LN2, 6);
    expect(lossOf([3], [3], { ...plain, labelSmoothing: 0.2 })[0]).toBeCloseTo(Math.LN2, 6);
  });
});

test("a confidence penalty of 0.5 at β = 3 weighs a pair 2.5 times", () => {
  expect(pairWeight(0.5, 3)).toBe(2.5);
  expect(pairWeight(0, 3)).toBe(1);
});
