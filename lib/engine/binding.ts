// In: nothing. Out: the TensorFlow C library below tfjs, typed, or null on another backend.
import * as tf from "@tensorflow/tfjs-core";

/** TensorFlow's numbers for the element types a graph may hold (`tensorflow/core/framework/types.proto`). */
export const DType = { F32: 1, I32: 3, BOOL: 10, BF16: 14 } as const;
export type DType = (typeof DType)[keyof typeof DType];

export interface NativeTensor {
  id: number;
  shape: number[];
  dtype: DType;
}

export interface NativeAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** The part of tfjs-node's native module that this project calls. */
export interface NativeBinding {
  readonly TF_Version: string;
  /** Set on the recorder that stands in front of the module while a function is traced. */
  readonly recording?: true;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_SHAPE: number;
  createTensor(shape: number[], dtype: DType, values: ArrayLike<number>): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: NativeAttribute[], inputs: number[], outputs: number): NativeTensor[];
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(session: number): void;
  runSavedModel(session: number, inputs: number[], inputNames: string, outputNames: string): NativeTensor[];
  getNumOfTensors(): number;
  isUsingGpuDevice(): boolean;
}

interface TensorInfo {
  id: number;
  shape: number[];
  dtype: DType;
  values: unknown;
  /** Tensors of tfjs that share these numbers. */
  readonly refCount: number;
}

/** tfjs-node's kernel backend: what lies between tfjs tensors and native handles. */
export interface NativeBackend {
  binding: NativeBinding;
  tensorMap: { get(dataId: object): TensorInfo };
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  createOutputTensor(tensor: NativeTensor): tf.Tensor;
}

/** The native backend when it is the one in use, else null. */
export function nativeBackend(): NativeBackend | null {
  if (tf.getBackend() !== "tensorflow") return null;
  return tf.backend() as unknown as NativeBackend;
}
