// Texts that begin alike, with their beginning once: the same scores and gradients as rows of one text, for every decoder and head.
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import { isDecoder, parseModelConfig, type HeadKind } from "../../lib/models/config";
import { createRewardModel } from "../../lib/models/createModel";
import { poolInputs, scoreInputs, type RewardModel } from "../../lib/models/rewardModel";
import { createRandom } from "../../lib/random";
import { excess, FAMILIES, readGolden, relativeDistance, unpackAll } from "./golden";
import { gradientsOf } from "./gradients";

beforeAll(async () => {
  await initBackend();
});

const random = createRandom(8);
const words = (n: number) => Array.from({ length: n }, () => 3 + random.integer(36));
/** Two families, one of three answers and one of two, and a text by itself; a text of one token beyond its beginning. */
const PROMPTS = [words(9), words(5), words(0)];
const ANSWERS = [[words(4), words(1), words(6)], [words(3), words(7)], [words(8)]];
const texts = PROMPTS.flatMap((prompt, p) => ANSWERS[p].map((answer) => [...prompt, ...answer]));

interface Token {
  readonly id: number;
  readonly text: number;
  readonly before: number;
  readonly position: number;
}
/** Two rows: both families with a hole between, then the text by itself. S = 5 places a row; beginnings are 6 and 7. */
function shared() {
  const S = 5;
  const filler: Token = { id: 0, text: 0, before: 0, position: 0 };
  const family = (p: number, first: number): Token[] => [
    ...PROMPTS[p].map((id, position) => ({ id, text: S + 1 + p, before: 0, position })),
    ...ANSWERS[p].flatMap((answer, k) =>
      answer.map((id, i) => ({ id, text: first + k, before: S + 1 + p, position: PROMPTS[p].length + i })),
    ),
  ];
  const alone = texts[5].map((id, position) => ({ id, text: 1, before: 0, position }));
  const rows = [[...family(0, 1), filler, ...family(1, 4)], alone];
  const T = rows[0].length;
  const column = (pick: (token: Token) => number) =>
    rows.map((row) => Array.from({ length: T }, (_, t) => pick(row[t] ?? filler)));
  return [
    tf.tensor2d(
      column(({ id }) => id),
      undefined,
      "int32",
    ),
    tf.tensor2d(
      column(({ text }) => text),
      undefined,
      "float32",
    ),
    tf.tensor2d(
      column(({ before }) => before),
      undefined,
      "float32",
    ),
    tf.tensor2d(
      column(({ position }) => position),
      undefined,
      "int32",
    ),
    tf.range(1, S + 1),
    tf.tensor1d([0, 1, 2, 3, 4, 5], "int32"),
  ];
}

/** Rows of one text each, padded on the right. */
function apart() {
  const T = Math.max(...texts.map(({ length }) => length));
  const rows = (pick: (id: number) => number) =>
    texts.map((text) => Array.from({ length: T }, (_, t) => (t < text.length ? pick(text[t]) : 0)));
  return {
    ids: tf.tensor2d(
      rows((id) => id),
      undefined,
      "int32",
    ),
    segmentIds: tf.tensor2d(rows(() => 1)),
  };
}

const inputsOf = ([ids, segmentIds, before, positions, segments]: tf.Tensor[]) => ({
  ids: ids as tf.Tensor2D,
  segmentIds: segmentIds as tf.Tensor2D,
  segments: segments as tf.Tensor1D,
  sharing: { before: before as tf.Tensor2D, positions: positions as tf.Tensor2D },
});

const sharedRun =
  (model: RewardModel, options: { recompute?: boolean; fullLastLayer?: boolean } = {}) =>
  (...args: tf.Tensor[]) =>
    gradientsOf(model, () => tf.gather(scoreInputs(model, inputsOf(args), options), args[5] as tf.Tensor1D));

const decoders = FAMILIES.filter((name) => isDecoder(parseModelConfig(readGolden(name).config, name)));

test("all four decoder families are here", () => {
  expect(new Set(decoders.map((name) => parseModelConfig(readGolden(name).config, name).modelType))).toEqual(
    new Set(["llama", "qwen2", "qwen3", "mistral"]),
  );
});

describe.each(decoders)("%s", (name) => {
  const golden = readGolden(name);
  const config = parseModelConfig(golden.config, name);
  test.each(["classification", "value", "mean"] as HeadKind[])("head %s", (head) => {
    const model = createRewardModel(config, unpackAll(golden.tensors), { head, seed: 2 });
    const args = shared();
    const numbers = (list: tf.Tensor[]) => list.map((t) => t.dataSync());
    const expected = numbers(gradientsOf(model, () => scoreInputs(model, apart())));
    const flat = (list: ReturnType<typeof numbers>) => list.slice(1).flatMap((g) => [...g]);
    const close = (got: ReturnType<typeof numbers>) => {
      expect(excess(got[0], expected[0], 1e-5, 1e-5)).toBeLessThanOrEqual(1);
      expect(relativeDistance(flat(got), flat(expected))).toBeLessThan(1e-5);
    };
    for (const options of [{}, { recompute: true }, { fullLastLayer: true }])
      close(numbers(sharedRun(model, options)(...args)));
    for (const options of [{}, { fullLastLayer: true }]) {
      const graph = compile(sharedRun(model, options) as never, { precision: "f32", xla: false });
      close(numbers(graph(...args)));
      graph.dispose();
    }
    const pooled = compile((...all) => poolInputs(model, inputsOf(all)), { precision: "f32", xla: false });
    const own = tf.gather(pooled(...args)[0], args[5] as tf.Tensor1D);
    expect(relativeDistance([...own.dataSync()], [...poolInputs(model, apart()).dataSync()])).toBeLessThan(1e-5);
    pooled.dispose();
    model.dispose();
  });
});
