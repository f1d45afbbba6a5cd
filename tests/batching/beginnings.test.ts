// Texts that begin alike: what the store finds, how rows are laid out (literal arrays), and that training and scoring give what rows without sharing give.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { unitsOf } from "../../lib/batching/beginnings";
import { layOutLines, type PairDataset } from "../../lib/batching/pairArrays";
import { planScoringRuns } from "../../lib/batching/packing";
import { TokenStore } from "../../lib/batching/tokenStore";
import { createTrainingPlan, type BatchShape } from "../../lib/batching/trainingPlan";
import { loadRewardModel } from "../../lib/checkpoints/checkpoint";
import { resolveConfig } from "../../lib/config";
import { initBackend } from "../../lib/engine/backend";
import { isDecoder, parseModelConfig } from "../../lib/models/config";
import { scoreInputs } from "../../lib/models/rewardModel";
import { createRandom } from "../../lib/random";
import { compileForTexts } from "../../lib/scoring/textRuns";
import { planUpdates } from "../../lib/training/prepare";
import { createTrainingStep } from "../../lib/training/step";
import { makeModelDirectory } from "../checkpoints/modelDirectory";
import { readGolden, relativeDistance } from "../models/golden";

const root = mkdtempSync(join(tmpdir(), "beginnings-"));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(async () => void (await initBackend()));

const store = (texts: readonly (readonly [ids: number[], family?: string])[]): TokenStore => {
  const tokens = new TokenStore();
  for (const [ids, family] of texts) tokens.push(Uint32Array.from(ids), family);
  return tokens;
};

describe("what texts have in common", () => {
  test("the store keeps what all different texts of a family begin with, and a token of each for itself", () => {
    const tokens = store([
      [[1, 2, 3, 4], "a"],
      [[1, 2, 3, 9, 9], "a"],
      [[5, 6], "b"],
      [[5, 6, 7], "b"],
      [[1, 2, 3, 4], "a"],
      [[1, 2, 8], "a"],
      [[7, 7], "c"],
      [[7, 7]],
    ]);
    // Equal texts are one, and the first of them says to which family they belong.
    expect(Array.from({ length: 8 }, (_, i) => tokens.family(i))).toEqual([0, 0, 1, 1, 0, 0, 2, 2]);
    expect(Array.from({ length: 8 }, (_, i) => tokens.shared(i))).toEqual([2, 2, 1, 1, 2, 2, 0, 0]);
    tokens.close();
  });

  const family = (text: number) => (text < 3 ? 0 : -1);
  test("units count a beginning once, and hold no more than they may", () => {
    const beginnings = { family, shared: (text: number) => (text < 3 ? 10 : 0) };
    const lengths = [15, 14, 12, 30];
    const lengthOf = (text: number) => lengths[text];
    expect(unitsOf([3, 0, 1, 2], lengthOf, { beginnings })).toEqual([
      { texts: [3], tokens: 30 },
      { texts: [0, 1, 2], tokens: 21 },
    ]);
    expect(unitsOf([3, 0, 1, 2], lengthOf, { beginnings, most: 19 }).map(({ texts }) => texts)).toEqual([
      [3],
      [0, 1],
      [2],
    ]);
    expect(unitsOf([3, 0], lengthOf)).toHaveLength(2);
    const few = { family, shared: () => 3 };
    expect(unitsOf([3, 0, 1], lengthOf, { beginnings: few })).toHaveLength(3);
  });

  test("a beginning stands before its texts, and positions go on from it", () => {
    const prompt = [11, 12, 13, 14, 15, 16, 17, 18];
    const tokens = store([[[...prompt, 21, 22], "a"], [[...prompt, 31], "a"], [[41]]]);
    const options = { rows: 1, width: 14, padId: 9, slots: 3, beginnings: tokens };
    const { ids, segmentIds, sharing, tokens: count } = layOutLines(tokens, [[0, 1, 2]], options);
    expect([...ids]).toEqual([...prompt, 21, 22, 31, 41, 9, 9]);
    expect([...segmentIds]).toEqual([4, 4, 4, 4, 4, 4, 4, 4, 1, 1, 2, 3, 0, 0]);
    expect([...sharing!.before]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 4, 4, 4, 0, 0, 0]);
    expect([...sharing!.positions]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 8, 0, 0, 0]);
    expect(count).toBe(12);
    // By itself a text of the family stands whole.
    expect([...layOutLines(tokens, [[1, 2]], options).segmentIds].slice(0, 11)).toEqual([
      1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 0,
    ]);
    tokens.close();
  });

  test("scoring's rows take fewer tokens, and every text once", () => {
    const lengths = Array.from({ length: 64 }, () => 100);
    const beginnings = { family: (text: number) => text >> 3, shared: () => 80 };
    const options = { tokensPerBatch: 8192, longRows: true };
    const runs = planScoringRuns(lengths, { ...options, beginnings });
    expect(runs.flatMap(({ rowTexts }) => rowTexts.flat()).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    const padded = (some: typeof runs) => some.reduce((sum, { shape }) => sum + shape.height * shape.width, 0);
    expect(padded(runs)).toBeLessThan(padded(planScoringRuns(lengths, options)) / 2);
  });
});

