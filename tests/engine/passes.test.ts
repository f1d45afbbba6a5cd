// Each pass alone: what it must change, what it must leave, and that results stay those of eager tfjs.
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { DType } from "../../lib/engine/binding";
import { toBf16 } from "../../lib/engine/compile/bf16";
import { emit } from "../../lib/engine/compile/emit";
import { optimise } from "../../lib/engine/compile/passes";
import { recompute } from "../../lib/engine/compile/recompute";
import { findRegions } from "../../lib/engine/compile/regions";
import { shortenRowDots } from "../../lib/engine/compile/rowDot";
import { broadcastShape } from "../../lib/engine/compile/shapeRules";
import { simplify } from "../../lib/engine/compile/simplify";
import { scaleQueries } from "../../lib/engine/compile/softmax";
import { sumSquares } from "../../lib/engine/compile/sumSquares";
import { createRandom } from "../../lib/random";
import { relativeL2 } from "./models";
import { bytesBetweenRegions, count, execute, record } from "./programs";

beforeAll(async () => {
  await initBackend({ backend: "tensorflow" });
});

const normal = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, "float32", seed);
const gelu = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));

describe("shape rules", () => {
  it("broadcasts as NumPy does and refuses what NumPy refuses", () => {
    expect(broadcastShape([4, 1, 3], [2, 1])).toEqual([4, 2, 3]);
    expect(() => broadcastShape([2, 3], [2])).toThrow(/do not broadcast/);
  });

  it("knows the shapes TensorFlow gives, for every rule used here", () => {
    const x = normal([2, 3, 4], 1);
    const fns: ((t: tf.Tensor) => tf.Tensor)[] = [
      (t) => tf.concat([t, t], -1),
      (t) =>
        tf.pad(t, [
          [0, 1],
          [2, 0],
          [0, 0],
        ]),
      (t) => tf.slice(t, [0, 1, 0], [-1, 2, 3]),
      (t) => tf.stack([t, t], 1),
      (t) => tf.sum(t, [0, -1]),
      (t) => tf.mean(t, 1, true),
      (t) => tf.expandDims(t, -1),
      (t) => tf.reshape(t, [4, -1]),
      (t) => tf.transpose(t, [2, 0, 1]),
      (t) => tf.where(tf.greater(t, 0), t, tf.zerosLike(t)),
      (t) => tf.matMul(t, t, true, false),
      (t) => tf.gather(t, tf.tensor2d([[0, 2]], [1, 2], "int32"), 1),
      (t) => tf.tile(t, [2, 1, 3]),
    ];
    for (const fn of fns) {
      const expected = fn(x);
      const program = record(fn, x);
      expect(program.results[0].shape).toEqual(expected.shape);
      const [got] = execute(program, [x]);
      expect(relativeL2([got], [expected])).toBeLessThan(1e-6);
    }
  });
});

describe("simplify", () => {
  it("drops identities, joins reshapes, and computes equal things once", () => {
    const x = normal([3, 4], 1);
    const fn = (t: tf.Tensor) => {
      const a = tf.reshape(tf.reshape(tf.transpose(t, [0, 1]), [2, 6]), [4, 3]);
      return tf.add(tf.exp(a), tf.exp(tf.reshape(t, [4, 3])));
    };
    const program = simplify(record(fn, x));
    expect([count(program, "Transpose"), count(program, "Reshape"), count(program, "Exp")]).toEqual([0, 1, 1]);
    expect(relativeL2(execute(program, [x]), [fn(x)])).toBeLessThan(1e-6);
  });
});

describe("bf16", () => {
  it("joins weights in bf16", () => {
    const [x, ...weights] = [normal([128, 64], 1), normal([64, 64], 2), normal([32, 64], 3)];
    const fn = (a: tf.Tensor, ...parts: tf.Tensor[]) => [
      tf.matMul(a as tf.Tensor2D, tf.concat(parts, 0) as tf.Tensor2D, false, true),
    ];
    const program = toBf16(record(fn, x, ...weights));
    expect(program.nodes.filter((n) => n.op === "ConcatV2").map((n) => n.outputs[0].dtype)).toEqual([DType.BF16]);
    expect(relativeL2(execute(program, [x, ...weights]), fn(x, ...weights))).toBeLessThan(0.01);
  });

  it("casts each value once, moves data in bf16, leaves small products and everything else in f32", () => {
    const x = normal([128, 64], 1);
    const w = normal([64, 64], 2);
    const fn = (a: tf.Tensor, b: tf.Tensor) => {
      const moved = tf.transpose(a, [1, 0]);
      const first = tf.matMul(moved as tf.Tensor2D, b as tf.Tensor2D, true, false);
      const second = tf.matMul(moved as tf.Tensor2D, tf.mul(b, 2) as tf.Tensor2D, true, false);
      const small = tf.matMul(tf.slice(a, [0, 0], [2, 64]) as tf.Tensor2D, b as tf.Tensor2D);
      return [tf.add(first, second), small];
    };
    const program = toBf16(record(fn, x, w));
    const products = program.nodes.filter((node) => node.op === "BatchMatMulV2");
    expect(products.map((node) => node.outputs[0].dtype)).toEqual([DType.BF16, DType.BF16, DType.F32]);
    expect(program.nodes.filter((n) => n.op === "Transpose").map((n) => n.outputs[0].dtype)).toEqual([DType.BF16]);
    expect(count(program, "Cast")).toBe(3 + 2); // x, w and 2w down; two products up
    expect(program.results.map((v) => v.dtype)).toEqual([DType.F32, DType.F32]);
    const error = relativeL2(execute(program, [x, w]), fn(x, w));
    expect(error).toBeLessThan(0.01);
    expect(error).toBeGreaterThan(1e-5);
  });
});

