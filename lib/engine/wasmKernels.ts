// In: nothing. Out: the WebAssembly backend completed by the kernels that training needs and it lacks.
import * as tf from "@tensorflow/tfjs-core";

/**
 * Adds `UnsortedSegmentSum`, the gradient of an embedding look-up, as a scatter that adds up rows of equal index:
 * out[s] = Σ_{i: ids[i] = s} x[i], x [N, …], ids [N] int32, out [numSegments, …].
 */
export function registerWasmKernels(): void {
  if (tf.getKernel("UnsortedSegmentSum", "wasm")) return;
  tf.registerKernel({
    kernelName: "UnsortedSegmentSum",
    backendName: "wasm",
    kernelFunc: ({ inputs, attrs }) => {
      const x = inputs.x as tf.Tensor;
      const ids = inputs.segmentIds as tf.Tensor1D;
      const { numSegments } = attrs as unknown as { numSegments: number };
      return tf.tidy(() => tf.scatterND(tf.reshape(ids, [ids.size, 1]), x, [numSegments, ...x.shape.slice(1)]));
    },
  });
}
