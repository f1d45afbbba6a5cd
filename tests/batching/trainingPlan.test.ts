import { describe, expect, test } from "vitest";
import { createRandom } from "../../lib/random";
import type { PairTexts } from "../../lib/batching/packing";
import { createTrainingPlan, type TrainingPlanOptions } from "../../lib/batching/trainingPlan";

const base: TrainingPlanOptions = {
  batchSize: 8,
  gradientAccumulation: 1,
  tokensPerBatch: 2048,
  seed: 1,
  epochs: 2,
  linkedPairs: 4,
};

/** Texts by name: equal names are equal texts. */
function textsOf(names: readonly string[], lengthOf: (name: string) => number): PairTexts {
  const first = new Map<string, number>();
  names.forEach((name, i) => first.has(name) || first.set(name, i));
  return { size: names.length, length: (text) => lengthOf(names[text]), same: (text) => first.get(names[text])! };
}

const random = createRandom(5);
/** 60 prompts, each with 5 answers and pairs of them: 301 pairs over few texts of mixed length. */
const names = Array.from({ length: 301 }, (_, i) => {
  const [a, b] = random.shuffle([0, 1, 2, 3, 4]);
  return [`${i % 60}/${a}`, `${i % 60}/${b}`];
}).flat();
const lengths = new Map(names.map((name) => [name, Math.min(512, 20 + Math.floor(60 * Math.exp(random.normal())))]));
const texts = textsOf(names, (name) => lengths.get(name)!);

describe.each([
  ["short rows", false],
  ["long rows", true],
])("createTrainingPlan, %s", (_, longRows) => {
  const options = { ...base, longRows };
  const plan = createTrainingPlan(texts, options);
  const updates = plan.epoch(1);
  const batches = updates.flatMap((update) => update.batches);

  test("every pair once, in steps of the batch size", () => {
    expect(batches.flatMap(({ pairs }) => pairs).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 301 }, (_, i) => i),
    );
    expect(updates.length).toBe(Math.ceil(301 / 8));
    expect(plan.updatesPerEpoch).toBe(updates.length);
    expect(updates.map((update) => update.pairs).filter((pairs) => pairs !== 8)).toEqual([5]);
  });

  test("a batch holds each text of its pairs once, and each row fits", () => {
    for (const { pairs, rowTexts, shape } of batches) {
      const wanted = new Set(pairs.flatMap((pair) => [texts.same(2 * pair), texts.same(2 * pair + 1)]));
      expect(rowTexts.flat().sort((a, b) => a - b)).toEqual([...wanted].sort((a, b) => a - b));
      for (const line of rowTexts) {
        expect(line.reduce((sum, text) => sum + texts.length(text), 0)).toBeLessThanOrEqual(shape.width);
        expect(line.length).toBeLessThanOrEqual(shape.slots);
      }
      expect(rowTexts.length).toBeLessThanOrEqual(shape.height);
      expect(pairs.length).toBeLessThanOrEqual(shape.pairs);
      expect(shape.height * shape.width <= 2048 || pairs.length === 1).toBe(true);
    }
  });

  test("few shapes, and the work of each is what its runs hold over all epochs", () => {
    expect(plan.shapes.length).toBeLessThanOrEqual(8);
    const sums = new Map(plan.shapes.map((shape) => [shape, 0]));
    for (const { shape } of [1, 2].flatMap((epoch) => plan.epoch(epoch)).flatMap((update) => update.batches)) {
      sums.set(shape, sums.get(shape)! + shape.height * shape.width);
    }
    expect(plan.work).toEqual(sums);
  });

  test("a function of seed and epoch alone, and another order each epoch", () => {
    expect(createTrainingPlan(texts, options).epoch(1)).toEqual(updates);
    expect(plan.epoch(2)).not.toEqual(updates);
    expect(createTrainingPlan(texts, { ...options, seed: 2 }).epoch(1)).not.toEqual(updates);
  });

  test("accumulation joins batches of one step", () => {
    const joined = createTrainingPlan(texts, { ...options, gradientAccumulation: 4 }).epoch(1);
    expect(joined.map(({ pairs }) => pairs)).toEqual([...Array(9).fill(32), 13]);
  });

  test("linked pairs read fewer tokens than a random order, and no more than so many pairs hang together", () => {
    const tokens = (linkedPairs: number) =>
      createTrainingPlan(texts, { ...options, linkedPairs })
        .epoch(1)
        .flatMap(({ batches }) => batches.flatMap(({ rowTexts }) => rowTexts.flat()))
        .reduce((sum, text) => sum + texts.length(text), 0);
    expect(tokens(4)).toBeLessThan(0.8 * tokens(1));
    expect(tokens(8)).toBeLessThan(tokens(4));
  });

  // Six pairs over four answers: one prompt's ranking. Read apart 12 texts, together 4.
  test("all pairs of a ranking read each answer once", () => {
    const ranking = textsOf(["a", "b", "a", "c", "a", "d", "b", "c", "b", "d", "c", "d"], () => 10);
    const { rowTexts } = createTrainingPlan(ranking, { ...options, linkedPairs: 6 }).epoch(1)[0].batches[0];
    expect(rowTexts.flat().length).toBe(4);
  });
});

const options = base;

