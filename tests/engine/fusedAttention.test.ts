// Fused attention against the same mathematics in eager tfjs ops.
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import { fusedAttention, fusedSelfAttention, kernelInstructions, type FusedAttention } from "../../lib/engine/fusedOps";
import { createRandom } from "../../lib/random";
import { normal, relative } from "./programs";

beforeAll(() => initBackend());

interface Case {
  readonly B: number;
  readonly T: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly D: number;
  readonly causal: boolean;
  /** Number of the text of each token of a row, 0 for padding. */
  readonly textOf: (t: number, b: number) => number;
  /** Number of the text that the token's text goes on from, 0 for none. */
  readonly beforeOf?: (t: number, b: number) => number;
}

const CASES: Record<string, Case> = {
  "one text a row": { B: 3, T: 40, heads: 4, keyValueHeads: 4, D: 32, causal: false, textOf: () => 1 },
  "padding left and right, an empty row": {
    B: 3,
    T: 37,
    heads: 2,
    keyValueHeads: 2,
    D: 20,
    causal: false,
    textOf: (t, b) => (b === 2 || t < b * 9 || t > 30 ? 0 : 1),
  },
  "texts that share a row, one of one token": {
    B: 2,
    T: 90,
    heads: 3,
    keyValueHeads: 3,
    D: 24,
    causal: false,
    textOf: (t) => (t > 80 ? 0 : t < 33 ? 1 : t === 33 ? 2 : 3),
  },
  "causal, grouped queries, longer than a block": {
    B: 2,
    T: 150,
    heads: 6,
    keyValueHeads: 2,
    D: 64,
    causal: true,
    textOf: (t) => (t < 139 ? 1 : 2),
  },
  "causal with holes": {
    B: 1,
    T: 70,
    heads: 4,
    keyValueHeads: 2,
    D: 80,
    causal: true,
    textOf: (t) => (t % 7 === 3 ? 0 : 1 + (t % 2)),
  },
  "three texts go on from a common beginning, one from none": {
    B: 2,
    T: 330,
    heads: 4,
    keyValueHeads: 2,
    D: 24,
    causal: true,
    textOf: (t, b) => (t < 5 + b ? 0 : t < 145 ? 9 : t < 215 ? 1 : t === 215 ? 2 : t < 280 ? 3 : t < 300 ? 0 : 4),
    beforeOf: (t) => (t >= 145 && t < 280 ? 9 : 0),
  },
  "two beginnings in a row, the second in the middle of a tile": {
    B: 3,
    T: 100,
    heads: 4,
    keyValueHeads: 4,
    D: 36,
    causal: true,
    textOf: (t) => (t < 3 ? 5 : t < 20 ? 1 : t < 23 ? 2 : t < 60 ? 6 : t < 80 ? 3 : 4),
    beforeOf: (t) => (t < 3 ? 0 : t < 23 ? 5 : t < 60 ? 0 : 6),
  },
  "longer than all blocks": { B: 1, T: 300, heads: 4, keyValueHeads: 2, D: 4, causal: false, textOf: () => 5 },
};

function inputsOf({ B, T, heads, keyValueHeads, D, textOf, beforeOf }: Case) {
  const random = createRandom(T);
  const normal = (rows: number, columns: number) =>
    tf.tensor2d(
      Float32Array.from({ length: rows * columns }, () => random.normal()),
      [rows, columns],
    );
  const numbers = (numberOf: Case["textOf"]) =>
    tf.tensor2d(
      Float32Array.from({ length: B * T }, (_, i) => numberOf(i % T, Math.floor(i / T))),
      [B, T],
    );
  return {
    query: normal(B * T, heads * D),
    key: normal(B * T, keyValueHeads * D),
    value: normal(B * T, keyValueHeads * D),
    gradient: normal(B * T, heads * D),
    texts: beforeOf ? tf.stack([numbers(textOf), numbers(beforeOf)], 1) : numbers(textOf),
  };
}

/** softmax(q·kᵀ/√D + bias)·v on the tokens of a text, 0 elsewhere. */
function attendEagerly(
  { B, T, heads, keyValueHeads, D, causal }: Case,
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  ids: tf.Tensor,
): tf.Tensor {
  const [texts, before] = ids.rank === 3 ? tf.unstack(ids, 1) : [ids, tf.zerosLike(ids)];
  const split = (x: tf.Tensor, A: number) => tf.transpose(tf.reshape(x, [B, T, A, D]), [0, 2, 1, 3]);
  const shared = (x: tf.Tensor) =>
    tf.concat(
      tf.split(split(x, keyValueHeads), keyValueHeads, 1).flatMap((head) => Array(heads / keyValueHeads).fill(head)),
      1,
    );
  const at = tf.range(0, T);
  const later = tf.greater(tf.reshape(at, [1, T]), tf.reshape(at, [T, 1]));
  const differs = (numbers: tf.Tensor) =>
    tf.notEqual(tf.reshape(numbers, [B, 1, T, 1]), tf.reshape(texts, [B, 1, 1, T]));
  const other = tf.logicalAnd(
    differs(texts),
    differs(tf.where(tf.equal(before, 0), tf.onesLike(before).neg(), before)),
  );
  const hidden = tf.cast(causal ? tf.logicalOr(other, later) : other, "float32");
  const scores = tf.add(
    tf.div(tf.matMul(split(query, heads), shared(key), false, true), Math.sqrt(D)),
    tf.mul(hidden, -1e9),
  );
  const mixed = tf.reshape(tf.transpose(tf.matMul(tf.softmax(scores), shared(value)), [0, 2, 1, 3]), [
    B * T,
    heads * D,
  ]);
  return tf.mul(mixed, tf.cast(tf.greater(tf.reshape(texts, [B * T, 1]), 0), "float32"));
}

