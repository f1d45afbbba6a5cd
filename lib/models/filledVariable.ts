// In: the numbers of a matrix, some rows at a time. Out: a variable of them, of which the backend holds the only copy.

import * as tf from "@tensorflow/tfjs-core";
import { DType, nativeBackend, type NativeBackend } from "../engine/binding";
import { elementCount } from "../files/pieces";
import { asHalf, halfVariable } from "./halfStorage";

/** Numbers in order: float32, or bfloat16 (the upper halves of float32 numbers). */
export type VariablePieces = AsyncIterable<Float32Array | Uint16Array>;

/**
 * A variable that is filled as its rows arrive: [rows, columns], each piece whole rows. Other shapes, an odd number of
 * columns in bfloat16 and other backends than TensorFlow's on the processor take the numbers together first.
 */
export async function filledVariable(shape: readonly number[], pieces: VariablePieces): Promise<tf.Variable> {
  const native = nativeBackend();
  if (!native || native.binding.isUsingGpuDevice() || shape.length !== 2 || shape[1] % 2 !== 0)
    return variableOf(shape, await joined(shape, pieces));
  let table: Table | null = null;
  try {
    for await (const piece of pieces) {
      table ??= emptyTable(native, shape, piece instanceof Uint16Array);
      putRows(native, table, piece);
    }
    if (table?.filled !== shape[0])
      throw new Error(`filledVariable: expected ${shape[0]} rows, got ${table?.filled ?? 0}`);
  } catch (error) {
    if (table) native.binding.deleteTensor(table.id);
    throw error;
  }
  const { id, half } = table;
  return tf.tidy(() => {
    const whole = half
      ? asHalf(native, id, shape)
      : native.createOutputTensor({ id, shape: [...shape], dtype: DType.F32 });
    return tf.variable(whole, !half);
  });
}

/** A variable, copied to the backend at once where there is one to copy to, so that the array can go. */
export function variableOf(shape: readonly number[], data: Float32Array | Uint16Array): tf.Variable {
  if (data instanceof Uint16Array) return halfVariable(shape, data);
  const variable = tf.tidy(() => tf.variable(tf.tensor(data, [...shape])));
  nativeBackend()?.getInputTensorIds([variable]);
  return variable;
}

/** TensorFlow's memory for a matrix; numbers in bfloat16 lie there as int32, two to a word. */
interface Table {
  readonly id: number;
  readonly half: boolean;
  readonly words: number;
  filled: number;
}

function emptyTable({ binding }: NativeBackend, [rows, columns]: readonly number[], half: boolean): Table {
  const words = half ? columns / 2 : columns;
  const size = binding.createTensor([2], DType.I32, Int32Array.of(rows, words));
  const attributes = [
    { name: "dtype", type: binding.TF_ATTR_TYPE, value: half ? DType.I32 : DType.F32 },
    { name: "init", type: binding.TF_ATTR_BOOL, value: false },
  ];
  const [{ id }] = binding.executeOp("Empty", attributes, [size], 1);
  binding.deleteTensor(size);
  return { id, half, words, filled: 0 };
}

/** Writes the next rows into the table: InplaceUpdate's result is the same memory under another handle. */
function putRows({ binding }: NativeBackend, table: Table, piece: Float32Array | Uint16Array): void {
  const type = table.half ? DType.I32 : DType.F32;
  const words = table.half ? new Int32Array(piece.buffer, piece.byteOffset, piece.length / 2) : piece;
  const count = words.length / table.words;
  const at = Int32Array.from({ length: count }, (_, i) => table.filled + i);
  const inputs = [
    binding.createTensor([count], DType.I32, at),
    binding.createTensor([count, table.words], type, words),
  ];
  const attributes = [{ name: "T", type: binding.TF_ATTR_TYPE, value: type }];
  const [{ id }] = binding.executeOp("InplaceUpdate", attributes, [table.id, ...inputs], 1);
  for (const done of [...inputs, id]) binding.deleteTensor(done);
  table.filled += count;
}

async function joined(shape: readonly number[], pieces: VariablePieces): Promise<Float32Array | Uint16Array> {
  const size = elementCount(shape);
  let values: Float32Array | Uint16Array = new Float32Array(0);
  let count = 0;
  for await (const piece of pieces) {
    if (count === 0) values = piece instanceof Uint16Array ? new Uint16Array(size) : new Float32Array(size);
    values.set(piece, count);
    count += piece.length;
  }
  return values;
}
