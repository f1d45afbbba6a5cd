// The fused kernels against the same mathematics in eager tfjs ops, for every instruction set that this processor has.
import { execFileSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { createAdamW } from "../../lib/engine/adamw";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import {
  fusedAddNorm,
  fusedAttention,
  fusedGelu,
  fusedSelfAttention,
  kernelInstructions,
  type FusedAttention,
} from "../../lib/engine/fusedOps";
import { projectPath } from "../../lib/files/paths";
import { createRandom } from "../../lib/random";
import { count, record } from "./programs";

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
  "longer than all blocks": { B: 1, T: 300, heads: 4, keyValueHeads: 2, D: 4, causal: false, textOf: () => 5 },
};

const normal = (seed: number, shape: number[], scale = 1) => {
  const random = createRandom(seed);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
    shape,
  );
};

function inputsOf({ B, T, heads, keyValueHeads, D, textOf }: Case) {
  const random = createRandom(T);
  const normal = (rows: number, columns: number) =>
    tf.tensor2d(
      Float32Array.from({ length: rows * columns }, () => random.normal()),
      [rows, columns],
    );
  return {
    query: normal(B * T, heads * D),
    key: normal(B * T, keyValueHeads * D),
    value: normal(B * T, keyValueHeads * D),
    gradient: normal(B * T, heads * D),
    texts: tf.tensor2d(
      Float32Array.from({ length: B * T }, (_, i) => textOf(i % T, Math.floor(i / T))),
      [B, T],
    ),
  };
}

/** softmax(q·kᵀ/√D + bias)·v on the tokens of a text, 0 elsewhere. */
function attendEagerly(
  { B, T, heads, keyValueHeads, D, causal }: Case,
  query: tf.Tensor,
  key: tf.Tensor,
  value: tf.Tensor,
  texts: tf.Tensor,
): tf.Tensor {
  const split = (x: tf.Tensor, A: number) => tf.transpose(tf.reshape(x, [B, T, A, D]), [0, 2, 1, 3]);
  const shared = (x: tf.Tensor) =>
    tf.concat(
      tf.split(split(x, keyValueHeads), keyValueHeads, 1).flatMap((head) => Array(heads / keyValueHeads).fill(head)),
      1,
    );
  const at = tf.range(0, T);
  const later = tf.greater(tf.reshape(at, [1, T]), tf.reshape(at, [T, 1]));
  const other = tf.notEqual(tf.reshape(texts, [B, 1, T, 1]), tf.reshape(texts, [B, 1, 1, T]));
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

const relative = (a: tf.Tensor, b: tf.Tensor): number =>
  tf.tidy(() => tf.div(tf.norm(tf.sub(a, b)), tf.norm(b)).dataSync()[0]);

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

/** Distances of a fused function's values and gradients from those of the same mathematics in eager ops. */
function distancesOf(
  fused: (...x: tf.Tensor[]) => tf.Tensor,
  eager: (...x: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  precision: "f32" | "bf16",
): number[] {
  return tf.tidy(() => {
    const dy = tf.add(tf.sin(tf.mul(inputs[0], 3)), 0.2);
    const withGradients =
      (fn: (...x: tf.Tensor[]) => tf.Tensor) =>
      (...x: tf.Tensor[]) => [fn(...x.slice(0, -1)), ...tf.grads(fn)(x.slice(0, -1), x.at(-1)!)];
    const run = compile(withGradients(fused), { precision, xla: false });
    const made = run(...inputs, dy);
    run.dispose();
    const wanted = withGradients(eager)(...inputs, dy);
    return made.map((x, i) => relative(x, wanted[i]));
  });
}

/** Rows and width: whole vectors and not, few rows and more than a thread takes at a time. */
const SIZES = [
  [150, 96],
  [200, 35],
  [3, 1500],
] as const;

describe.each([
  ["f32", 1e-5],
  ["bf16", 0.01],
] as const)("in %s, values and gradients equal eager ones to %f", (precision, bound) => {
  test.each(SIZES)("normalisation of product + bias + residual, %i×%i", (N, H) => {
    const inputs = [
      normal(1, [N, H]),
      normal(2, [N, H], 2),
      normal(3, [H]),
      tf.add(normal(4, [H], 0.2), 1),
      normal(5, [H]),
    ];
    const eager = (product: tf.Tensor, residual: tf.Tensor, bias: tf.Tensor, weight: tf.Tensor, beta: tf.Tensor) => {
      const x = tf.add(tf.add(product, bias), residual);
      const centred = tf.sub(x, tf.mean(x, -1, true));
      return tf.add(
        tf.mul(tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), -1, true), 1e-5))), weight),
        beta,
      );
    };
    const fused = (...[product, residual, bias, weight, beta]: tf.Tensor[]) =>
      fusedAddNorm({
        product: product as tf.Tensor2D,
        residual: residual as tf.Tensor2D,
        bias,
        weight,
        beta,
        epsilon: 1e-5,
      })!;
    for (const distance of distancesOf(fused, eager as typeof fused, inputs, precision))
      expect(distance).toBeLessThan(bound);
  });

  test.each(SIZES)("gelu of product + bias, %i×%i", (N, I) => {
    const inputs = [normal(1, [N, I], 3), normal(2, [I], 2)];
    const eager = (product: tf.Tensor, bias: tf.Tensor) => {
      const x = tf.add(product, bias);
      return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
    };
    const fused = (product: tf.Tensor, bias: tf.Tensor) => fusedGelu(product as tf.Tensor2D, bias)!;
    for (const distance of distancesOf(fused as never, eager as never, inputs, precision))
      expect(distance).toBeLessThan(bound);
  });
});

