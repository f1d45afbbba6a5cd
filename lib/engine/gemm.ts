// In: the backend in use. Out: how fast it multiplies matrices, the ceiling for everything else.
import * as tf from "@tensorflow/tfjs-core";
import { bf16Allowed } from "./choice";
import { DType, nativeBackend, type NativeBinding } from "./binding";

/** A product of two squares, large enough that dispatch does not count and small enough to stay under 100 ms. */
const SIDE = 2048;

/**
 * Matrix multiplication speed in GFLOP/s (2·n³ operations), the best of five runs after one to warm up.
 * `bf16` is null where the backend has no such product or may not use it.
 *
 * @example
 * ```ts
 * await initBackend();
 * console.log(measureGemm()); // GFLOP/s of a bare product
 * ```
 */
export function measureGemm(): { f32: number; bf16: number | null } {
  const native = nativeBackend();
  if (!native) return { f32: portableGemm(SIDE / 4), bf16: null };
  const a = tf.randomUniform([SIDE, SIDE], -1, 1);
  const [id] = native.getInputTensorIds([a]);
  const f32 = nativeGemm(native.binding, id, DType.F32);
  const bf16 = bf16Allowed(process.env) ? halfGemm(native.binding, id) : null;
  a.dispose();
  return { f32, bf16 };
}

function halfGemm(binding: NativeBinding, id: number): number {
  const cast = binding.executeOp("Cast", castAttributes(binding), [id], 1)[0].id;
  const rate = nativeGemm(binding, cast, DType.BF16);
  binding.deleteTensor(cast);
  return rate;
}

function castAttributes(binding: NativeBinding) {
  return [
    { name: "SrcT", type: binding.TF_ATTR_TYPE, value: DType.F32 },
    { name: "DstT", type: binding.TF_ATTR_TYPE, value: DType.BF16 },
    { name: "Truncate", type: binding.TF_ATTR_BOOL, value: false },
  ];
}

function nativeGemm(binding: NativeBinding, id: number, dtype: number): number {
  const attributes = [
    { name: "transpose_a", type: binding.TF_ATTR_BOOL, value: false },
    { name: "transpose_b", type: binding.TF_ATTR_BOOL, value: false },
    { name: "T", type: binding.TF_ATTR_TYPE, value: dtype },
  ];
  return fastest(SIDE, () => binding.deleteTensor(binding.executeOp("MatMul", attributes, [id, id], 1)[0].id));
}

function portableGemm(side: number): number {
  const a = tf.randomUniform<tf.Rank.R2>([side, side], -1, 1);
  const rate = fastest(side, () => {
    const product = tf.matMul(a, a);
    product.dataSync();
    product.dispose();
  });
  a.dispose();
  return rate;
}

function fastest(side: number, run: () => void): number {
  run();
  let best = Infinity;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return (2 * side ** 3) / best / 1e6;
}
