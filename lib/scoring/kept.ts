// In: scores of a scoring that was stopped. Out: the same to the next scoring of the same model, which goes on from there.
import { createHash } from "node:crypto";
import type { RewardModel } from "../models/rewardModel";

const kept = new WeakMap<RewardModel, Map<string, number>>();

const keyOf = (ids: Uint32Array, precision: string): string =>
  createHash("sha256")
    .update(precision)
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest("base64");

/** Scores by token ids and precision, kept for a model from a stop to the end of the next whole scoring. */
export function keptScores(model: RewardModel, precision = "f32") {
  return {
    find: (ids: Uint32Array): number | undefined => kept.get(model)?.get(keyOf(ids, precision)),
    keep(scores: Iterable<readonly [Uint32Array, number]>): void {
      const map = kept.get(model) ?? new Map<string, number>();
      for (const [ids, score] of scores) map.set(keyOf(ids, precision), score);
      kept.set(model, map);
    },
    forget: (): void => void kept.delete(model),
  };
}
