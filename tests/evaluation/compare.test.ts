// Two simulated models whose true difference the test sets; McNemar against SciPy's numbers in statistics.test.ts.
import { describe, expect, test } from "vitest";
import { InputError } from "../../lib/errors";
import { compareScores } from "../../lib/evaluation/compare";
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
