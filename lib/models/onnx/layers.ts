// In: values of an ONNX graph. Out: the layers all families are made of, as ../layers.ts has them in tensors.

import type { Value } from "../../engine/onnx/graph";
import { ElementType } from "../../engine/onnx/messages";
import type { Activation } from "../configSchemas";
import { exact, product, type Emitter } from "./weights";

const LAST_AXIS = { axes: { ints: [-1] }, keepdims: { int: 1 } };

/** x·Wᵀ + b, the bias where the model has one. */
export function linear(to: Emitter, x: Value, module: string, precise = false): Value {
  const y = product(to, x, `${module}.weight`, precise);
  const bias = `${module}.bias`;
  return to.weights.has(bias) ? to.op("Add", [y, exact(to, bias)]) : y;
}

export const layerNorm = (to: Emitter, x: Value, module: string): Value =>
  to.op("LayerNormalization", [x, exact(to, `${module}.weight`), exact(to, `${module}.bias`)], {
    axis: { int: -1 },
    epsilon: { float: to.config.normEpsilon },
  });

/** x/√(mean(x²) + ε)·w over the last axis, in the operations that onnxruntime makes one of. */
export function rmsNorm(to: Emitter, x: Value, module: string): Value {
  const square = to.op("ReduceMean", [to.op("Pow", [x, to.floats([2])])], LAST_AXIS);
  const root = to.op("Sqrt", [to.op("Add", [square, to.floats([to.config.normEpsilon])])]);
  return to.op("Mul", [to.op("Div", [x, root]), exact(to, `${module}.weight`)]);
}

export function activate(to: Emitter, x: Value, kind: Activation): Value {
  switch (kind) {
    case "gelu": {
      const inner = to.op("Erf", [to.op("Div", [x, to.floats([Math.SQRT2])])]);
      return to.op("Mul", [to.op("Mul", [x, to.op("Add", [inner, to.floats([1])])]), to.floats([0.5])]);
    }
    case "gelu_new": {
      const cube = to.op("Mul", [to.op("Pow", [x, to.floats([3])]), to.floats([0.044715])]);
      const inner = to.op("Mul", [to.op("Add", [x, cube]), to.floats([Math.sqrt(2 / Math.PI)])]);
      const bent = to.op("Add", [to.op("Tanh", [inner]), to.floats([1])]);
      return to.op("Mul", [to.op("Mul", [x, to.floats([0.5])]), bent]);
    }
    case "relu":
      return to.op("Relu", [x]);
    case "silu":
      return to.op("Mul", [x, to.op("Sigmoid", [x])]);
    case "tanh":
      return to.op("Tanh", [x]);
  }
}

export const cast = (to: Emitter, x: Value, type: ElementType): Value => to.op("Cast", [x], { to: { int: type } });

export const transpose = (to: Emitter, x: Value, ...order: number[]): Value =>
  to.op("Transpose", [x], { perm: { ints: order } });

/** 0 keeps a size, −1 is what remains: sizes of a batch are known when it runs. */
export const reshape = (to: Emitter, x: Value, ...shape: number[]): Value =>
  to.op("Reshape", [x, to.integers(shape, [shape.length])]);

export const unsqueeze = (to: Emitter, x: Value, ...axes: number[]): Value =>
  to.op("Unsqueeze", [x, to.integers(axes, [axes.length])]);

/** One row of each text: x [B, T, H] at places [B] → [B, 1, H]. */
export const pickRow = (to: Emitter, x: Value, places: Value): Value =>
  to.op("GatherND", [x, unsqueeze(to, places, 1, 2)], { batch_dims: { int: 1 } });

/** Finite, so that a row of padding alone gives a number. */
const MASKED = -1e9;

/** 0 where a token may be seen, very negative elsewhere. */
export const biasOf = (to: Emitter, seen: Value): Value => to.op("Where", [seen, to.floats([0]), to.floats([MASKED])]);

export const isSet = (to: Emitter, mask: Value): Value => cast(to, mask, ElementType.BOOL);
