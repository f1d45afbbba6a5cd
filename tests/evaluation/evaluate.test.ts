// Expected numbers: NumPy, pandas, SciPy, statsmodels on the same simulated pairs (tests/goldens/evaluate.py).
import { describe, expect, test } from "vitest";
import golden from "../goldens/evaluation/evaluate.json";
import statisticsGolden from "../goldens/evaluation/statistics.json";
import { InputError } from "../../lib/errors";
import { betterThanChance, evaluateScores, originalEvaluation } from "../../lib/evaluation/evaluate";
import { lossSettings } from "../../lib/evaluation/pairLossValue";
import type { ScoredPair } from "../../lib/scoring/scoredPair";
import { pairsOf, scoredPair } from "./scoredPairs";

const pairs: ScoredPair[] = golden.pairs.map((pair) => scoredPair(pair));
const { temperature, labelSmoothing, centering } = golden.settings;

/** Every number under `expected` stands in `got`, to 1e-9. */
function covers(got: unknown, expected: unknown, where = ""): void {
  if (typeof expected === "number") {
    expect(Math.abs((got as number) - expected), `${where}: got ${got}, expected ${expected}`).toBeLessThanOrEqual(
      1e-9,
    );
  } else if (typeof expected !== "object" || expected === null) {
    expect(got, where).toBe(expected);
  } else {
    for (const [key, value] of Object.entries(expected)) {
      covers((got as Record<string, unknown>)[key], value, `${where}.${key}`);
    }
  }
}

describe("evaluateScores", () => {
  const evaluation = evaluateScores(pairs, { temperature, loss: { labelSmoothing, centering } });
  const { loss_scaled, p_better_than_chance, by_category, ...expected } = golden.expected;

  test("equals NumPy, pandas, scikit-learn and statsmodels to 1e-9", () => {
    covers(evaluation, expected);
    expect(evaluation.temperature).toBe(temperature);
    covers(evaluation.baseline_tests.random.p_value, p_better_than_chance);
    covers(evaluateScores(pairs, { loss: { kind: "scaled" } }).loss, loss_scaled);
  });

  // Guo et al. (2017) fit T by likelihood; on unseen pairs that may do harm, and then T is 1 and the figures are the raw ones.
  test("keeps T = 1 where a fitted one does not help pairs it was not fitted on", () => {
    const { fitted } = evaluateScores(pairs, { temperature: "fit" }).temperature_choice!;
    // At the likelihood's own optimum the temperatures of the folds can only do worse.
    const calibrated = pairs.map((pair) => ({
      ...pair,
      chosenScore: pair.chosenScore / fitted,
      rejectedScore: pair.rejectedScore / fitted,
    }));
    const kept = evaluateScores(calibrated, { temperature: "fit" });
    expect(kept.temperature_choice).toMatchObject({ used: false, status: "fitted" });
    expect(kept.temperature_choice!.fitted).toBeCloseTo(1, 9);
    expect(kept.temperature_choice!.cross_validated.nll).toBeGreaterThan(kept.nll);
    expect(kept.temperature).toBe(1);
    const { nll, brier, ece, ece_symmetric, mce } = kept;
    expect(kept.calibrated).toEqual({ nll, brier, ece, ece_symmetric, mce });
  });

  // A model twice as sure as it should be: T near 2, and calibrated figures that beat the raw ones on unseen folds.
  test("fits a temperature where asked to, and judges it on pairs it was not fitted on", () => {
    const overconfident = pairs.map((pair) => ({
      ...pair,
      chosenScore: 4 * pair.chosenScore,
      rejectedScore: 4 * pair.rejectedScore,
    }));
    const fitted = evaluateScores(overconfident, { temperature: "fit" });
    const asIs = evaluateScores(pairs, { temperature: "fit" });
    expect(fitted.temperature).toBeCloseTo(4 * asIs.temperature_choice!.fitted, 9);
    expect(fitted.calibrated.nll).toBeLessThan(fitted.nll);
    expect(fitted.calibrated.ece_symmetric).toBeLessThan(fitted.ece_symmetric);
    const seen = evaluateScores(overconfident, { temperature: fitted.temperature });
    expect(seen.calibrated.nll).toBeLessThan(fitted.calibrated.nll);
  });

  // Would fail if groups were kept in a plain object literal: one category of the golden is called __proto__.
  test("keeps every category, whatever its name", () => {
    const written = JSON.parse(JSON.stringify(evaluation)).by_category;
    expect(Object.keys(written).sort()).toEqual(["__proto__", "helpfulness", "safety"]);
    for (const name of Object.keys(by_category)) {
      covers(
        Object.getOwnPropertyDescriptor(written, name)!.value,
        Object.getOwnPropertyDescriptor(by_category, name)!.value,
      );
    }
  });

  test("bins add up to the pairs and give the ECE back", () => {
    const bins = evaluation.calibration_bins;
    expect(bins).toHaveLength(10);
    expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(pairs.length);
    const ece = bins.reduce(
      (sum, bin) => sum + (bin.count / pairs.length) * Math.abs(bin.accuracy - bin.confidence),
      0,
    );
    expect(ece).toBeCloseTo(evaluation.ece, 12);
    expect(bins.reduce((sum, bin) => sum + bin.symmetric_count, 0)).toBe(2 * pairs.length);
  });

  test("does not depend on the order of the pairs", () => {
    const { baseline_tests: _a, ...forward } = evaluateScores(pairs);
    const { baseline_tests: _b, ...backward } = evaluateScores([...pairs].reverse());
    covers(backward, forward);
  });

  // DESIGN: a tie counts one half and is reported. Fails for the strict > of TRL and the original notebook.
  test("counts a tie as one half", () => {
    const evaluated = evaluateScores(pairsOf([1, 0, 0, -1]));
    expect(evaluated).toMatchObject({ n_pairs: 4, ties: 2, accuracy: 0.5 });
    expect(evaluateScores(pairsOf([0, 0]))).toMatchObject({ accuracy: 0.5, ties: 2, ece: 0, brier: 0.25 });
  });

  test("is finite JSON for no pair, one pair and one prompt", () => {
    const onePrompt = [1, 2, -1].map((delta, i) => scoredPair({ id: `p${i}`, promptKey: "q", chosenScore: delta }));
    for (const list of [[], pairsOf([2]), onePrompt]) {
      const evaluated = evaluateScores(list);
      expect(JSON.parse(JSON.stringify(evaluated))).toEqual(evaluated);
      expect(evaluated.accuracy_ci95[1] - evaluated.accuracy_ci95[0]).toBeGreaterThan(0.5);
      expect(evaluated.baseline_tests.random.p_value).toBeGreaterThan(0.1);
    }
    expect(evaluateScores([])).toMatchObject({ n_pairs: 0, accuracy: 0, ece: 0, by_risk: {}, loss: 0 });
  });

  test("names the pair whose score is broken", () => {
    for (const bad of [NaN, Infinity]) {
      const broken = [...pairsOf([1]), scoredPair({ id: "row 17", rejectedScore: bad })];
      for (const evaluate of [evaluateScores, originalEvaluation]) {
        expect(() => evaluate(broken)).toThrow(InputError);
        expect(() => evaluate(broken)).toThrow(
          /pair row 17: expected finite scores, got chosen 0 and rejected (NaN|Infinity)/,
        );
      }
    }
  });
});

