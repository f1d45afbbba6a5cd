// Texts that share a row: the same scores and gradients as one text a row, for every family and head.

import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import { isDecoder, parseModelConfig, type HeadKind } from "../../lib/models/config";
import { createRewardModel } from "../../lib/models/createModel";
import { scoreInputs, type RewardModel } from "../../lib/models/rewardModel";
import { type Golden, excess, FAMILIES, readGolden, relativeDistance, unpackAll } from "./golden";
import { gradientsOf } from "./gradients";

beforeAll(async () => {
  await initBackend();
});

/** The golden's texts without padding. */
const textsOf = ({ right: { ids, mask } }: Golden): number[][] =>
  ids.map((row, i) => row.filter((_, t) => mask[i][t] === 1));

/** Two rows: all texts but the last, with a hole between the first two; then the last one. And where each text's score is. */
function packed(texts: number[][]) {
  const first: [number, number][] = texts
    .slice(0, -1)
    .flatMap((text, i) => [
      ...text.map((id) => [id, i + 1] as [number, number]),
      ...(i === 0 ? [[0, 0] as [number, number]] : []),
    ]);
  const second = texts.at(-1)!.map((id) => [id, 1] as [number, number]);
  const T = first.length;
  const column = (at: 0 | 1) => [first, second].map((row) => Array.from({ length: T }, (_, t) => row[t]?.[at] ?? 0));
  const S = texts.length - 1;
  return {
    ids: tf.tensor2d(column(0), undefined, "int32"),
    mask: tf.tensor2d(column(1), undefined, "float32"),
    texts: tf.tensor1d(Array.from({ length: S }, (_, s) => s + 1)),
    at: tf.tensor1d([...Array(S).keys(), S], "int32"),
  };
}

/** Rows of one text each, padded on the right. */
function apart(texts: number[][]) {
  const T = Math.max(...texts.map((text) => text.length));
  const fill = (value: (id: number) => number) =>
    texts.map((text) => Array.from({ length: T }, (_, t) => (t < text.length ? value(text[t]) : 0)));
  return {
    ids: tf.tensor2d(
      fill((id) => id),
      undefined,
      "int32",
    ),
    segmentIds: tf.tensor2d(
      fill(() => 1),
      undefined,
      "float32",
    ),
  };
}

type Args = [ids: tf.Tensor, mask: tf.Tensor, texts: tf.Tensor, at: tf.Tensor];

/** Scores of the texts in order, and all gradients of a sum that weighs each text differently. */
const packedRun =
  (model: RewardModel, recompute: boolean) =>
  (...[ids, mask, texts, at]: Args) =>
    gradientsOf(model, () =>
      tf.gather(
        scoreInputs(
          model,
          { ids: ids as tf.Tensor2D, segmentIds: mask as tf.Tensor2D, segments: texts as tf.Tensor1D },
          { recompute },
        ),
        at as tf.Tensor1D,
      ),
    );

describe.each(FAMILIES)("%s", (name) => {
  const golden = readGolden(name);
  const config = parseModelConfig(golden.config, name);
  const heads: HeadKind[] = ["classification", "value", "mean", ...(isDecoder(config) ? [] : (["cls"] as const))];

  test.each(heads)("head %s: scores and gradients of packed rows equal those of rows apart", (head) => {
    const model = createRewardModel(config, unpackAll(golden.tensors), { head, seed: 2 });
    const texts = textsOf(golden);
    const inputs = packed(texts);
    const args: Args = [inputs.ids, inputs.mask, inputs.texts, inputs.at];
    const reference = apart(texts);
    const expected = gradientsOf(model, () => scoreInputs(model, reference)).map((t) => t.dataSync());
    for (const recompute of [false, true]) {
      const eager = packedRun(model, recompute)(...args).map((t) => t.dataSync());
      expect(excess(eager[0], expected[0], 1e-4, 1e-5)).toBeLessThanOrEqual(1);
      expect(
        relativeDistance(
          eager.slice(1).flatMap((g) => [...g]),
          expected.slice(1).flatMap((g) => [...g]),
        ),
      ).toBeLessThan(1e-5);
    }
    const graph = compile(packedRun(model, false) as never, { precision: "f32", xla: false });
    expect(excess(graph(...args)[0].dataSync(), expected[0], 1e-4, 1e-5)).toBeLessThanOrEqual(1);
    graph.dispose();
    model.dispose();
  });
});
