// The fused kernels beside attention against the same mathematics in eager tfjs ops, for every instruction set that this processor has.
import { execFileSync } from "node:child_process";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { createAdamW } from "../../lib/engine/adamw";
import { initBackend } from "../../lib/engine/backend";
import { compile } from "../../lib/engine/compile";
import { optimise } from "../../lib/engine/compile/passes";
import type { Program } from "../../lib/engine/compile/graph";
import { fusedAddNorm, fusedGelu } from "../../lib/engine/fusedOps";
import { projectPath } from "../../lib/files/paths";
import { count, execute, normal, record, relative } from "./programs";

beforeAll(() => initBackend());

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

test("in f32 the backward pass reads gelu's result from the kernel of its gradient, not from the forward pass", () => {
  const args = [normal(1, [64, 32]), normal(2, [48, 32]), normal(3, [48]), normal(4, [24, 48])];
  const network = (eager: boolean) => (x: tf.Tensor, first: tf.Tensor, bias: tf.Tensor, second: tf.Tensor) => {
    const product = tf.matMul(x as tf.Tensor2D, first as tf.Tensor2D, false, true);
    const z = tf.add(product, bias);
    const plain = () => tf.mul(tf.mul(z, 0.5), tf.add(tf.erf(tf.mul(z, Math.SQRT1_2)), 1)) as tf.Tensor2D;
    return tf.sum(
      tf.square(
        tf.matMul(eager ? plain() : fusedGelu(product as tf.Tensor2D, bias)!, second as tf.Tensor2D, false, true),
      ),
    );
  };
  const recorded = record((...given) => tf.grads(network(false) as never)(given), ...args);
  const lateReaders = (program: Program) => {
    const [kept] = program.nodes.find(({ op }) => op === "RewardbookGelu")!.outputs;
    return program.nodes.filter(({ inputs, backward }) => backward && inputs.includes(kept)).length;
  };
  expect(lateReaders(recorded)).toBe(1); // the second weight's gradient
  const program = optimise(recorded, { precision: "f32", xla: false });
  expect(lateReaders(program)).toBe(0);
  const expected = tf.grads(network(true) as never)(args);
  execute(program, args).forEach((gradient, i) => expect(relative(gradient, expected[i])).toBeLessThan(1e-5));
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