const random = createRandom(4);
const words = (n: number) => Array.from({ length: n }, () => 5 + random.integer(14));
/** Pairs of conversation-like texts: prompts of ten tokens, answers of one to five; each prompt has two pairs that share an answer. */
function dataset(): PairDataset {
  const tokens = new TokenStore();
  for (let prompt = 0; prompt < 4; prompt++) {
    const [start, shared] = [words(10), words(3)];
    for (let pair = 0; pair < 2; pair++)
      for (const answer of [shared, words(1 + random.integer(4))])
        tokens.push(Uint32Array.from([...start, ...answer]), `q${prompt}`);
  }
  const size = tokens.size / 2;
  const truncation = { pairs: 0, texts: 0, tokens_cut: 0, tokens: 0 };
  const [weights, margins] = [new Float32Array(size).fill(1), new Float32Array(size)];
  return { size, tokens, weights, margins, truncation, cuts: new Map() };
}

test("training shares beginnings where that is exact: in a decoder without dropout", () => {
  const data = dataset();
  const decoder = parseModelConfig(readGolden("llama").config, "llama");
  const encoder = parseModelConfig(readGolden("bert").config, "bert");
  const shares = (model: typeof decoder, fields: object = {}) =>
    planUpdates(data, resolveConfig({ max_length: 16, ...fields }), model).shapes.some((shape) => shape.shares);
  expect([shares(decoder), shares(encoder)]).toEqual([true, false]);
  expect([shares(decoder, { dropout: true }), shares(decoder, { lora_dropout: 0.1 })]).toEqual([false, false]);
  data.tokens.close();
});

describe.each(["llama", "qwen2", "qwen3", "mistral"])("%s", (family) => {
  const load = async () => {
    const dir = join(root, family);
    await makeModelDirectory(dir, family);
    return loadRewardModel(dir, { settings: { template: "{prompt} {response}", max_length: 16 } });
  };

  test("a step that shares beginnings: losses, rewards and gradients of one that does not", async () => {
    const { model, tokenizer } = await load();
    expect(isDecoder(model.config)).toBe(true);
    const data = dataset();
    const planned = { batchSize: 8, gradientAccumulation: 1, tokensPerBatch: 256, seed: 1, epochs: 1, longRows: true };
    const config = resolveConfig({ max_length: 16, precision: "f32", label_smoothing: 0.1 });
    const outcomes = [undefined, data.tokens].map((beginnings) => {
      const plan = createTrainingPlan(data.tokens, { ...planned, beginnings });
      const step = createTrainingStep({
        ...{ model, trainable: [...model.parameters.keys()], dataset: data, config, precision: "f32" },
        ...{ padId: tokenizer.padId, fused: new Set<BatchShape>() },
      });
      const [update] = plan.epoch(1);
      const { gradients, ...seen } = step.differentiate(update, 1);
      const numbers = gradients.flatMap((gradient) => [...gradient.dataSync()]);
      step.discard(gradients);
      step.dispose();
      const order = update.batches.flatMap(({ pairs }) => pairs);
      const of = (values: Float32Array) =>
        order
          .map((pair, i) => [pair, values[i]])
          .sort(([a], [b]) => a - b)
          .map(([, x]) => x);
      return { numbers, tokens: seen.tokens, rewards: [...of(seen.chosen), ...of(seen.rejected), seen.loss] };
    });
    const [apart, shared] = outcomes;
    expect(shared.tokens).toBeLessThan(0.6 * apart.tokens);
    shared.rewards.forEach((value, i) => expect(value).toBeCloseTo(apart.rewards[i], 5));
    expect(relativeDistance(shared.numbers, apart.numbers)).toBeLessThan(1e-5);
    data.tokens.close();
    model.dispose();
  });

  test("rewards that share beginnings are those of rows that do not", async () => {
    const { model, tokenizer } = await load();
    const { tokens } = dataset();
    const texts = Array.from({ length: tokens.size }, (_, i) => i).filter((i) => tokens.same(i) === i);
    const plain = { length: (i: number) => tokens.length(i), ids: (i: number) => tokens.ids(i) };
    const [shared, apart] = [tokens, plain].map((rows) => {
      const runs = compileForTexts(model, scoreInputs, { padId: tokenizer.padId, name: "test" });
      const rewards = new Map<number, number>();
      for (const _done of runs.run(rows, texts, (text, [reward]) => rewards.set(text, reward)));
      runs.dispose();
      return texts.map((text) => rewards.get(text)!);
    });
    shared.forEach((reward, i) => expect(reward).toBeCloseTo(apart[i], 5));
    expect(new Set(shared.map((reward) => reward.toFixed(4))).size).toBeGreaterThan(10);
    tokens.close();
    model.dispose();
  });
});