describe("createTrainingPlan", () => {
  // A batch of two must not become one prompt's; sixteen pairs still come from four places or more.
  test.each([
    [2, 1],
    [8, 2],
    [16, 4],
    [64, 4],
  ])("updates of %i pairs link %i by default", (batchSize, linkedPairs) => {
    const { linkedPairs: _, ...rest } = { ...options, batchSize };
    expect(createTrainingPlan(texts, rest).epoch(1)).toEqual(
      createTrainingPlan(texts, { ...rest, linkedPairs }).epoch(1),
    );
  });

  test("linked groups change from epoch to epoch and are no larger than asked for", () => {
    // one prompt, a baseline answer that 40 others are compared with: everything is linked with everything
    const star = textsOf(Array.from({ length: 40 }, (_, i) => ["base", `answer ${i}`]).flat(), () => 30);
    const spread = createTrainingPlan(star, { ...options, batchSize: 4, linkedPairs: 4 });
    for (const { batches } of spread.epoch(1))
      for (const { rowTexts } of batches) expect(rowTexts.flat().length).toBe(5);
    expect(spread.epoch(1).map(({ batches }) => batches[0].pairs)).not.toEqual(
      spread.epoch(2).map(({ batches }) => batches[0].pairs),
    );
  });

  test("linked pairs are spread over the whole epoch", () => {
    // 100 pairs of one common answer, 100 pairs on their own
    const half = textsOf(
      Array.from({ length: 200 }, (_, i) => [i < 100 ? "common" : `a ${i}`, `b ${i}`]).flat(),
      () => 30,
    );
    const ranks = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) => {
      const order = createTrainingPlan(half, { ...options, seed, epochs: 1 })
        .epoch(1)
        .flatMap(({ batches }) => batches.flatMap(({ pairs }) => pairs));
      return order.flatMap((pair, rank) => (pair < 100 ? [rank] : []));
    });
    const mean = ranks.reduce((a, b) => a + b, 0) / ranks.length;
    expect(mean).toBeGreaterThan(90);
    expect(mean).toBeLessThan(110);
  });

  // 2 % of the pairs need 1,500 tokens, the rest 60: rows as wide as the longest would spend most time in attention.
  test("long texts get rows of their own width", () => {
    const long = textsOf(
      Array.from({ length: 4000 }, (_, i) => `${i}`),
      (name) => (Number(name) % 100 === 0 ? 1500 : 60),
    );
    const { shapes, epoch } = createTrainingPlan(long, { ...options, batchSize: 16, tokensPerBatch: 8192, epochs: 1 });
    expect(new Set(shapes.map(({ width }) => width)).size).toBeGreaterThan(1);
    const narrow = epoch(1)
      .flatMap(({ batches }) => batches)
      .filter(({ shape }) => shape.width < 1500);
    expect(narrow.length).toBeGreaterThan(100);
  });

  test("short texts share rows: little is padding", () => {
    const short = textsOf(
      Array.from({ length: 20_000 }, (_, i) => `${i}`),
      (name) => 20 + (Number(name) % 40),
    );
    const { work } = createTrainingPlan(short, { ...options, batchSize: 16, tokensPerBatch: 8192, epochs: 1 });
    const padded = [...work.values()].reduce((a, b) => a + b, 0);
    const real = Array.from({ length: 20_000 }, (_, i) => short.length(i)).reduce((a, b) => a + b, 0);
    expect(real / padded).toBeGreaterThan(0.85);
  });

  test("long rows are evenly filled: half the padding of short ones, or less", () => {
    const draw = createRandom(9);
    const drawn = Array.from({ length: 8000 }, () =>
      Math.min(512, 20 + Math.floor(250 * Math.exp(0.6 * draw.normal()))),
    );
    const many = textsOf(
      drawn.map((_, i) => `${i}`),
      (name) => drawn[Number(name)],
    );
    const real = drawn.reduce((a, b) => a + b, 0);
    const padding = (longRows: boolean) => {
      const { work } = createTrainingPlan(many, {
        ...options,
        batchSize: 16,
        tokensPerBatch: 8192,
        epochs: 1,
        longRows,
      });
      return [...work.values()].reduce((a, b) => a + b, 0) / real - 1;
    };
    expect(padding(true)).toBeLessThan(padding(false) / 2);
  });

  test("long rows: the longest text alone, and more rows than texts", () => {
    const uneven = textsOf(["a", "b", "c", "d"], (name) => (name === "a" ? 3000 : 10));
    const { shapes, epoch } = createTrainingPlan(uneven, { ...options, batchSize: 2, longRows: true });
    for (const { rowTexts, shape, pairs } of epoch(1).flatMap(({ batches }) => batches)) {
      expect(rowTexts.length).toBe(shape.height);
      for (const line of rowTexts)
        expect(line.reduce((sum, text) => sum + uneven.length(text), 0)).toBeLessThanOrEqual(shape.width);
      expect(pairs.length).toBeGreaterThan(0);
    }
    expect(Math.max(...shapes.map(({ width }) => width))).toBeGreaterThanOrEqual(3000);
  });

  test("one pair, one token", () => {
    const { shapes, epoch } = createTrainingPlan(
      textsOf(["a", "b"], () => 1),
      options,
    );
    expect(shapes).toEqual([{ height: 1, width: 32, slots: 2, pairs: 1 }]);
    expect(epoch(1)).toEqual([{ pairs: 1, batches: [{ pairs: [0], rowTexts: [[0, 1]], shape: shapes[0] }] }]);
  });
});
