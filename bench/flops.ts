// In: a model and the lengths of texts. Out: the operations that training on them needs, padding left out.
import { countParameters, embeddingSize, type RewardModel } from "../lib/models/rewardModel";

/**
 * Operations of the matrix products of a training step: 6 a weight and token (2 forward, 4 backward) and, for attention,
 * 12·T·H a layer and token.
 *
 * Reference: Chowdhery et al. (2022), PaLM, arXiv 2204.02311, appendix B.
 */
export function modelFlops(model: RewardModel, lengths: readonly number[]): number {
  const weights = countParameters(model) - embeddingSize(model);
  const { layers, hiddenSize } = model.config;
  return lengths.reduce((total, T) => total + 6 * weights * T + 12 * layers * hiddenSize * T * T, 0);
}
