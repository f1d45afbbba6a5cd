// Our RewardBench scores against the functions of the reference package `rewardbench`, on simulated scores with ties.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { rewardBench1, rewardBench2, rewardBenchItems } from "../../lib/rewardBench/rewardBench";
import type { ScoredItem } from "../../lib/rewardBench/rewardBenchTies";
import type { ScoredPair } from "../../lib/scoring/scoredPair";
import { createRandom, type Random } from "../../lib/random";
import { scoredPair } from "../evaluation/scoredPairs";

const python = join(resolve(process.env.RB_REFERENCE ?? ".cache/reference"), "bin", "python");
/** Whole and half steps, so that ties happen. */
const coarse = (random: Random, mean: number) => Math.round(2 * (mean + random.normal())) / 2;

const SUBSETS = rewardBench1([]).missing_subsets;

function version1(seed: number, subsets: readonly string[]): ScoredPair[] {
  const random = createRandom(seed);
  return Array.from({ length: 800 }, (_, i) =>
    scoredPair({
      id: `${i}`,
      subset: random.pick(subsets),
      chosenScore: coarse(random, 0.6),
      rejectedScore: coarse(random, 0),
    }),
  );
}

function version2(seed: number): ScoredItem[] {
  const random = createRandom(seed);
  const items: ScoredItem[] = [];
  for (const subset of ["Factuality", "Precise IF", "Math", "Safety", "Focus"]) {
    for (let i = 0; i < 60; i++) {
      const scores = [coarse(random, 1), coarse(random, 0), coarse(random, 0), coarse(random, 0)];
      items.push({ id: `${subset} ${i}`, subset, numCorrect: 1, scores });
    }
  }
  for (let prompt = 0; prompt < 60; prompt++) {
    const right = (count: number) => Array.from({ length: count }, () => coarse(random, 2.5));
    const wrong = () => Array.from({ length: 2 + random.integer(12) }, () => coarse(random, 0));
    if (prompt % 10 !== 3)
      items.push({ id: `ref:${prompt}`, subset: "Ties", numCorrect: 1, scores: [...right(1), ...wrong()] });
    const several = 1 + random.integer(5);
    if (prompt % 10 !== 7)
      items.push({
        id: `tied:${prompt}`,
        subset: "Ties",
        numCorrect: several,
        scores: [...right(several), ...wrong()],
      });
  }
  return items;
}

/** The pairs our reader makes of a row: every right answer against every wrong one. */
const pairsOfItem = ({ id, subset, numCorrect, scores }: ScoredItem): ScoredPair[] =>
  scores
    .slice(0, numCorrect)
    .flatMap((chosenScore, i) =>
      scores
        .slice(numCorrect)
        .map((rejectedScore, j) => scoredPair({ id: `${id}#${i + 1}-${j + 1}`, subset, chosenScore, rejectedScore })),
    );

const ones = [
  version1(1, SUBSETS),
  version1(2, SUBSETS.slice(0, 7)),
  version1(3, ["math-prm", "hep-go", "donotanswer"]),
];
const twos = [version2(4), version2(5), version2(6).filter(({ subset }) => subset === "Ties")];
let reference: {
  version1: Array<{ accuracy: number; subsets: Record<string, number>; sections: Record<string, number> }>;
  version2: Array<{ subsets: Record<string, number> }>;
};

beforeAll(() => {
  const asked = {
    version1: ones.map((pairs) =>
      pairs.map(({ subset, chosenScore, rejectedScore }) => ({ subset, chosen: chosenScore, rejected: rejectedScore })),
    ),
    version2: twos,
  };
  const run = spawnSync(python, [join(__dirname, "rewardbench_reference.py")], {
    input: JSON.stringify(asked),
    encoding: "utf8",
  });
  expect(run.stderr + (run.error?.message ?? "")).toBe("");
  reference = JSON.parse(run.stdout);
});

const equal = (got: Record<string, number>, expected: Record<string, number>) => {
  expect(Object.keys(got).sort()).toEqual(Object.keys(expected).sort());
  for (const [key, value] of Object.entries(expected)) expect(got[key], key).toBeCloseTo(value, 12);
};

describe("the package rewardbench", () => {
  test("version 1: subsets and sections", () => {
    ones.forEach((pairs, i) => {
      const result = rewardBench1(pairs);
      expect(result.accuracy).toBeCloseTo(reference.version1[i].accuracy, 12);
      equal(result.subsets, reference.version1[i].subsets);
      equal(result.sections, reference.version1[i].sections);
    });
  });

  test("version 2: best of four with ties shared, and the Ties score", () => {
    twos.forEach((items, i) => {
      equal(rewardBench2(items).subsets, reference.version2[i].subsets);
      equal(rewardBench2(rewardBenchItems(items.flatMap(pairsOfItem))).subsets, reference.version2[i].subsets);
    });
  });
});
