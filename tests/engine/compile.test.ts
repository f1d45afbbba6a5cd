// Compiled graphs against the same tfjs code run eagerly: values, gradients, state, leaks, errors.
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { nativeBackend } from "../../lib/engine/binding";
import { compile, type CompileOptions } from "../../lib/engine/compile";
import { batch, bertLike, llamaLike, relativeL2 } from "./models";

beforeAll(async () => {
  await initBackend({ backend: "tensorflow" });
});

const handles = () => [tf.memory().numTensors, nativeBackend()!.binding.getNumOfTensors()];
const architectures = { "BERT-like": bertLike, "Llama-like": llamaLike };

describe.each(Object.entries(architectures))("%s", (_, make) => {
  const check = (sizes: Parameters<typeof make>[0], B: number, T: number, options: CompileOptions) => {
    const model = make(sizes);
    const [ids, mask] = batch(B, T, sizes.vocabulary);
    const expected = tf.tidy(() => model.gradients(ids, mask));
    const compiled = compile(model.gradients, options);
    const got = compiled(ids, mask);
    const error = relativeL2(got.slice(1), expected.slice(1));
    const lossError = Math.abs(got[0].dataSync()[0] / expected[0].dataSync()[0] - 1);
    compiled.dispose();
    tf.dispose([got, expected, ids, mask]);
    model.dispose();
    return { error, lossError };
  };
  const small = { layers: 2, width: 32, heads: 4, inner: 64, vocabulary: 50, scale: 0.3 };
  const middle = { layers: 2, width: 128, heads: 4, inner: 512, vocabulary: 200, scale: 0.05 };

  it.each([false, true])("f32 gradients equal eager autodiff to 1e-5, xla %s", (xla) => {
    const { error, lossError } = check(small, 6, 8, { precision: "f32", xla });
    expect(error).toBeLessThan(1e-5);
    expect(lossError).toBeLessThan(1e-5);
  });

  it.each([false, true])("bf16 gradients differ from f32 by less than 0.02, xla %s", (xla) => {
    const { error } = check(middle, 8, 64, { precision: "bf16", xla });
    expect(error).toBeLessThan(0.02);
    expect(error).toBeGreaterThan(1e-5); // equal to f32 would mean that no product was narrowed
  });
});

describe("compile", () => {
  it("updates variables that the function assigns, shared by graphs of other shapes", () => {
    const total = tf.variable(tf.tensor1d([1, 2]));
    const add = compile((x) => {
      total.assign(tf.add(total, tf.sum(x, 0)) as tf.Tensor1D);
      return tf.mul(total, 10);
    });
    const a = add(tf.tensor2d([[1, 1]]))[0];
    const b = add(
      tf.tensor2d([
        [1, 0],
        [2, 5],
      ]),
    )[0];
    expect([...a.dataSync()]).toEqual([20, 30]);
    expect([...total.dataSync()]).toEqual([5, 8]);
    expect([...b.dataSync()]).toEqual([50, 80]);
    total.assign(tf.tensor1d([0, 0])); // an assignment from outside is seen by the next run
    expect([...add(tf.tensor2d([[1, 1]]))[0].dataSync()]).toEqual([10, 10]);
    expect(add.graphs().map((g) => g.shapes)).toEqual([[[2, 2]], [[1, 2]]]);
    add.dispose();
  });

  it("keeps the graphs used last", () => {
    let traces = 0;
    const f = compile((x) => (traces++, tf.square(x)), { maxGraphs: 2 });
    for (const n of [1, 2, 1, 3, 1, 2]) tf.dispose(f(tf.ones([n])));
    expect(traces).toBe(4); // 1, 2, 3 (drops 2), 2 again
    expect(f.graphs().map((g) => g.shapes[0])).toEqual([[1], [2]]);
    f.dispose();
    expect(f.graphs()).toEqual([]);
  });

  it("neither leaks tensors nor native handles, in 200 steps, an error, and a disposal", () => {
    const x = tf.ones([4, 3]);
    nativeBackend()!.getInputTensorIds([x]); // uploaded now rather than at first use
    const before = handles();
    const w = tf.tidy(() => tf.variable(tf.ones([3, 2])));
    const f = compile((t) => {
      const { value, grads } = tf.variableGrads(
        () => tf.sum(tf.square(tf.matMul(t as tf.Tensor2D, w as tf.Tensor2D))) as tf.Scalar,
        [w],
      );
      w.assign(tf.sub(w, tf.mul(grads[w.name], 1e-3)) as never);
      return value;
    });
    tf.dispose(f(x));
    const during = handles();
    for (let i = 0; i < 200; i++) tf.dispose(f(x));
    expect(handles()).toEqual(during);
    const broken = compile((t) => {
      w.assign(tf.zerosLike(w) as never);
      return tf.tensor1d([t.dataSync()[0]]);
    });
    expect(() => broken(x)).toThrow();
    expect(handles()).toEqual(during);
    expect(w.dataSync()[0]).not.toBe(0); // a failed trace leaves the variables alone
    f.dispose();
    w.dispose();
    expect(handles()).toEqual(before);
  });

  it("names the tfjs op and the line that called it", () => {
    const outside = tf.ones([2]);
    const f = compile((x) => tf.add(x, outside), { name: "score" });
    expect(() => f(tf.ones([2]))).toThrow(
      /compile\(score\): tf\.add, called at .*compile\.test\.ts:\d+:\d+.*made outside.*pass it as an argument/,
    );
    expect([...outside.dataSync()]).toEqual([1, 1]);
    const g = compile((x) => tf.tensor1d([x.dataSync()[0]]));
    expect(() => g(tf.ones([2]))).toThrow(/compile\.test\.ts:\d+.*a read of a value.*read it outside/);
    const h = compile((x) => tf.tensor1d([x.dataSync()[0]], "int32"));
    expect(() => h(tf.ones([2], "int32"))).toThrow(/a read of a value/);
    const m = compile((x, y) => tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D));
    expect(() => m(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow(
      /tf\.matMul, called at .*compile\.test\.ts.*BatchMatMulV2 takes, got \[2,3\] \[2,3\] \(inner dimensions 3 and 2 differ\)/,
    );
  });

  it("learns shapes of ops without a rule by running them once", () => {
    const f = compile((x) => tf.topk(x, 2).values);
    expect([...f(tf.tensor1d([1, 5, 3]))[0].dataSync()]).toEqual([5, 3]);
  });

  it("counts ops, products and their operations", () => {
    const f = compile((x, y) => tf.relu(tf.add(tf.matMul(x as tf.Tensor2D, y as tf.Tensor2D), 1)), {
      name: "layer",
      xla: true,
    });
    tf.dispose(f(tf.ones([4, 3]), tf.ones([3, 5])));
    const [summary] = f.graphs();
    expect(summary).toMatchObject({
      name: "layer",
      ops: 3,
      products: 1,
      regions: 1,
      functions: 1,
      flops: 2 * 4 * 3 * 5,
      runs: 1,
    });
    // product: reads 12 + 15, writes 20; region: reads 20 and a scalar, writes 20
    expect(summary.bytesMoved).toBe(4 * (12 + 15 + 20 + 20 + 1 + 20));
    f.dispose();
  });
});
