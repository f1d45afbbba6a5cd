// In: the name of a parameter. Out: the operations that multiply by it or look rows up, with the weight stored as the file's type says.

import { elementCount } from "../../files/pieces";
import { encodeFloat16 } from "../../files/dtypes";
import { bytesOf, type GraphBuilder, type Value } from "../../engine/onnx/graph";
import { ElementType } from "../../engine/onnx/messages";
import { LARGEST, MIDDLE, quantiseRows, unsignedBytes } from "../../engine/onnx/quantise";
import type { ModelConfig } from "../config";

/**
 * `fp32` as it is. `fp16`: matrices and tables in half precision, computed in f32. `q8`: matrices and tables in 8 bits with a
 * scale a row; each product's other side is brought to 8 bits when it runs, with a scale a token.
 */
export const ONNX_DTYPES = ["fp32", "fp16", "q8"] as const;
export type OnnxDtype = (typeof ONNX_DTYPES)[number];

/** A parameter whose numbers are read when they are written, some whole rows at a time. */
export interface OnnxWeight {
  readonly shape: readonly number[];
  readonly pieces: () => Iterable<Float32Array>;
}

/** What the emitters of layers need. */
export interface Emitter extends GraphBuilder {
  readonly config: ModelConfig;
  readonly dtype: OnnxDtype;
  readonly weights: ReadonlyMap<string, OnnxWeight>;
  /** Values that were brought to 8 bits, and how. */
  readonly quantisedInputs: Map<Value, { readonly values: Value; readonly scale: Value }>;
}

export function weightOf({ weights }: Pick<Emitter, "weights">, name: string): OnnxWeight {
  const found = weights.get(name);
  if (!found) throw new Error(`parameter: expected ${name} in the model, got none; it is listed by parameterShapes`);
  return found;
}

/** All numbers of a parameter: of a matrix that is laid out anew. Tables of embeddings, which may be far larger, are not. */
function whole({ shape, pieces }: OnnxWeight): Float32Array {
  const values = new Float32Array(elementCount(shape));
  let count = 0;
  for (const piece of pieces()) {
    values.set(piece, count);
    count += piece.length;
  }
  return values;
}

/** What becomes of each piece, one at a time. */
function* each({ pieces }: OnnxWeight, encode: (numbers: Float32Array) => ArrayBufferView): Generator<Uint8Array> {
  for (const piece of pieces()) yield bytesOf(encode(piece));
}

/** A parameter in f32, in its own shape or as its first numbers: vectors, tables, and matrices that count for little. */
export function exact(to: Emitter, name: string, shape = weightOf(to, name).shape): Value {
  const weight = weightOf(to, name);
  const bytes = () => {
    let left = elementCount(shape);
    return each(weight, (numbers) => {
      const taken = numbers.subarray(0, left);
      left -= taken.length;
      return taken;
    });
  };
  return to.weight({ name, type: ElementType.F32, shape, bytes });
}

/** [rows, columns] → [columns, rows]. */
function transposed<T extends Float32Array | Uint16Array | Int8Array>(values: T, rows: number, columns: number): T {
  const out = values.slice() as T;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = values[row * columns + column];
  return out;
}

/**
 * x·Wᵀ, [..., in] → [..., out]. The file holds Wᵀ, which a product reads in order.
 *
 * @param precise keeps f32 whatever the file's type: for heads
 */
export function product(to: Emitter, x: Value, name: string, precise = false): Value {
  const weight = weightOf(to, name);
  const [out, into] = weight.shape;
  const stored = { name: `${name}/transposed`, shape: [into, out] };
  if (precise || to.dtype === "fp32") {
    const bytes = () => [bytesOf(transposed(whole(weight), out, into))];
    return to.op("MatMul", [x, to.weight({ ...stored, type: ElementType.F32, bytes })]);
  }
  if (to.dtype === "fp16") {
    const bytes = () => [bytesOf(transposed(encodeFloat16(whole(weight), name), out, into))];
    return to.op("MatMul", [x, widened(to, to.weight({ ...stored, type: ElementType.F16, bytes }))]);
  }
  return quantisedProduct(to, x, name);
}

/** (q·Qᵀ)·s·S with q made of x when it runs and s its scales, a row a token: integers are multiplied, scales afterwards. */
function quantisedProduct(to: Emitter, x: Value, name: string): Value {
  const parameter = weightOf(to, name);
  const [out, into] = parameter.shape;
  const quantised = () => quantiseRows(whole(parameter), into);
  const weight = to.weight({
    name: `${name}/quantised`,
    type: ElementType.U8,
    shape: [into, out],
    bytes: () => [unsignedBytes(transposed(quantised().values, out, into))],
  });
  const scales = to.weight({
    name: `${name}/scales`,
    type: ElementType.F32,
    shape: [out],
    bytes: () => [bytesOf(quantised().scales)],
  });
  const bytes = () => [Uint8Array.of(MIDDLE)];
  const middle = to.weight({ name: "middle", type: ElementType.U8, shape: [], bytes });
  const { values, scale } = quantisedInput(to, x);
  const sums = widened(to, to.op("MatMulInteger", [values, weight, middle, middle]));
  return to.op("Mul", [to.op("Mul", [sums, scales]), scale]);
}

/** Smallest scale: a row of zeros stays one. */
const SMALLEST_SCALE = 1e-12;

/**
 * x in 8 bits with a scale a token, so that no score depends on other texts or on padding: onnxruntime's DynamicQuantizeLinear
 * has one scale for all, and is less exact. Queries, keys and values are products of the same states: quantised once.
 */
function quantisedInput(to: Emitter, x: Value): { values: Value; scale: Value } {
  const known = to.quantisedInputs.get(x);
  if (known) return known;
  const largest = to.op("ReduceMax", [to.op("Abs", [x])], { axes: { ints: [-1] }, keepdims: { int: 1 } });
  const scale = to.op("Max", [to.op("Div", [largest, to.floats([LARGEST])]), to.floats([SMALLEST_SCALE])]);
  // the cast drops what is behind the point: with a half more it rounds
  const shifted = to.op("Add", [to.op("Div", [x, scale]), to.floats([MIDDLE + 0.5])]);
  const made = { values: to.op("Cast", [shifted], { to: { int: ElementType.U8 } }), scale };
  to.quantisedInputs.set(x, made);
  return made;
}

/** Rows of a table [V, H] at ids [B, T]: [B, T, H]. */
export function rows(to: Emitter, ids: Value, name: string): Value {
  const parameter = weightOf(to, name);
  const { shape } = parameter;
  if (to.dtype === "fp32") return to.op("Gather", [exact(to, name), ids]);
  if (to.dtype === "fp16") {
    const bytes = () => each(parameter, (numbers) => encodeFloat16(numbers, name));
    return widened(to, to.op("Gather", [to.weight({ name, type: ElementType.F16, shape, bytes }), ids]));
  }
  const quantised = (numbers: Float32Array) => quantiseRows(numbers, shape[1]);
  const table = to.weight({
    name: `${name}/quantised`,
    type: ElementType.I8,
    shape,
    bytes: () => each(parameter, (numbers) => quantised(numbers).values),
  });
  const scales = to.weight({
    name: `${name}/scales`,
    type: ElementType.F32,
    shape: [shape[0], 1],
    bytes: () => each(parameter, (numbers) => quantised(numbers).scales),
  });
  return to.op("Mul", [widened(to, to.op("Gather", [table, ids])), to.op("Gather", [scales, ids])]);
}

const widened = (to: Emitter, value: Value): Value => to.op("Cast", [value], { to: { int: ElementType.F32 } });