describe("regions", () => {
  it("fuses what touches, and parts at products", () => {
    const x = normal([8, 8], 1);
    const fn = (t: tf.Tensor) => tf.exp(tf.neg(tf.matMul(tf.relu(tf.add(t, 1)) as tf.Tensor2D, t as tf.Tensor2D)));
    const { regions } = findRegions(record(fn, x));
    expect(regions.map((region) => region.map((node) => node.op))).toEqual([
      ["Add", "Relu"],
      ["Neg", "Exp"],
    ]);
  });

  it("leaves tests for NaN outside, where fast-math cannot drop them", () => {
    const x = normal([8], 1);
    const { regions } = findRegions(record((t) => tf.cast(tf.isFinite(tf.mul(t, t)), "float32"), x));
    expect(regions.flat().map((node) => node.op)).not.toContain("IsFinite");
  });

  it("never makes regions that wait for each other (100 random graphs), and keeps their values", () => {
    const random = createRandom(11);
    const x = normal([4, 4], 1);
    for (let n = 0; n < 100; n++) {
      const state = random.state(); // the function draws its ops: give every run the same draws
      const fn = (t: tf.Tensor) => {
        const random = createRandom(state);
        const values = [t];
        for (let i = 0; i < 25; i++) {
          const [a, b] = [random.pick(values), random.pick(values)];
          const made = [
            () => tf.add(a, b),
            () => tf.mul(a, 0.5),
            () => tf.tanh(a),
            () => tf.tanh(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)),
            () => tf.sub(a, tf.mean(b, -1, true)),
          ];
          values.push(random.pick(made)());
        }
        return tf.addN(values.slice(-6));
      };
      random.next();
      const program = optimise(record(fn, x), { precision: "f32", xla: true });
      expect(() => emit(program, { regions: true })).not.toThrow();
      if (n < 3) expect(relativeL2(execute(program, [x], true), [fn(x)])).toBeLessThan(1e-5);
    }
  });

  it("gives functions of equal layers one name", () => {
    const x = normal([8, 8], 1);
    const layer = (t: tf.Tensor) => gelu(tf.matMul(t as tf.Tensor2D, x as tf.Tensor2D));
    const program = record(
      (t, w) => [1, 2, 3].reduce((h: tf.Tensor) => gelu(tf.matMul(h as tf.Tensor2D, w as tf.Tensor2D)), t),
      x,
      x.clone(),
    );
    const graph = emit(program, { regions: true });
    expect([graph.regionCount, graph.functionCount]).toEqual([3, 1]);
    expect(relativeL2(execute(program, [x, x.clone()], true), [layer(layer(layer(x)))])).toBeLessThan(1e-5);
  });
});

describe("recompute", () => {
  const x = () => [normal([512, 256], 1), normal([256, 256], 2), normal([256, 256], 3)];
  const fn = (a: tf.Tensor, u: tf.Tensor, d: tf.Tensor) => {
    const loss = (w: tf.Tensor, v: tf.Tensor) =>
      tf.sum(
        tf.square(tf.matMul(gelu(tf.matMul(a as tf.Tensor2D, w as tf.Tensor2D)) as tf.Tensor2D, v as tf.Tensor2D)),
      );
    return tf.grads(loss as never)([u, d]);
  };

  it("stores gelu's input instead of its parts, with the same gradients", () => {
    const args = x();
    const plain = simplify(record(fn, ...args));
    const lean = recompute(plain, { lossy: false });
    const before = bytesBetweenRegions(simplify(record(fn, ...args)));
    expect(bytesBetweenRegions(lean)).toBeLessThan(0.7 * before);
    expect(relativeL2(execute(lean, args, true), fn(...(args as [tf.Tensor, tf.Tensor, tf.Tensor])))).toBeLessThan(
      1e-5,
    );
  });

  it("with bf16, lets the backward pass read the narrow copy", () => {
    const args = x();
    const exact = bytesBetweenRegions(recompute(toBf16(simplify(record(fn, ...args))), { lossy: false }));
    const program = recompute(toBf16(simplify(record(fn, ...args))), { lossy: true });
    expect(bytesBetweenRegions(program)).toBeLessThanOrEqual(exact);
    expect(relativeL2(execute(program, args, true), fn(...(args as [tf.Tensor, tf.Tensor, tf.Tensor])))).toBeLessThan(
      0.02,
    );
  });
});