type Attend = (texts: tf.Tensor2D, ...operands: tf.Tensor[]) => tf.Tensor;

/** Relative distance from eager: the values, then the gradients of the operands. */
function distances(
  texts: tf.Tensor,
  gradient: tf.Tensor,
  operands: tf.Tensor[],
  [attend, eagerly]: readonly [Attend, Attend],
  precision: "f32" | "bf16",
): number[] {
  const withGradients =
    (one: Attend) =>
    (...[texts, dy, ...x]: tf.Tensor[]) => {
      const bound = (...x: tf.Tensor[]) => one(texts as tf.Tensor2D, ...x);
      return [bound(...x), ...tf.grads(bound)(x, dy)];
    };
  const fused = compile(withGradients(attend), { precision, xla: false, name: "fused" });
  const made = fused(texts, gradient, ...operands);
  fused.dispose();
  const wanted = withGradients(eagerly)(texts, gradient, ...operands);
  return made.map((x, i) => relative(x, wanted[i]));
}

/** Queries, keys and values in three tensors. */
function apart(one: Case, precision: "f32" | "bf16"): number[] {
  return tf.tidy(() => {
    const { query, key, value, gradient, texts } = inputsOf(one);
    const { heads, keyValueHeads, causal } = one;
    const fused: Attend = (segmentIds, ...[query, key, value]) =>
      fusedAttention({ query, key, value, segmentIds, heads, keyValueHeads, causal } as FusedAttention)!;
    const eager: Attend = (texts, ...[query, key, value]) => attendEagerly(one, query, key, value, texts);
    return distances(texts, gradient, [query, key, value], [fused, eager], precision);
  });
}

/** The same side by side in one product to which a bias is added. */
function together(one: Case, precision: "f32" | "bf16"): number[] {
  return tf.tidy(() => {
    const { query, key, value, gradient, texts } = inputsOf(one);
    const { heads, keyValueHeads, causal } = one;
    const product = tf.concat([query, key, value], 1);
    const fused: Attend = (segmentIds, ...[product, bias]) =>
      fusedSelfAttention({ product: product as tf.Tensor2D, bias, segmentIds, heads, keyValueHeads, causal })!;
    const eager: Attend = (texts, product, bias) => {
      const [q, k, v] = tf.split(
        tf.add(product, bias),
        [query, key, value].map((x) => x.shape[1]!),
        1,
      );
      return attendEagerly(one, q, k, v, texts);
    };
    return distances(texts, gradient, [product, normal(7, [product.shape[1]!])], [fused, eager], precision);
  });
}

describe(`fused attention`, () => {
  test("is there: set-up compiles it where there is a C++ compiler", () => {
    expect(kernelInstructions()).not.toBeNull();
  });

  const WAYS = Object.entries(CASES).flatMap(
    ([name, one]) =>
      [
        [name, "apart", apart, one],
        [name, "together", together, one],
      ] as const,
  );

  test.each(WAYS)("%s, %s: values and gradients equal eager ones to 1e-5 in f32", (_, __, way, one) => {
    for (const distance of way(one, "f32")) expect(distance).toBeLessThan(1e-5);
  });

  test.each(WAYS)("%s, %s: bf16 differs by less than 1%%", (_, __, way, one) => {
    for (const distance of way(one, "bf16")) {
      expect(distance).toBeGreaterThan(1e-5); // it is bf16
      expect(distance).toBeLessThan(0.01);
    }
  });

  test("gives exactly 0 on padding, forward and backward", () => {
    const one = CASES["padding left and right, an empty row"];
    const { query, key, value, gradient, texts } = inputsOf(one);
    const { heads, keyValueHeads, causal } = one;
    const run = compile((q, k, v, t, dy) => {
      const attend = (...x: tf.Tensor[]) =>
        fusedAttention({
          query: x[0],
          key: x[1],
          value: x[2],
          segmentIds: t,
          heads,
          keyValueHeads,
          causal,
        } as FusedAttention)!;
      return [attend(q, k, v), ...tf.grads(attend)([q, k, v], dy)];
    });
    const numbers = texts.dataSync();
    for (const result of run(query, key, value, texts, gradient)) {
      const rows = result.arraySync() as number[][];
      rows.forEach((row, i) => expect(row.every((x) => x === 0)).toBe(numbers[i] === 0));
    }
  });

  test("operands that do not fit are named", () => {
    const run = compile((q, t) =>
      fusedAttention({
        query: q as tf.Tensor2D,
        key: q as tf.Tensor2D,
        value: q as tf.Tensor2D,
        segmentIds: t as tf.Tensor2D,
        heads: 2,
        keyValueHeads: 1,
        causal: false,
      })!,
    );
    expect(() => run(tf.ones([6, 8]), tf.ones([2, 3]))).toThrow(
      /attention: expected query \[batch\*length, heads\*size\]/,
    );
    const joined = compile((product, bias, texts) =>
      fusedSelfAttention({
        product: product as tf.Tensor2D,
        bias,
        segmentIds: texts as tf.Tensor2D,
        heads: 2,
        keyValueHeads: 1,
        causal: false,
      })!,
    );
    expect(() => joined(tf.ones([6, 8]), tf.ones([6]), tf.ones([2, 3]))).toThrow(
      /self-attention: expected product .*bias as wide/,
    );
  });

  test("outside a graph there is none: eager code stays the reference", () => {
    const x = tf.ones([6, 8]) as tf.Tensor2D;
    expect(
      fusedAttention({
        query: x,
        key: x,
        value: x,
        segmentIds: tf.ones([2, 3]),
        heads: 2,
        keyValueHeads: 2,
        causal: false,
      }),
    ).toBeNull();
  });
});
