// In: weights in bfloat16. Out: variables that keep them so: half the memory of a trunk that is not trained.
// tfjs has no such type: to it they are float32 tensors, and only the functions here may touch them.

import * as tf from "@tensorflow/tfjs-core";
import { DType, nativeBackend, type NativeBackend } from "../engine/binding";
import { rowRanges } from "../files/pieces";

const typeAttribute = ({ binding }: NativeBackend, name: string, value: DType) => ({
  name,
  type: binding.TF_ATTR_TYPE,
  value,
});

/**
 * A variable in bfloat16 on the TensorFlow backend, in float32 elsewhere.
 *
 * @param bits the upper halves of float32 numbers, an even count
 */
export function halfVariable(shape: readonly number[], bits: Uint16Array): tf.Variable {
  const native = nativeBackend();
  if (!native) return tf.tidy(() => tf.variable(tf.tensor(decode(bits), [...shape]), false));
  const { binding } = native;
  const pairs = binding.createTensor(
    [bits.length / 2],
    DType.I32,
    new Int32Array(bits.buffer, bits.byteOffset, bits.length / 2),
  );
  return tf.tidy(() => tf.variable(asHalf(native, pairs, shape), false));
}

/** What TensorFlow holds as int32, two halves to a word, as a tensor in bfloat16; takes the handle. */
export function asHalf(native: NativeBackend, pairs: number, shape: readonly number[]): tf.Tensor {
  const { binding } = native;
  const [halves] = binding.executeOp(
    "Bitcast",
    [typeAttribute(native, "T", DType.I32), typeAttribute(native, "type", DType.BF16)],
    [pairs],
    1,
  );
  const dimensions = binding.createTensor([shape.length], DType.I32, Int32Array.from(shape));
  const reshape = [typeAttribute(native, "T", DType.BF16), typeAttribute(native, "Tshape", DType.I32)];
  const [shaped] = binding.executeOp("Reshape", reshape, [halves.id, dimensions], 1);
  for (const id of [pairs, halves.id, dimensions]) binding.deleteTensor(id);
  return halfTensor(native, shaped.id, shape);
}

/** What TensorFlow holds in bfloat16 under a handle, as a tensor that tfjs takes for float32. */
function halfTensor(native: NativeBackend, id: number, shape: readonly number[]): tf.Tensor {
  const dataId = {};
  const { tensorMap } = native as unknown as { tensorMap: { set(id: object, info: object): void } };
  tensorMap.set(dataId, { shape: [...shape], dtype: DType.BF16, id, values: null, refCount: 1 });
  return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [...shape], dtype: "float32" });
}

function decode(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
}

export function isHalf(tensor: tf.Tensor): boolean {
  return nativeBackend()?.tensorMap.get(tensor.dataId)?.dtype === DType.BF16;
}

/** The float32 value of a tensor; itself when it is no half. Carries no gradient. A bf16 graph drops the detour again. */
export function widen<T extends tf.Tensor>(tensor: T): T {
  if (!isHalf(tensor)) return tensor;
  const native = nativeBackend()!;
  const [out] = native.binding.executeOp("Cast", castAttributes(native), native.getInputTensorIds([tensor]), 1);
  return native.createOutputTensor(out) as T;
}

function castAttributes(native: NativeBackend) {
  const truncate = { name: "Truncate", type: native.binding.TF_ATTR_BOOL, value: false };
  return [typeAttribute(native, "SrcT", DType.BF16), typeAttribute(native, "DstT", DType.F32), truncate];
}

/** Rows of a table, [V, H] at ids → [...ids, H]; of a half only these rows are widened. */
export function gatherRows(table: tf.Tensor, ids: tf.Tensor): tf.Tensor {
  if (!isHalf(table)) return tf.gather(table, ids);
  const native = nativeBackend()!;
  return tf.tidy(() => {
    const inputs = native.getInputTensorIds([table, ids, tf.scalar(0, "int32")]);
    const attributes = [
      typeAttribute(native, "Tparams", DType.BF16),
      typeAttribute(native, "Tindices", DType.I32),
      typeAttribute(native, "Taxis", DType.I32),
      { name: "batch_dims", type: native.binding.TF_ATTR_INT, value: 0 },
    ];
    const [rows] = native.binding.executeOp("GatherV2", attributes, inputs, 1);
    const [wide] = native.binding.executeOp("Cast", castAttributes(native), [rows.id], 1);
    native.binding.deleteTensor(rows.id);
    return native.createOutputTensor(wide);
  });
}

/**
 * The numbers of a tensor in order, half or not, some whole rows of its first axis at a time, so that it is never copied as a whole.
 *
 * @param change makes other numbers of each piece, in place of the tensor's own: from its rows, the first row and the one behind the last
 */
export function* rowPieces(
  tensor: tf.Tensor,
  change: (rows: tf.Tensor, from: number, to: number) => tf.Tensor = (rows) => rows,
): Generator<Float32Array> {
  for (const [from, to] of rowRanges(tensor.shape)) {
    const values: Float32Array[] = [];
    tf.tidy(() => {
      values.push(change(widen(sliceRows(tensor, from, to)), from, to).dataSync() as Float32Array);
    }); // what tidy returns it looks through for tensors, number by number
    yield* values;
  }
}

/** The rows [from, to) of a tensor's first axis, half or not, as it is kept; a scalar itself. */
export function sliceRows(tensor: tf.Tensor, from: number, to: number): tf.Tensor {
  if (tensor.rank === 0) return tensor;
  const [begin, size] = [tensor.shape.map((_, axis) => (axis === 0 ? from : 0)), [to - from, ...tensor.shape.slice(1)]];
  if (!isHalf(tensor)) return tf.slice(tensor, begin, size);
  const native = nativeBackend()!;
  const attributes = [typeAttribute(native, "T", DType.BF16), typeAttribute(native, "Index", DType.I32)];
  return tf.tidy(() => {
    const inputs = native.getInputTensorIds([tensor, tf.tensor1d(begin, "int32"), tf.tensor1d(size, "int32")]);
    const [{ id }] = native.binding.executeOp("Slice", attributes, inputs, 1);
    return halfTensor(native, id, size);
  });
}
