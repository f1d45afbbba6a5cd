// In: a scored pair. Out: the training loss it would cost, as a plain number.
import { softplus } from "../ece";
import type { ScoredPair } from "./scoredPair";

/** The loss settings of a run, as `rewardbook.json` keeps them. */
export interface PairLossSettings {
  readonly kind?: "bradley-terry" | "scaled";
  /** ε: share of labels taken to be flipped. */
  readonly labelSmoothing?: number;
  /** λ of λ(r_c + r_r)². */
  readonly centering?: number;
  /** Margin of pairs that carry none. */
  readonly margin?: number;
}

/**
 * The loss of `lib/loss.ts` for one pair, without tensors:
 * w·[(1−ε)·softplus(−(Δ−m)) + ε·softplus(Δ−m)] + λ(r_c + r_r)²; `scaled` multiplies by m instead of subtracting it.
 */
export function pairLossValue(pair: ScoredPair, settings: PairLossSettings = {}): number {
  const { kind = "bradley-terry", labelSmoothing = 0, centering = 0 } = settings;
  const scaled = kind === "scaled";
  const margin = pair.margin ?? settings.margin ?? 0;
  const difference = pair.chosenScore - pair.rejectedScore - (scaled ? 0 : margin);
  const core = (1 - labelSmoothing) * softplus(-difference) + labelSmoothing * softplus(difference);
  const pull = centering * (pair.chosenScore + pair.rejectedScore) ** 2;
  return pair.weight * (scaled ? margin : 1) * core + pull;
}
