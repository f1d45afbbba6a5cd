// In: the rewards of chosen and rejected answers. Out: the loss of each pair, differentiable.
import * as tf from "@tensorflow/tfjs-core";

/** `bradley-terry` subtracts the margin from the reward difference; `scaled` multiplies the pair's loss by it. */
export type LossKind = "bradley-terry" | "scaled";

/** The constants of the pair loss, shared by every pair of a run. */
export interface LossOptions {
  readonly kind: LossKind;
  /** ε in [0, 0.5): the share of labels taken to be flipped. */
  readonly labelSmoothing: number;
  /** λ ≥ 0: pulls the sum of a pair's rewards to zero, so that rewards do not drift. */
  readonly centering: number;
}

/** Rewards, weights and margins of B pairs, each of shape [B]. */
export interface PairRewards {
  readonly chosen: tf.Tensor1D;
  readonly rejected: tf.Tensor1D;
  /** w = 1 + β·confidencePenalty; see {@link pairWeight}. */
  readonly weights: tf.Tensor1D;
  /** m: least difference asked for (`bradley-terry`), or the factor of the loss (`scaled`). */
  readonly margins: tf.Tensor1D;
}

/**
 * Loss of each pair, before averaging.
 *
 *   ℓ = w·[(1−ε)·softplus(−(Δ−m)) + ε·softplus(Δ−m)] + λ(r_c + r_r)²,   Δ = r_c − r_r
 *
 * `scaled` puts w·m in the place of w and leaves Δ alone. softplus(−x) is −log σ(x) without the overflow
 * and without the floor that log(σ(x) + 1e-8) puts under the gradient.
 *
 * @returns shape [B]
 * Reference: Bradley and Terry (1952); Ouyang et al. 2022, eq. 1; margin: Touvron et al. 2023 (Llama 2), eq. 2;
 * centring: Eisenstein et al. 2023; scaled: Wang et al. 2024 (HelpSteer2-Preference), eq. 3.
 * @example
 * ```ts
 * const losses = pairLoss(
 *   { chosen: tf.tensor1d([2]), rejected: tf.tensor1d([1]), weights: tf.tensor1d([1]), margins: tf.tensor1d([0]) },
 *   { kind: "bradley-terry", labelSmoothing: 0, centering: 0 },
 * );
 * losses.print(); // 0.3133 = softplus(−1)
 * ```
 */
export function pairLoss(pairs: PairRewards, options: LossOptions): tf.Tensor1D {
  const { chosen, rejected, weights, margins } = pairs;
  const scaled = options.kind === "scaled";
  const difference = scaled ? tf.sub(chosen, rejected) : tf.sub(tf.sub(chosen, rejected), margins);
  const smoothing = options.labelSmoothing;
  let core = tf.softplus(tf.neg(difference));
  if (smoothing > 0) core = tf.add(tf.mul(core, 1 - smoothing), tf.mul(tf.softplus(difference), smoothing));
  let loss = tf.mul(core, scaled ? tf.mul(weights, margins) : weights);
  if (options.centering > 0) loss = tf.add(loss, tf.mul(tf.square(tf.add(chosen, rejected)), options.centering));
  return loss as tf.Tensor1D;
}

/**
 * Weight of a pair, w = 1 + β·penalty: a confidently wrong rejected answer counts more (the original notebook's BETA).
 *
 * @example
 * ```ts
 * pairWeight(0.5, 3); // → 2.5
 * ```
 */
export function pairWeight(confidencePenalty: number, beta: number): number {
  return 1 + beta * confidencePenalty;
}
