// Do 95% intervals cover the truth 95 times in a hundred? Source: the truth, which the simulation sets.
import { describe, expect, test } from "vitest";
import { clusteredShare, pairedBootstrap, wilsonInterval } from "../../lib/statistics";
import { createRandom, type Random } from "../../lib/random";

const DRAWS = 2000;
// Of 2,000 draws at 95% a count has a standard deviation of 0.5 points: the band is three of them on either side.
const inBand = (covered: number) => {
  expect(covered / DRAWS).toBeGreaterThanOrEqual(0.935);
  expect(covered / DRAWS).toBeLessThanOrEqual(0.965);
};

/** Outcomes of prompts of different difficulty with one to five pairs each; the mean outcome is `rate`. */
function clusteredOutcomes(random: Random, prompts: number, rate: number) {
  const outcomes: number[] = [];
  const clusters: string[] = [];
  for (let q = 0; q < prompts; q++) {
    const own = rate + (random.next() - 0.5) * 0.4;
    for (let k = 1 + random.integer(5); k > 0; k--) {
      outcomes.push(random.next() < own ? 1 : 0);
      clusters.push(`q${q}`);
    }
  }
  return { outcomes, clusters };
}

describe("95% intervals over 2,000 draws", () => {
  test("Wilson, over shares drawn evenly", () => {
    const random = createRandom(1);
    let covered = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      const rate = random.next();
      let successes = 0;
      for (let i = 0; i < 60; i++) if (random.next() < rate) successes++;
      const { low, high } = wilsonInterval(successes, 60);
      if (low <= rate && rate <= high) covered++;
    }
    inBand(covered);
  });

  test.each([
    [0.8, 60],
    [0.6, 150],
  ])("clustered by prompt: accuracy %f, %i prompts", (rate, prompts) => {
    const random = createRandom(2);
    let covered = 0;
    let naive = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      const { outcomes, clusters } = clusteredOutcomes(random, prompts, rate);
      const { low, high } = clusteredShare(outcomes, clusters);
      if (low <= rate && rate <= high) covered++;
      const plain = wilsonInterval(
        outcomes.reduce((a, b) => a + b, 0),
        outcomes.length,
      );
      if (plain.low <= rate && rate <= plain.high) naive++;
    }
    inBand(covered);
    // The reason to cluster: pairs of one prompt are not independent.
    expect(naive).toBeLessThan(covered);
  });

  test.each([40, 120])("paired bootstrap by prompt, %i prompts", (prompts) => {
    const random = createRandom(3);
    const truth = 0.1;
    let covered = 0;
    for (let draw = 0; draw < DRAWS; draw++) {
      const differences: number[] = [];
      const clusters: string[] = [];
      for (let q = 0; q < prompts; q++) {
        const own = truth + 0.3 * random.normal();
        for (let k = 1 + random.integer(3); k > 0; k--) {
          differences.push(own + 0.5 * random.normal());
          clusters.push(`q${q}`);
        }
      }
      const { low, high } = pairedBootstrap(differences, clusters, { resamples: 800, seed: draw });
      if (low <= truth && truth <= high) covered++;
    }
    inBand(covered);
  });
});
