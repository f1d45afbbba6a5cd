// Seeds and prompts as two sources of chance. Numbers: statsmodels and SciPy (tests/goldens/comparison.py); coverage: a simulated truth.
import { describe, expect, test } from "vitest";
import golden from "../goldens/evaluation/comparison.json";
import {
  clusteredMean,
  crossedDifference,
  crossedMean,
  detectableDifference,
  holm,
  noncentralStudentCdf,
  powerOf,
  promptsNeeded,
} from "../../lib/statistics";
import { createRandom, type Random } from "../../lib/random";

const near = (got: number, expected: number, tolerance = 1e-9) =>
  expect(Math.abs(got - expected), `got ${got}, expected ${expected}`).toBeLessThanOrEqual(
    tolerance * Math.max(1, Math.abs(expected)),
  );

describe("two sources of chance", () => {
  test("parts and interval equal statsmodels' mean squares and SciPy's t", () => {
    for (const { outcomes, clusters, ...expected } of golden.crossed) {
      const got = crossedMean(outcomes, clusters);
      near(got.estimate, expected.mean);
      for (const part of ["prompts", "runs", "both"] as const) near(got.parts[part], expected[part], 1e-12);
      for (const field of ["standardError", "degrees", "low", "high"] as const) near(got[field], expected[field]);
    }
  });

  test("with one run a side it is statsmodels' cluster-robust paired t", () => {
    for (const { a, b, clusters, ...expected } of golden.paired) {
      const got = crossedDifference([a], [b], clusters);
      near(got.estimate, expected.difference);
      for (const field of ["standardError", "low", "high", "pValue"] as const) near(got[field], expected[field]);
      const alone = crossedMean([a], clusters);
      const clustered = clusteredMean(a, clusters);
      near(alone.standardError, clustered.standardError);
      near(alone.high, clustered.high);
    }
  });

  test("the same runs on both sides differ by nothing; one prompt says nothing; other items are refused", () => {
    const [{ a, b, clusters }] = golden.paired;
    expect(crossedDifference([a], [a], clusters)).toMatchObject({ estimate: 0, low: 0, high: 0, pValue: 1 });
    expect(crossedMean([[1, 0]], ["q", "q"])).toMatchObject({ low: -Infinity, high: Infinity, pValue: 1 });
    expect(() => crossedDifference([a], [b.slice(1)], clusters)).toThrow(/score all runs on the same items/);
  });
});

describe("power", () => {
  test("the noncentral t equals SciPy", () => {
    for (const [t, degrees, delta, expected] of golden.noncentralStudentCdf)
      near(noncentralStudentCdf(t, degrees, delta), expected, 1e-8);
  });

  test("power, detectable difference and prompts needed equal statsmodels", () => {
    const errorOf = (sd: number, n: number) => ({ standardError: sd / Math.sqrt(n), degrees: n - 1 });
    for (const [d, sd, n, expected] of golden.power) near(powerOf(d, errorOf(sd, n)), expected, 1e-8);
    for (const [sd, n, expected] of golden.detectable) near(detectableDifference(errorOf(sd, n))!, expected, 1e-6);
    for (const [d, sd, expected] of golden.needed) {
      const parts = { prompts: sd ** 2 / 20, runs: 0, both: 0 };
      const estimate = { ...errorOf(sd, 20), parts, clusters: 20, estimate: 0, low: 0, high: 0, pValue: 1 };
      expect(promptsNeeded(d, estimate)).toBe(Math.ceil(expected));
    }
  });

  test("where the seeds alone drown a difference, no number of prompts is enough", () => {
    const parts = { prompts: 1e-4, runs: 4e-4, both: 0 };
    const estimate = { estimate: 0, standardError: Math.sqrt(5e-4), degrees: 6, clusters: 100, parts };
    expect(promptsNeeded(0.01, { ...estimate, low: 0, high: 0, pValue: 1 })).toBeNull();
  });

  test("Holm's adjustment equals statsmodels", () => {
    for (const [p, expected] of golden.holm as [number[], number[]][])
      holm(p).forEach((value, i) => near(value, expected[i], 1e-12));
  });
});

