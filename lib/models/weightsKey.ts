// In: named variables. Out: a digest that changes when their numbers do, without bringing them out of the backend.
import { createHash } from "node:crypto";
import * as tf from "@tensorflow/tfjs-core";
import { widen } from "./halfStorage";

/**
 * Stands for the weights as they are now: shape, Σw and Σw² of every tensor. Made to notice that a model was trained on
 * or is another one, not to withstand someone who looks for a collision.
 */
export function weightsKey(parameters: ReadonlyMap<string, tf.Variable>): string {
  const names = [...parameters.keys()].sort();
  const sums = tf.tidy(() => {
    const each = names.flatMap((name) => {
      const weights = widen(parameters.get(name) as unknown as tf.Tensor);
      return [tf.sum(weights), tf.sum(tf.square(weights))];
    });
    return each.length > 0 ? tf.stack(each).dataSync() : new Float32Array();
  });
  return createHash("sha256")
    .update(JSON.stringify(names.map((name) => [name, parameters.get(name)!.shape])))
    .update(new Uint8Array(sums.buffer, sums.byteOffset, sums.byteLength))
    .digest("base64");
}
