// Scores and gradients of a model, for tests that compare two ways of reading the same texts.
import * as tf from "@tensorflow/tfjs-core";
import type { RewardModel } from "../../lib/models/rewardModel";

/** Scores in order, and all gradients of a sum that weighs each text differently. */
export function gradientsOf(model: RewardModel, scores: () => tf.Tensor1D): tf.Tensor[] {
  const variables = [...model.parameters.values()];
  const kept: tf.Tensor[] = [];
  const { grads } = tf.variableGrads(() => {
    const r = scores();
    kept.push(tf.keep(r.clone()));
    return tf.sum(tf.mul(r, tf.range(1, r.shape[0] + 1))) as tf.Scalar;
  }, variables);
  return [kept[0], ...variables.map((v) => grads[v.name])];
}
