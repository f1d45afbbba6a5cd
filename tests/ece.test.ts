// Expected numbers: NumPy run of the original notebook's code, scikit-learn (tests/goldens/evaluation_statistics.py).
import { describe, expect, test } from "vitest";
import golden from "./goldens/evaluation/statistics.json";
import {
  brierScore,
  correctness,
  expectedCalibrationError,
  negativeLogLikelihood,
  sigmoid,
  softplus,
  symmetricCalibrationError,
} from "../lib/ece";

describe("expectedCalibrationError", () => {
  // The second golden lies on the bin edges: fails if bins are assigned in float64 (0.3·10 and 0.6·10 differ).
  test("equals the original notebook's NumPy code", () => {
    for (const { probs, corrects, ...expected } of golden.originalEce) {
      const result = expectedCalibrationError(probs, corrects);
      expect(result.bin_counts).toEqual(expected.bin_counts);
      expect(result.ece).toBeCloseTo(expected.ece, 12);
      expect(result.mce).toBeCloseTo(expected.mce, 12);
      for (const key of ["bin_edges", "bin_acc", "bin_conf"] as const) {
        result[key].forEach((value, b) => expect(value).toBeCloseTo(expected[key][b], 12));
      }
    }
  });

  // By hand: bins 7 and 9; gaps |0.5 − 0.75| and |1 − 0.95|, two pairs each.
  test("equals the sum done by hand", () => {
    const result = expectedCalibrationError([0.72, 0.78, 0.94, 0.96], [1, 0, 1, 1]);
    expect(result.ece).toBeCloseTo(0.5 * 0.25 + 0.5 * 0.05, 12);
    expect(result.mce).toBeCloseTo(0.25, 12);
  });

  test("gives zeros for an empty list, as the original does", () => {
    const result = expectedCalibrationError([], []);
    expect([result.ece, result.mce]).toEqual([0, 0]);
    expect(result.bin_edges).toHaveLength(11);
    expect(result.bin_counts).toEqual(Array(10).fill(0));
  });

  test("refuses scores in the place of probabilities", () => {
    expect(() => expectedCalibrationError([1.5], [1])).toThrow(/at 0, got 1.5; pass σ\(Δ\), not Δ/);
    expect(() => expectedCalibrationError([NaN], [1])).toThrow(/got NaN/);
    expect(() => expectedCalibrationError([0.5], [])).toThrow(/one outcome a probability/);
  });
});

describe("symmetric calibration", () => {
  test("equals scikit-learn on the pairs and their mirror images", () => {
    for (const { deltas, ...expected } of golden.symmetric) {
      const probabilities = deltas.map(sigmoid);
      const result = symmetricCalibrationError(probabilities);
      expect(result.ece).toBeCloseTo(expected.ece, 9);
      expect(result.mce).toBeCloseTo(expected.mce, 9);
      expect(brierScore(probabilities)).toBeCloseTo(expected.brier, 9);
      expect(negativeLogLikelihood(deltas)).toBeCloseTo(expected.nll, 9);
    }
  });

  // A coin that says so is perfectly calibrated; the one-sided error of the original calls it half wrong if ties are 0.
  test("a scorer that always ties is calibrated", () => {
    const probabilities = [0, 0, 0].map(sigmoid);
    expect(symmetricCalibrationError(probabilities).ece).toBe(0);
    expect(expectedCalibrationError(probabilities, [0, 0, 0].map(correctness)).ece).toBe(0);
  });
});

describe("softplus and sigmoid", () => {
  // Would fail for log(σ + 1e-8), which stops at 18.4, and for log(1 + e^x), which overflows.
  test("hold at both ends", () => {
    expect(softplus(1000)).toBe(1000);
    expect(softplus(-800)).toBe(0);
    expect(softplus(0)).toBeCloseTo(Math.LN2, 15);
    expect(negativeLogLikelihood([-1000])).toBe(1000);
    expect(sigmoid(-800)).toBe(0);
    expect(sigmoid(800)).toBe(1);
    expect(negativeLogLikelihood([6], 2)).toBeCloseTo(Math.log1p(Math.exp(-3)), 15);
  });
});
