// Mean and spread of several models: arithmetic by hand (NumPy's std(ddof=1)), and simulated wrong labels whose truth the test knows.
import { describe, expect, test } from "vitest";
import { createRandom } from "../../lib/random";
import { meanPairs, uncertainPairs, uncertainScores } from "../../lib/scoring/uncertainty";
import { scoredPair } from "../evaluation/scoredPairs";

const list = (scores: readonly (readonly [number, number])[]) =>
  scores.map(([chosenScore, rejectedScore], i) => scoredPair({ id: `p${i}`, chosenScore, rejectedScore }));

describe("several models", () => {
  // numpy.std([1, 2, 6], ddof=1) = 2.6457513110645907
  test("the mean reward, and a spread that leaves each model's level out", () => {
    const [first] = uncertainScores([[1], [2], [6]], [0, 0, 0]);
    expect(first.score).toBe(3);
    expect(first.score_sd).toBeCloseTo(2.6457513110645907, 12);
    // Three models that differ by a constant alone agree about every text.
    const scores = uncertainScores(
      [
        [1, 2],
        [11, 12],
        [-4, -3],
      ],
      [0, 10, -5],
    );
    expect(scores.map(({ score }) => score)).toEqual([8 / 3, 11 / 3]);
    for (const { score_sd } of scores) expect(score_sd).toBeCloseTo(0, 12);
    expect(uncertainScores([[1, 2]], [7])).toEqual([
      { score: 1, score_sd: 0 },
      { score: 2, score_sd: 0 },
    ]);
  });

  test("pairs: mean rewards, spread of Δ, who disagrees, a calibrated probability", () => {
    const models = [
      list([
        [2, 1],
        [0, 1],
      ]),
      list([
        [3, 0],
        [0, 3],
      ]),
      list([
        [1, 1],
        [1, 2],
      ]),
    ];
    const [right, wrong] = uncertainPairs(models, 2);
    expect(right).toMatchObject({ chosen_score: 2, rejected_score: 2 / 3, suspect: false });
    expect(right.disagreement).toBeCloseTo(1 / 6, 12);
    expect(right.margin_sd).toBeCloseTo(1.5275252316519468, 12); // numpy.std([1, 3, 0], ddof=1)
    expect(right.probability).toBeCloseTo(1 / (1 + Math.exp(-2 / 3)), 12);
    expect(wrong).toMatchObject({ disagreement: 1, suspect: true });
    expect(meanPairs(models).map(({ chosenScore }) => chosenScore)).toEqual([2, 1 / 3]);
    expect(uncertainPairs(models.slice(0, 1))[1].suspect).toBe(false); // one model agrees with itself
  });

  test("suspects are mostly wrong labels: far more of them than among all pairs", () => {
    const random = createRandom(6);
    const truth = Array.from({ length: 2000 }, () => ({
      gap: Math.abs(random.normal()) + 0.2,
      flipped: random.next() < 0.1,
    }));
    const models = Array.from({ length: 5 }, () =>
      list(truth.map(({ gap, flipped }) => [(flipped ? -1 : 1) * gap + 0.7 * random.normal(), 0])),
    );
    const suspects = uncertainPairs(models).flatMap(({ suspect }, i) => (suspect ? [truth[i].flipped] : []));
    const flips = truth.filter(({ flipped }) => flipped).length;
    const found = suspects.filter(Boolean).length;
    expect(found / suspects.length).toBeGreaterThan(0.9);
    expect(found / flips).toBeGreaterThan(0.4);
  });
});
