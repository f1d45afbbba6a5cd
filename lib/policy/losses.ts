// In: log-probabilities of answers under a policy. Out: the losses that move it towards what a reward model prefers.
import * as tf from "@tensorflow/tfjs-core";

/** Token log-probabilities of B answers and which of them count, each [B, T]. */
export interface AnswerLogProbabilities {
  readonly logProbabilities: tf.Tensor2D;
  /** 1 on the tokens of the answer, 0 on prompt and padding. */
  readonly mask: tf.Tensor2D;
}

/** log π(y|x) of each answer, [B]: the sum over its tokens. */
export const sequenceLogProbabilities = ({ logProbabilities, mask }: AnswerLogProbabilities): tf.Tensor1D =>
  tf.sum(tf.mul(logProbabilities, mask), 1);

/**
 * Reward-weighted regression: ℓ = −Σᵢ wᵢ Σₜ log π(yᵢₜ | x, y<ₜ) / Σᵢ |yᵢ|; with all weights 1 the loss of supervised
 * fine-tuning.
 *
 * @param weights [B]
 * Reference: Peters and Schaal (2007), Reinforcement learning by reward-weighted regression.
 * @example
 * ```ts
 * weightedLikelihoodLoss({ logProbabilities: tf.zeros([1, 4]), mask: tf.ones([1, 4]) }, tf.tensor1d([1])).print();
 * ```
 */
export function weightedLikelihoodLoss(answers: AnswerLogProbabilities, weights: tf.Tensor1D): tf.Scalar {
  const total = tf.sum(tf.mul(sequenceLogProbabilities(answers), weights));
  return tf.neg(tf.div(total, tf.sum(answers.mask))) as tf.Scalar;
}

/**
 * wᵢ = n·exp(rᵢ/τ)/Σⱼ exp(rⱼ/τ) within the n answers of one prompt: mean 1, the better the answer the larger.
 *
 * @param rewards of the answers of one prompt
 * @param temperature τ: small takes the best answer alone, large takes all alike
 * @example
 * ```ts
 * console.log(rewardWeights([0, 1], 1));
 * ```
 */
export function rewardWeights(rewards: readonly number[], temperature: number): number[] {
  const highest = Math.max(...rewards);
  const powers = rewards.map((reward) => Math.exp((reward - highest) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => (rewards.length * power) / sum);
}

/** log π(y|x) of P chosen and P rejected answers under the policy and under where it started, each [P]. */
export interface PreferenceLogProbabilities {
  readonly chosen: tf.Tensor1D;
  readonly rejected: tf.Tensor1D;
  readonly referenceChosen: tf.Tensor1D;
  readonly referenceRejected: tf.Tensor1D;
}

/**
 * Direct preference optimisation: ℓ = mean softplus(−β[(log π/π₀)(y_c) − (log π/π₀)(y_r)]): the Bradley-Terry loss
 * with the policy's own log-ratio as the reward.
 *
 * Reference: Rafailov et al. (2023), arXiv 2305.18290, equation 7.
 *
 * @example
 * ```ts
 * const zero = tf.zeros([1]) as tf.Tensor1D;
 * dpoLoss({ chosen: zero, rejected: zero, referenceChosen: zero, referenceRejected: zero }, 0.1).print(); // ln 2
 * ```
 */
export function dpoLoss(pairs: PreferenceLogProbabilities, beta: number): tf.Scalar {
  const chosen = tf.sub(pairs.chosen, pairs.referenceChosen);
  const rejected = tf.sub(pairs.rejected, pairs.referenceRejected);
  return tf.mean(tf.softplus(tf.mul(tf.sub(chosen, rejected), -beta)));
}
