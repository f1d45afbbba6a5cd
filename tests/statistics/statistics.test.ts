// Every number here is SciPy's, scikit-learn's or statsmodels' (tests/goldens/evaluation_statistics.py; versions in the file).
import { describe, expect, test } from "vitest";
import golden from "../goldens/evaluation/statistics.json";
import * as statistics from "../../lib/statistics";
import { crossFittedDeltas, fitTemperature } from "../../lib/evaluation/temperature";

const near = (got: number, expected: number) =>
  expect(Math.abs(got - expected), `got ${got}, expected ${expected}`).toBeLessThanOrEqual(
    1e-9 * Math.max(1, Math.abs(expected)),
  );

describe("distributions", () => {
  for (const name of [
    "logGamma",
    "normalCdf",
    "normalQuantile",
    "studentCdf",
    "studentQuantile",
    "incompleteBeta",
  ] as const) {
    test(`${name} equals SciPy`, () => {
      const call = statistics[name] as (...args: number[]) => number;
      for (const row of golden[name] as number[][]) near(call(...row.slice(0, -1)), row[row.length - 1]);
    });
  }

  // Would fail if tails were computed as 1 − cdf: that loses every digit below 1e-16.
  test("tails keep their relative precision", () => {
    // scipy.stats.norm.cdf(-9) and norm.ppf(1e-12)
    expect(statistics.normalCdf(-9) / 1.1285884059538324e-19).toBeCloseTo(1, 10);
    expect(statistics.normalQuantile(1e-12)).toBeCloseTo(-7.034483825301131, 9);
  });

  test("binomialCdf equals SciPy", () => {
    for (const [k, n, p, expected] of golden.binomialCdf) near(statistics.binomialCdf(k, n, p), expected);
  });
});

describe("tests", () => {
  test("binomialTest equals SciPy", () => {
    for (const [k, n, p, alternative, expected] of golden.binomialTest) {
      const options = { p: p as number, alternative: alternative as "two-sided" };
      near(statistics.binomialTest(k as number, n as number, options), expected as number);
    }
  });

  test("McNemar exact equals statsmodels; mid-p equals its definition over SciPy's binomial", () => {
    for (const [b, c, exact, midP] of golden.mcNemar) {
      const first = [...Array(b).fill(1), ...Array(c).fill(0), 1, 0, 0.5, 1];
      const second = [...Array(b).fill(0), ...Array(c).fill(1), 1, 0, 1, 0.5];
      const result = statistics.mcNemar(first, second);
      expect([result.onlyFirst, result.onlySecond]).toEqual([b, c]);
      near(result.exact, exact);
      near(result.midP, midP);
    }
    expect(statistics.mcNemar([1, 0], [1, 0])).toMatchObject({ exact: 1, midP: 1 });
  });
});

describe("intervals", () => {
  test("wilsonInterval equals statsmodels, a tie counting one half", () => {
    for (const [k, n, confidence, low, high] of golden.wilson) {
      const interval = statistics.wilsonInterval(k, n, confidence);
      near(interval.low, low);
      near(interval.high, high);
    }
  });

  test("clusteredMean equals statsmodels' cluster-robust OLS with t quantiles", () => {
    for (const { values, clusters, ...expected } of golden.clusteredMean) {
      const result = statistics.clusteredMean(values, clusters);
      for (const key of ["mean", "standardError", "low", "high", "pValue"] as const) near(result[key], expected[key]);
    }
  });

  // Would fail if all-right test sets claimed certainty, or if one prompt's pairs counted as independent.
  test("clusteredShare stays open where clusters do not differ", () => {
    const allRight = statistics.clusteredShare([1, 1, 1, 1], ["a", "a", "b", "c"]);
    expect(allRight.low).toBeCloseTo(statistics.wilsonInterval(3, 3).low, 12);
    expect(allRight.high).toBe(1);
    const onePrompt = statistics.clusteredShare([1, 1, 1, 0], ["a", "a", "a", "a"]);
    expect(onePrompt.high - onePrompt.low).toBeGreaterThan(0.7);
  });

  test("says what was wrong and what to do", () => {
    expect(() => statistics.wilsonInterval(3, 0)).toThrow(/got 3 of 0; drop empty groups/);
    expect(() => statistics.clusteredMean([], [])).toThrow(/at least one value/);
    expect(() => statistics.clusteredMean([1], [])).toThrow(/one cluster a value/);
    expect(() => statistics.pairedBootstrap([], [])).toThrow(/at least one item/);
  });
});

describe("correlation", () => {
  test("pearson and spearman equal SciPy, ties included", () => {
    for (const { x, y, pearson, spearman } of golden.correlation) {
      near(statistics.pearson(x, y)!, pearson);
      near(statistics.spearman(x, y)!, spearman);
    }
  });

  // scipy.stats.rankdata([3, 1, 3, 2, 3])
  test("ranks share the mean of equal values", () => {
    expect([...statistics.ranks([3, 1, 3, 2, 3])]).toEqual([4, 1, 4, 2, 4]);
  });

  test("is null, not NaN, where nothing varies", () => {
    expect(statistics.spearman([1, 1, 1], [1, 2, 3])).toBeNull();
    expect(statistics.pearson([0.1, 0.1, 0.1], [1, 2, 3])).toBeNull();
    expect(statistics.pearson([1], [1])).toBeNull();
  });
});

describe("fitTemperature", () => {
  test("equals SciPy's root of the likelihood's derivative", () => {
    for (const { deltas, ...expected } of golden.temperature) {
      const fit = fitTemperature(deltas);
      near(fit.temperature, expected.temperature);
      near(fit.nllBefore, expected.nllBefore);
      near(fit.nllAfter, expected.nllAfter);
      expect(fit.status).toBe("fitted");
    }
  });

  // Would fail if a perfect validation split drove T to zero, making every later mistake infinitely surprising.
  test("keeps T = 1 where no finite temperature is best", () => {
    expect(fitTemperature([1, 2, 3])).toMatchObject({ temperature: 1, status: "separable" });
    expect(fitTemperature([-1, 0.5])).toMatchObject({ temperature: 1, status: "reversed" });
    expect(fitTemperature([0, 0])).toMatchObject({ temperature: 1, status: "reversed" });
    expect(fitTemperature([])).toMatchObject({ temperature: 1, nllBefore: 0, status: "empty" });
  });
});

describe("crossFittedDeltas", () => {
  const deltas = golden.temperature[0].deltas;

  // Fails if a pair, or another pair of its prompt, took part in fitting its own temperature.
  test("does not let a prompt see its own temperature", () => {
    const clusters = deltas.map((_, i) => `q${i % 40}`);
    const before = crossFittedDeltas(deltas, clusters);
    const changed = deltas.map((delta, i) => (i % 40 === 7 ? -5 * delta : delta));
    const after = crossFittedDeltas(changed, clusters);
    expect(after[7] / changed[7]).toBeCloseTo(before[7] / deltas[7], 12);
    expect(new Set(Array.from(before, (delta, i) => (delta / deltas[i]).toFixed(9))).size).toBe(5);
  });

  test("comes close to the temperature of all pairs; one prompt keeps T = 1", () => {
    const clusters = deltas.map((_, i) => `q${i}`);
    const { temperature } = fitTemperature(deltas);
    crossFittedDeltas(deltas, clusters).forEach((delta, i) =>
      expect(deltas[i] / delta / temperature).toBeCloseTo(1, 0),
    );
    expect([...crossFittedDeltas([1, -0.5], ["a", "a"])]).toEqual([1, -0.5]);
  });
});