describe("row dots", () => {
  const attention = (dropped: boolean) => (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, m: tf.Tensor) => {
    const f = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) => {
      const p = tf.softmax(tf.matMul(a, b, false, true));
      return tf.sum(tf.square(tf.matMul(dropped ? tf.mul(p, m) : p, c)));
    };
    return tf.grads(f as never)([q, k, v]);
  };

  it.each([false, true])("sum over the head's width, not the keys (dropout %s)", (dropped) => {
    const [T, D] = [32, 8];
    const args = [
      normal([2, T, D], 1),
      normal([2, T, D], 2),
      normal([2, T, D], 3),
      tf.cast(tf.greater(normal([2, T, T], 4), -1), "float32"),
    ];
    const fn = attention(dropped) as (...a: tf.Tensor[]) => tf.Tensor[];
    const wide = (program: ReturnType<typeof record>) =>
      program.nodes.filter((n) => n.op === "Sum" && n.inputs[0].shape.at(-1) === T).length;
    const plain = simplify(record(fn, ...args));
    const short = shortenRowDots(simplify(record(fn, ...args)));
    expect([wide(plain), wide(short)]).toEqual([1, 0]);
    expect(relativeL2(execute(short, args), fn(...args))).toBeLessThan(1e-5);
  });

  it("leaves a sum alone whose second factor is no attention weight", () => {
    const args = [normal([4, 6], 1), normal([6, 6], 2)];
    const fn = (a: tf.Tensor, b: tf.Tensor) =>
      tf.sum(tf.mul(tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D, false, true), tf.exp(a)), -1, true);
    const program = shortenRowDots(record(fn as never, ...args));
    expect(relativeL2(execute(program, args), [fn(args[0], args[1])])).toBeLessThan(1e-6);
  });
});

describe("softmax", () => {
  const scores = (q: tf.Tensor, k: tf.Tensor, mask: tf.Tensor) => {
    const products = tf.reshape(tf.matMul(q, k, false, true), [2, 1, 96, 96]);
    return tf.softmax(tf.add(tf.mul(products, 0.25), mask));
  };
  const args = () => [
    normal([2, 96, 16], 1),
    normal([2, 96, 16], 2),
    tf.mul(tf.cast(tf.greater(normal([2, 1, 1, 96], 3), 1), "float32"), -1e9),
  ];

  it("scales the queries, not the scores", () => {
    const program = scaleQueries(record(scores as never, ...args()));
    expect(program.nodes.filter((n) => n.op === "Mul").map((n) => n.outputs[0].shape)).toEqual([[2, 96, 16]]);
    expect(count(program, "BatchMatMulV2")).toBe(1);
    expect(
      relativeL2(execute(program, args()), [scores(...(args() as [tf.Tensor, tf.Tensor, tf.Tensor]))]),
    ).toBeLessThan(1e-5);
  });

  it("keeps the scores' scale where something else reads them", () => {
    const fn = (q: tf.Tensor, k: tf.Tensor) => {
      const products = tf.matMul(q, k, false, true);
      return [tf.softmax(tf.mul(products, 0.25)), products];
    };
    const program = scaleQueries(record(fn as never, ...args().slice(0, 2)));
    expect(program.nodes.filter((n) => n.op === "Mul").map((n) => n.outputs[0].shape)).toEqual([[2, 96, 96]]);
  });

  it("reads and writes bf16 after a masked product, and stays f32 elsewhere", () => {
    const types = (fn: (...a: tf.Tensor[]) => tf.Tensor, ...a: tf.Tensor[]) =>
      toBf16(scaleQueries(record(fn, ...a)))
        .nodes.filter((n) => n.op === "Softmax")
        .map((n) => n.outputs[0].dtype);
    expect(types(scores as never, ...args())).toEqual([DType.BF16]);
    expect(types((x) => tf.softmax(x), normal([96, 96], 1))).toEqual([DType.F32]);
    const program = optimise(record(scores as never, ...args()), { precision: "bf16", xla: true });
    const rows = execute(program, args(), true)[0];
    expect(relativeL2([rows], [scores(...(args() as [tf.Tensor, tf.Tensor, tf.Tensor]))])).toBeLessThan(0.01);
    expect(Math.max(...tf.abs(tf.sub(tf.sum(rows, -1), 1)).dataSync())).toBeLessThan(0.01);
  });
});

describe("sums of squares", () => {
  it("become L2Loss for a large tensor in memory, and nothing else does", () => {
    const x = normal([300, 300], 1);
    const fn = (t: tf.Tensor) => [
      tf.sum(tf.square(t)),
      tf.sum(tf.square(tf.exp(t))),
      tf.sum(tf.square(t), 0),
      tf.sum(tf.square(tf.slice(t, [0, 0], [2, 2]))),
    ];
    const program = sumSquares(record(fn, x));
    expect(count(program, "L2Loss")).toBe(1);
    expect(relativeL2(execute(program, [x]), fn(x))).toBeLessThan(1e-5);
  });
});