const DRAWS = 1500;
interface World {
  readonly prompts: number;
  readonly runs: number;
  readonly bySeed: number;
  readonly difference: number;
}

/** Outcomes of `runs` seeds; a pair's chance rests on its prompt, the seed, and both together. */
function draw(random: Random, { prompts, runs, bySeed }: World, rate: number, hard: readonly number[]) {
  return Array.from({ length: runs }, () => {
    const seed = bySeed * random.normal();
    const own = Array.from({ length: prompts }, () => 0.1 * random.normal());
    return hard.flatMap((shift, g) => {
      const chance = rate + shift + seed + own[g];
      return [0, 1].map(() => (random.next() < chance ? 1 : 0));
    });
  });
}

// Of 1,500 draws at 95% a count has a standard deviation of 0.56 points: three of them below, and room above, where
// Satterthwaite's degrees of freedom are known to be cautious with few seeds.
describe("95% intervals hold the truth under another draw of prompts and seeds", () => {
  const worlds: [string, World][] = [
    ["five seeds that vary by two points", { prompts: 80, runs: 5, bySeed: 0.02, difference: 0 }],
    ["three seeds that vary by four points", { prompts: 60, runs: 3, bySeed: 0.04, difference: 0.03 }],
    ["ten seeds that hardly vary", { prompts: 40, runs: 10, bySeed: 0.002, difference: 0.02 }],
  ];
  test.each(worlds)("%s", (_name, world) => {
    const random = createRandom(11);
    const covered = { mean: 0, difference: 0, promptsOnly: 0 };
    const clusters = Array.from({ length: 2 * world.prompts }, (_, i) => `q${i >> 1}`);
    for (let i = 0; i < DRAWS; i++) {
      const hard = Array.from({ length: world.prompts }, () => 0.1 * (random.next() - 0.5));
      const first = draw(random, world, 0.6 + world.difference, hard);
      const second = draw(random, world, 0.6, hard);
      const inside = ({ low, high }: { low: number; high: number }, truth: number) =>
        Number(low <= truth && truth <= high);
      covered.mean += inside(crossedMean(first, clusters), 0.6 + world.difference);
      covered.difference += inside(crossedDifference(first, second, clusters), world.difference);
      covered.promptsOnly += inside(crossedDifference([first[0]], [second[0]], clusters), world.difference);
    }
    for (const count of [covered.mean, covered.difference]) {
      expect(count / DRAWS).toBeGreaterThanOrEqual(0.933);
      expect(count / DRAWS).toBeLessThanOrEqual(0.985);
    }
    // The reason for seeds: the interval of two single models leaves out how much another seed would have changed.
    if (world.bySeed >= 0.04) expect(covered.promptsOnly / DRAWS).toBeLessThan(0.9);
  });

  test("a true difference of the detectable size is found four times in five", () => {
    const random = createRandom(12);
    const world = { prompts: 150, runs: 4, bySeed: 0.015, difference: 0 };
    const clusters = Array.from({ length: 300 }, (_, i) => `q${i >> 1}`);
    const compare = (difference: number) => {
      const hard = Array.from({ length: world.prompts }, () => 0.1 * (random.next() - 0.5));
      return crossedDifference(draw(random, world, 0.6 + difference, hard), draw(random, world, 0.6, hard), clusters);
    };
    const sizes = Array.from({ length: 200 }, () => detectableDifference(compare(0))!).sort((a, b) => a - b);
    let found = 0;
    for (let i = 0; i < DRAWS; i++) if (compare(sizes[100]).pValue < 0.05) found++;
    expect(found / DRAWS).toBeGreaterThan(0.75);
    expect(found / DRAWS).toBeLessThan(0.87);
  });
});
