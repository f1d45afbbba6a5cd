// Models whose habit is known because the test makes it: one that counts words, one that cannot see length, one between.
import { describe, expect, test } from "vitest";
import { lengthBias } from "../../lib/evaluation/lengthBias";
import { createRandom } from "../../lib/random";

/** Pairs of which `share` have the longer answer chosen; the model's Δ is `habit`·sign(Δlength) + `skill` + noise. */
function simulate({ share = 0.6, habit = 0, skill = 1, pairs = 600, seed = 1 }) {
  const random = createRandom(seed);
  const lengths = Float64Array.from(
    { length: pairs },
    () => (random.next() < share ? 1 : -1) * (1 + random.integer(200)),
  );
  const deltas = lengths.map((length) => habit * Math.sign(length) + skill + random.normal());
  return lengthBias(deltas, lengths);
}

describe("lengthBias", () => {
  test("says so when the model counts words", () => {
    const bias = simulate({ habit: 3, skill: 0.2 });
    expect(bias.verdict).toBe("mostly-length");
    expect(bias.sentence).toMatch(
      /^The model is mostly counting words: it prefers the longer answer in (9\d|100)% of pairs/,
    );
    expect(bias.spearman_symmetric!).toBeGreaterThan(0.5);
  });

  test("says so when it counts them the other way", () => {
    const bias = simulate({ habit: -3, skill: 0.2 });
    expect(bias.verdict).toBe("mostly-length");
    expect(bias.sentence).toMatch(
      /it prefers the shorter answer in (9\d|100)% of pairs and is right in only \d+% .* is longer\.$/,
    );
  });

  // Fails if agreement with the longer answer alone were the test: right labels that favour length give that too.
  test("does not blame a good model for data in which the longer answer is mostly better", () => {
    const bias = simulate({ share: 0.85, skill: 2 });
    expect(bias.prefers_longer!).toBeGreaterThan(0.8);
    expect(bias.verdict).toBe("no-sign");
    expect(bias.sentence).toMatch(/^No sign of counting words/);
  });

  test("tells the middle from both", () => {
    expect(simulate({ habit: 0.8, skill: 1 }).verdict).toBe("partly-length");
    expect(simulate({ pairs: 12 }).verdict).toBe("too-few-pairs");
    expect(simulate({ share: 1 }).verdict).toBe("too-few-pairs");
  });

  // By hand: lengths +, +, −, 0; the model is right on the first and ties the third.
  test("counts by hand", () => {
    expect(lengthBias(Float64Array.of(1, -1, 0, 2), Float64Array.of(5, 9, -3, 0))).toMatchObject({
      accuracy_chosen_longer: 0.5,
      accuracy_chosen_shorter: 0.5,
      length_only_accuracy: 2.5 / 4,
      prefers_longer: 1.5 / 3,
      n_chosen_longer: 2,
      n_chosen_shorter: 1,
    });
    expect(lengthBias(new Float64Array(0), new Float64Array(0))).toMatchObject({
      accuracy_chosen_longer: null,
      accuracy_chosen_shorter: null,
      spearman_delta_length: null,
      prefers_longer: null,
      length_only_accuracy: 0,
    });
  });
});
