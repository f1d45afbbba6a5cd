import { describe, expect, test } from "vitest";
import { createRandom } from "../lib/random";

describe("createRandom", () => {
  // xoshiro128** of the authors' reference code from the state 1, 2, 3, 4: 11520, 0, 5927040, 70819200.
  test("equals the reference generator", () => {
    const random = createRandom([1, 2, 3, 4]);
    expect([0, 0, 0, 0].map(() => random.next() * 2 ** 32)).toEqual([11520, 0, 5927040, 70819200]);
  });

  test("goes on from a saved state", () => {
    const random = createRandom(7);
    random.next();
    const copy = createRandom(random.state());
    expect([copy.next(), copy.next()]).toEqual([random.next(), random.next()]);
  });

  // 30,000 draws: the mean of a standard normal has standard error 0.0058, that of its square 0.0082.
  test("normal numbers have mean 0 and variance 1", () => {
    const random = createRandom(3);
    const draws = Array.from({ length: 30_000 }, () => random.normal());
    expect(Math.abs(draws.reduce((a, b) => a + b) / draws.length)).toBeLessThan(0.025);
    expect(Math.abs(draws.reduce((a, b) => a + b * b, 0) / draws.length - 1)).toBeLessThan(0.035);
  });

  test("shuffles without losing anything", () => {
    const items = Array.from({ length: 100 }, (_, i) => i);
    const shuffled = createRandom(1).shuffle(items);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
  });
});
