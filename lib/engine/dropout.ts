// In: a tensor and a seed. Out: the tensor with a random share of its elements zeroed.
import * as tf from "@tensorflow/tfjs-core";
import { DType, nativeBackend } from "./binding";

/**
 * Inverted dropout: y = x·m / (1 − rate), m = 1 with probability 1 − rate, so that the mean stays.
 *
 * The mask depends on seed and salt alone (a counter-based generator), never on what ran before: a traced graph and
 * eager code make the same mask, and a resumed run goes on exactly. Give each place in the model its own salt.
 * @param seed int32 [2], an argument of the compiled function: a new pair every step
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, seed: tf.Tensor1D, salt: number): T {
  if (rate === 0) return x;
  return tf.tidy(() => {
    const uniform = statelessUniform(x.shape, tf.add(seed, tf.tensor1d([0, salt], "int32")));
    const mask = tf.cast(tf.greaterEqual(uniform, rate), "float32");
    return tf.mul(x, tf.mul(mask, 1 / (1 - rate))) as T;
  });
}

/** Uniform numbers in [0, 1) of a shape, from int32 [2] seeds. */
function statelessUniform(shape: number[], seed: tf.Tensor1D): tf.Tensor {
  const native = nativeBackend();
  if (!native) {
    const [a, b] = seed.dataSync(); // no such kernel elsewhere, and nothing is traced there
    return tf.randomUniform(shape, 0, 1, "float32", `${a},${b}`);
  }
  const { binding } = native;
  const type = (name: string, value: number) => ({ name, type: binding.TF_ATTR_TYPE, value });
  const attributes = [type("T", DType.I32), type("Tseed", DType.I32), type("dtype", DType.F32)];
  const dimensions = tf.tensor1d(shape, "int32");
  const [result] = binding.executeOp(
    "StatelessRandomUniform",
    attributes,
    native.getInputTensorIds([dimensions, seed]),
    1,
  );
  return native.createOutputTensor(result);
}
