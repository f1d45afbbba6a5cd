// The criteria of issue and source system (stage 3: ≥ 70%, ≥ 70%, gap < 10 points, loss converged), each missed alone.
import { describe, expect, test } from "vitest";
import { checkQualityGate, type GateInput } from "../../lib/training/gate";
import { createRandom } from "../../lib/random";

const random = createRandom(8);
const falling = Array.from({ length: 200 }, (_, i) => 0.35 + 0.35 * Math.exp(-i / 50) + 0.05 * random.normal());
const good: GateInput = { trainAccuracy: 0.82, valAccuracy: 0.78, pValue: 1e-9, losses: falling };
const failed = (input: Partial<GateInput>) => {
  const { passed, criteria } = checkQualityGate({ ...good, ...input });
  const names = criteria.filter((criterion) => !criterion.passed).map(({ name }) => name);
  expect(passed).toBe(names.length === 0);
  return names;
};

describe("checkQualityGate", () => {
  test("passes a good run and says each criterion in words", () => {
    const { passed, criteria } = checkQualityGate(good);
    expect(passed).toBe(true);
    expect(criteria).toHaveLength(5);
    expect(criteria[1]).toMatchObject({ name: "val_accuracy", value: 0.78, threshold: 0.7 });
    expect(criteria[1].text).toBe("validation accuracy 78.0%, at least 70.0% asked for");
  });

  test("names the criterion missed", () => {
    expect(failed({ trainAccuracy: 0.699 })).toEqual(["train_accuracy"]);
    expect(failed({ valAccuracy: 0.69, trainAccuracy: 0.75 })).toEqual(["val_accuracy"]);
    expect(failed({ trainAccuracy: 0.9 })).toEqual(["overfitting_gap"]);
    expect(failed({ pValue: 0.02 })).toEqual(["better_than_chance"]);
    expect(failed({ losses: [...falling].reverse() })).toEqual(["loss_converged"]);
  });

  // ≥ and < at the limits themselves; 0.9 − 0.8 is a little less than 0.1 in floating point.
  test("holds at its limits", () => {
    expect(failed({ trainAccuracy: 0.7, valAccuracy: 0.7 })).toEqual([]);
    expect(failed({ trainAccuracy: 0.9, valAccuracy: 0.8 })).toEqual(["overfitting_gap"]);
    expect(failed({ pValue: 0.01 })).toEqual(["better_than_chance"]);
    expect(failed({ trainAccuracy: 0.75, valAccuracy: 0.95 })).toEqual([]);
  });

  test("convergence: a rise at the end fails, noise around a plateau does not", () => {
    const rises = falling.map((loss, i) => (i > 150 ? loss + 0.15 : loss));
    expect(failed({ losses: rises })).toEqual(["loss_converged"]);
    expect(failed({ losses: [0.69, 0.6, 0.5, 0.45] })).toEqual([]);
    expect(failed({ losses: falling.map((loss, i) => (i === 190 ? NaN : loss)) })).toEqual(["loss_converged"]);
    expect(failed({ losses: [0.5] })).toEqual(["loss_converged"]);
  });

  test("fails on numbers that are none, and takes other thresholds", () => {
    expect(failed({ valAccuracy: NaN })).toEqual(["val_accuracy", "overfitting_gap"]);
    expect(
      failed({ valAccuracy: 0.6, trainAccuracy: 0.62, thresholds: { valAccuracy: 0.55, trainAccuracy: 0.6 } }),
    ).toEqual([]);
  });
});
