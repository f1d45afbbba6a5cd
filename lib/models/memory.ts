// In: a configuration and a batch shape. Out: what training it keeps in memory, and what may be kept in bfloat16.

import type { ModelConfig } from "./config";
import { trunkShapes } from "./families";

/** Bytes of activations from which layers are computed again in the backward pass. */
export const RECOMPUTE_ABOVE = 5e9;

/**
 * Bytes that training keeps for the backward pass of a batch: the f32 values of three hidden and 2.4 intermediate rows for
 * each token and layer and, unless attention is fused, about 6.4 for each attention weight (fitted to compiled bf16 steps of
 * 22.7 M and 135 M).
 */
export function activationBytes(
  { layers, heads, hiddenSize, intermediateSize }: ModelConfig,
  [B, T]: readonly number[],
  fusedAttention: boolean,
): number {
  const weights = fusedAttention ? 0 : 6.4 * heads * T;
  return layers * B * T * (weights + 4 * (3 * hiddenSize + 2.4 * intermediateSize));
}

/** Names of the parameters that may be in bfloat16 while they are not trained: the trunk's matrices. */
export function halfNames(config: ModelConfig): Set<string> {
  const isEven = (shape: number[]) => (shape[0] * shape[1]) % 2 === 0; // two to a word
  return new Set(
    [...trunkShapes(config)].filter(([, shape]) => shape.length === 2 && isEven(shape)).map(([name]) => name),
  );
}
