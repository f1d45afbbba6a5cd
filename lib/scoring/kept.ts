// In: what a stopped run of a model over texts had computed. Out: the same to the next run with the same weights, which goes on from there.
import { createHash } from "node:crypto";
import type { RewardModel } from "../models/rewardModel";
import { weightsKey } from "../models/weightsKey";

/** What a run computes of a text, and in which precision. */
export interface KindOfRun {
  readonly name: "score" | "embed";
  readonly precision?: "bf16" | "f32";
}

interface Stopped {
  readonly of: string;
  readonly results: Map<string, unknown>;
}

/** The last run of each kind that was stopped. */
const stopped = new Map<KindOfRun["name"], Stopped>();

const textKey = (ids: Uint32Array): string =>
  createHash("sha256")
    .update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
    .digest("base64");

/** A cell that is run again loads its model anew: what counts is the model's numbers, not the object. */
function runKey({ config, lora, parameters, table }: RewardModel, precision: string): string {
  const { raw: _, ...rest } = config;
  return JSON.stringify([rest, lora, precision, weightsKey(parameters), table?.rows.version]);
}

/** Results by token ids, kept from a stop to the end of the next whole run of the same kind and weights. */
export function keptResults<T>(model: RewardModel, { name, precision = "f32" }: KindOfRun) {
  const before = stopped.get(name);
  const of = before && runKey(model, precision);
  const known = before?.of === of ? (before?.results as Map<string, T> | undefined) : undefined;
  return {
    find: (ids: Uint32Array): T | undefined => known?.get(textKey(ids)),
    keep(results: Iterable<readonly [Uint32Array, T]>): void {
      const all = new Map<string, T>(known);
      for (const [ids, result] of results) all.set(textKey(ids), result);
      stopped.set(name, { of: of ?? runKey(model, precision), results: all });
    },
    /** After a whole run. */
    forget: (): void => void (known && stopped.delete(name)),
  };
}