test("gelu far out: 0 and x, with slopes 0 and 1", () => {
  const x = tf.tensor2d([[-30, -8, 0, 8, 30]]);
  const run = compile((x, b) => [
    fusedGelu(x as tf.Tensor2D, b)!,
    tf.grad((y: tf.Tensor) => fusedGelu(y as tf.Tensor2D, b)!)(x),
  ]);
  const [y, slope] = run(x, tf.zeros([5])).map((result) => Array.from(result.dataSync()));
  [0, 0, 0, 8, 30].forEach((value, i) => expect(y[i]).toBeCloseTo(value, 5));
  [0, 0, 0.5, 1, 1].forEach((value, i) => expect(slope[i]).toBeCloseTo(value, 5));
});

test("AdamW is one operation a parameter", () => {
  const weights = tf.variable(tf.ones([3, 4]));
  const adamw = createAdamW(new Map([["w", weights]]), {
    weightDecay: 0.1,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    gradClip: 1,
    decays: () => true,
  });
  const program = record(
    (gradient, rate) => adamw.apply([gradient], rate as tf.Scalar),
    tf.ones([3, 4]),
    tf.scalar(1e-3),
  );
  expect(count(program, "RewardbookAdamW")).toBe(1);
  expect(count(program, "Sqrt")).toBeLessThan(3); // none over a parameter
  adamw.dispose();
  weights.dispose();
});

/** Steps with all kernels in a process of its own: numbers that depend on the arithmetic. */
const PROGRAM = `
  const tf = require("@tensorflow/tfjs-core");
  const { initBackend } = require("./dist/lib/engine/backend");
  const { compile } = require("./dist/lib/engine/compile");
  const { createAdamW } = require("./dist/lib/engine/adamw");
  const { fusedAddNorm, fusedAttention, fusedGelu, fusedSelfAttention, kernelInstructions } = require("./dist/lib/engine/fusedOps");
  initBackend().then(() => {
    const [B, T, A, D] = [2, 75, 2, 24];
    const x = tf.tensor2d(Float32Array.from({ length: B * T * A * D }, (_, i) => Math.sin(i * 1.7) * 2), [B * T, A * D]);
    const texts = tf.tensor2d(Array.from({ length: B * T }, (_, i) => (i % T > 70 ? 0 : 1 + Math.floor((i % T) / 40))), [B, T]);
    const w = tf.variable(tf.tensor2d(Float32Array.from({ length: 48 * 48 }, (_, i) => Math.cos(i)), [48, 48]));
    const attend = (q, k, v, t) => fusedAttention({ query: q, key: k, value: v, segmentIds: t, heads: A, keyValueHeads: A, causal: true })
      ?? tf.mul(q, NaN);
    const run = compile((x, t) => {
      const [one, half] = [tf.ones([48]), tf.fill([48], 0.5)];
      const loss = () => {
        const mixed = attend(tf.matMul(x, w), tf.mul(x, 0.5), tf.reverse(x), t);
        const joined = tf.concat([mixed, x, mixed], 1);
        const again = fusedSelfAttention({ product: joined, bias: tf.ones([144]), segmentIds: t, heads: A, keyValueHeads: A, causal: false }) ?? mixed;
        const wide = fusedGelu(tf.matMul(again, w), half) ?? mixed;
        return tf.mean(tf.square(tf.add(fusedAddNorm({ product: wide, residual: x, bias: half, weight: one, beta: half, epsilon: 1e-5 }) ?? wide, 0.1)));
      };
      const { value, grads } = tf.variableGrads(loss, [w]);
      return [value, grads[w.name]];
    }, { precision: "f32", xla: false });
    const adamw = createAdamW(new Map([["w", w]]), { weightDecay: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, gradClip: 1, decays: () => true });
    const losses = [];
    for (let step = 0; step < 5; step++) {
      const [value, gradient] = run(x, texts);
      adamw.step([gradient], 1e-2);
      losses.push(value.dataSync()[0]);
    }
    console.log(JSON.stringify({ instructions: kernelInstructions(), losses }));
  });`;

function runWith(kernels: string): { instructions: string | null; losses: number[] } {
  const env = { ...process.env, RB_KERNELS: kernels };
  return JSON.parse(
    execFileSync(process.execPath, ["-e", PROGRAM], {
      cwd: projectPath(),
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
}

describe("instruction sets", () => {
  test.each(["baseline", "avx2", "avx512"])("%s trains as the best one does", (name) => {
    const best = runWith("");
    const other = runWith(name);
    expect(other.instructions === name || other.instructions === best.instructions).toBe(true); // or this processor has none such
    expect(best.losses.at(-1)).toBeLessThan(best.losses[0]);
    other.losses.forEach((loss, i) => expect(Math.abs(loss / best.losses[i] - 1)).toBeLessThan(1e-5));
  });

  test("RB_KERNELS=0 leaves them out", () => {
    expect(runWith("0").instructions).toBeNull();
  });
});
