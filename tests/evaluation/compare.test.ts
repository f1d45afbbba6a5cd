// Two simulated models whose true difference the test sets; McNemar against SciPy's numbers in statistics.test.ts.
import { describe, expect, test } from "vitest";
import { InputError } from "../../lib/errors";
import { compareScoreRuns, compareScores } from "../../lib/evaluation/compare";
import { pairedBootstrap } from "../../lib/statistics";
import { createRandom } from "../../lib/random";
import { scoredPair } from "./scoredPairs";

const simulate = (skill: number, seed: number, prompts = 150) => {
  const random = createRandom(seed);
  return Array.from({ length: prompts * 3 }, (_, i) =>
    scoredPair({ id: `p${i}`, promptKey: `q${i % prompts}`, chosenScore: skill + random.normal() }),
  );
};

describe("compareScores", () => {
  test("finds a real difference and none where there is none", () => {
    const better = compareScores(simulate(1.2, 1), simulate(0.4, 2));
    expect(better.difference).toBeCloseTo(better.accuracy - better.other_accuracy, 12);
    expect(better.difference_ci95[0]).toBeGreaterThan(0);
    expect(better.bootstrap_p_value).toBeLessThan(0.01);
    expect(better.mcnemar_exact_p_value).toBeLessThan(0.01);
    expect(better).toMatchObject({ n_pairs: 450, n_prompts: 150 });

    const same = compareScores(simulate(0.7, 3), simulate(0.7, 4));
    expect(same.difference_ci95[0]).toBeLessThan(0);
    expect(same.difference_ci95[1]).toBeGreaterThan(0);
    expect(same.bootstrap_p_value).toBeGreaterThan(0.05);
  });

  // The sides have the same questions, so three quarters of both errors is shared; the truth is that neither is better.
  test("seeds: two recipes of one skill differ by the seeds drawn, and the interval holds that", () => {
    const seeds = (shift: number, first: number) =>
      [0.1, -0.3, 0.35, 0, -0.1].map((own, s) => simulate(0.7 + shift + own, first + s));
    const lists = seeds(0, 20);
    const recipes = compareScoreRuns(lists, seeds(0, 30), { detect: 0.02 });
    expect(recipes).toMatchObject({ runs: 5, other_runs: 5, n_pairs: 450, n_prompts: 150, difference_shown: false });
    expect(recipes.bootstrap_p_value).toBeNull();
    expect(recipes.power_to_detect!.power).toBeLessThan(0.8);
    // A single lucky seed against a single unlucky one: shown, and wrong of the recipes.
    expect(compareScores(simulate(1.05, 22), simulate(0.4, 31)).difference_shown).toBe(true);
    expect(compareScoreRuns(seeds(0.9, 20), seeds(0, 30)).difference_shown).toBe(true);
  });

  test("the interval and the bootstrap over prompts agree", () => {
    const [a, b] = [simulate(0.9, 5), simulate(0.6, 6)];
    const { difference_ci95: t } = compareScores(a, b);
    const outcomes = (pairs: typeof a) => Float64Array.from(pairs, ({ chosenScore }) => (chosenScore > 0 ? 1 : 0));
    const other = outcomes(b);
    const differences = outcomes(a).map((one, i) => one - other[i]);
    const { low, high } = pairedBootstrap(
      differences,
      a.map(({ promptKey }) => promptKey),
      { resamples: 20_000 },
    );
    expect(Math.abs(t[0] - low)).toBeLessThan(0.003);
    expect(Math.abs(t[1] - high)).toBeLessThan(0.003);
  });

  test("matches pairs by id, whatever the order, and is the same every time", () => {
    const [a, b] = [simulate(1, 1), simulate(0.5, 2)];
    expect(compareScores(a, [...b].reverse())).toEqual(compareScores(a, b));
    expect(compareScores(a, a)).toMatchObject({ difference: 0, difference_ci95: [0, 0], mcnemar_exact_p_value: 1 });
  });

  test("refuses lists of different pairs", () => {
    const [a, b] = [simulate(1, 1, 5), simulate(1, 2, 5)];
    expect(() => compareScores(a, b.slice(1))).toThrow(InputError);
    expect(() => compareScores(a, b.slice(1))).toThrow(/got p0 on one only; score both checkpoints on one file/);
    expect(() => compareScores(a.slice(1), b)).toThrow(/got 14 and 15/);
  });
});
