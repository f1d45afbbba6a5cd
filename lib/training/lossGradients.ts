// In: how a batch is scored. Out: its losses and rewards with the gradients, and the optimizer that takes them; for every kind of step.
import * as tf from "@tensorflow/tfjs-core";
import type { TrainingConfig } from "../config";
import { createAdamW, type AdamW } from "../engine/adamw";
import { pairLoss } from "../loss";
import type { RewardModel } from "../models/rewardModel";

/** Biases and normalisation weights do not decay (Loshchilov and Hutter 2019 leave it open; transformers' Trainer does the same). */
const decays = (name: string): boolean => !/bias$|norm|ln_/i.test(name);

interface Trained {
  readonly model: RewardModel;
  /** Names of the parameters that are trained, in a fixed order. */
  readonly trainable: readonly string[];
  readonly config: TrainingConfig;
}

/** AdamW over the trained parameters, as the configuration has it; `xla` as in `compile`. */
export function createOptimizer({ model, trainable, config }: Trained, xla?: boolean): AdamW {
  return createAdamW(new Map(trainable.map((name) => [name, model.parameters.get(name)!])), {
    weightDecay: config.weight_decay,
    beta1: config.adam_beta1,
    beta2: config.adam_beta2,
    epsilon: config.adam_epsilon,
    gradClip: config.grad_clip || Infinity,
    xla,
    decays,
  });
}

/** What a batch of P pairs brings to the loss, each [P]. */
export interface PairNumbers {
  /** 1 / pairs of the optimizer step; 0 for a filler. */
  readonly share: tf.Tensor1D;
  readonly weights: tf.Tensor1D;
  readonly margins: tf.Tensor1D;
}

/**
 * [share·ℓ of the P pairs, then the 2P rewards], then a gradient for each trained parameter.
 *
 * @param score rewards of the 2P texts, chosen half first; gets the seed where dropout is on
 */
export function lossAndGradients(
  { model, trainable, config }: Trained,
  score: (dropoutSeed: tf.Tensor1D | undefined) => tf.Tensor1D,
  { share, weights, margins, seed }: PairNumbers & { readonly seed: tf.Tensor1D },
): tf.Tensor[] {
  const P = share.shape[0];
  const variables = trainable.map((name) => model.parameters.get(name)!) as unknown as tf.Tensor[];
  const forward = () => {
    const rewards = score(config.dropout ? seed : undefined);
    const loss = pairLoss(
      { chosen: tf.slice(rewards, [0], [P]), rejected: tf.slice(rewards, [P], [P]), weights, margins },
      { kind: config.loss, labelSmoothing: config.label_smoothing, centering: config.centering },
    );
    return tf.concat([tf.mul(loss, share), rewards]);
  };
  // Only the losses carry a gradient; the rewards ride along so that one run returns both.
  const direction = tf.concat([tf.ones([P]), tf.zeros([2 * P])]);
  const { value, grads } = tf.engine().gradients(forward, variables, direction);
  return [value, ...grads];
}