describe("lossSettings", () => {
  // The keys that training writes into rewardbook.json.
  test("reads a checkpoint's loss, and the plain loss for one without", () => {
    expect(lossSettings({ kind: "scaled", beta: 3, label_smoothing: 0.1, centering: 0.01, margin: 1 })).toEqual({
      kind: "scaled",
      beta: 3,
      labelSmoothing: 0.1,
      centering: 0.01,
      margin: 1,
    });
    expect(lossSettings(undefined)).toEqual({
      kind: "bradley-terry",
      beta: 0,
      labelSmoothing: 0,
      centering: 0,
      margin: 0,
    });
  });
});

describe("betterThanChance", () => {
  // Would fail if pairs of one prompt counted as independent: 40 pairs, 4 prompts, p = 2^-4 at best.
  test("goes by prompts", () => {
    const clusters = Array.from({ length: 40 }, (_, i) => `q${i % 4}`);
    expect(betterThanChance(Array(40).fill(1), clusters).p_value).toBeCloseTo(1 / 16, 12);
    expect(betterThanChance(Array(40).fill(0), clusters).p_value).toBeCloseTo(15 / 16, 12);
    expect(betterThanChance([], []).p_value).toBe(1);
  });
});

describe("originalEvaluation", () => {
  test("equals the original notebook's NumPy code", () => {
    for (const { deltas, probs, mce: _, ...expected } of statisticsGolden.originalEce) {
      const result = originalEvaluation(pairsOf(deltas));
      const { pairwise_accuracy, ece, ece_detail, corrects } = result;
      covers({ pairwise_accuracy, ece, corrects, ...ece_detail }, expected);
      result.probs.forEach((p, i) => expect(Math.abs(p - probs[i])).toBeLessThanOrEqual(2 ** -24));
    }
  });

  test("gives accuracy by risk, names sorted", () => {
    const risks = [
      ["LOW", 1],
      ["HIGH", -1],
      ["LOW", -2],
      ["HIGH", 0],
    ] as const;
    const { acc_by_risk } = originalEvaluation(risks.map(([risk, delta]) => scoredPair({ risk, chosenScore: delta })));
    expect(Object.entries(acc_by_risk)).toEqual([
      ["HIGH", 0.25],
      ["LOW", 0.5],
    ]);
  });

  test("gives zeros and empty lists for an empty split", () => {
    expect(originalEvaluation([])).toEqual({
      pairwise_accuracy: 0,
      ece: 0,
      acc_by_risk: {},
      ece_detail: {
        bin_edges: [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
        bin_counts: Array(10).fill(0),
        bin_acc: Array(10).fill(0),
        bin_conf: Array(10).fill(0),
      },
      deltas: [],
      probs: [],
      corrects: [],
    });
  });
});
