// In: a scored pair. Out: the training loss it would cost, as a plain number.
import { z } from "zod";
import { softplus } from "../ece";
import type { ScoredPair } from "../scoring/scoredPair";

/** The constants of `lib/loss.ts` for pairs without tensors. */
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

const savedLoss = z.looseObject({
  kind: z.enum(["bradley-terry", "scaled"]).catch("bradley-terry"),
  beta: z.number().catch(0),
  label_smoothing: z.number().catch(0),
  centering: z.number().catch(0),
  margin: z.number().catch(0),
});

/** The `loss` of a checkpoint's rewardbook.json; the plain Bradley-Terry loss for a checkpoint that has none. */
export function lossSettings(saved: unknown): PairLossSettings & { readonly beta: number } {
  const { kind, beta, label_smoothing, centering, margin } = savedLoss.parse(saved ?? {});
  return { kind, beta, labelSmoothing: label_smoothing, centering, margin };
}
