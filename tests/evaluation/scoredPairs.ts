// Scored pairs for tests, with everything a test does not care about filled in.
import type { ScoredPair } from "../../lib/scoring/scoredPair";

export function scoredPair(fields: Partial<ScoredPair>): ScoredPair {
  const id = fields.id ?? "p1";
  return {
    id,
    questionId: fields.promptKey ?? id,
    promptKey: id,
    risk: "UNKNOWN",
    weight: 1,
    chosenScore: 0,
    rejectedScore: 0,
    chosenLength: 10,
    rejectedLength: 10,
    prompt: "Why is the sky blue?",
    chosen: "Because air scatters short waves most.",
    rejected: "Because it mirrors the sea.",
    ...fields,
  };
}

/** Pairs with the given Δ, one prompt each. */
export const pairsOf = (deltas: readonly number[]): ScoredPair[] =>
  deltas.map((delta, i) => scoredPair({ id: `p${i}`, chosenScore: delta }));
