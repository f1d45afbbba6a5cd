// In: the configuration, the pairs and the base model of a run. Out: what it began with, and in what another beginning differs.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { TrainingConfig } from "../config";
import { findModel } from "../checkpoints/findModel";
import { hashFile } from "../files/atomic";

export const originSchema = z.object({
  /** The fields of the configuration that decide the numbers. */
  settings: z.record(z.string(), z.unknown()),
  /** SHA-256 of the pairs of each part. */
  data: z.record(z.string(), z.string()),
  /** SHA-256 of the base model's files. */
  base: z.record(z.string(), z.string()),
});

/** What a run began with: it goes on only with the same. */
export type Origin = z.output<typeof originSchema>;

/** Names, places, limits and reporting: a run may go on with others. The pairs and the base model count by their content. */
const FREE = [
  "run",
  "resume",
  "overwrite",
  "preset",
  "pairs",
  "val",
  "model",
  "gate",
  "gate_min_pairs",
  "gate_train_accuracy",
  "gate_val_accuracy",
  "gate_gap",
  "gate_p_value",
  "patience",
  "save_steps",
];
/** How far a run goes: may be raised. */
const LENGTHS = ["epochs", "max_steps"] as const;

/** The fields of a configuration that decide the numbers; defaults that the machine fills in as it filled them. */
export function decisiveSettings(config: object, precision?: string): Record<string, unknown> {
  const decisive = Object.entries(config).filter(([field, value]) => !FREE.includes(field) && value !== undefined);
  return Object.fromEntries(precision ? [...decisive, ["precision", precision]] : decisive);
}

/** @param fingerprints SHA-256 of the pairs of each part */
export async function describeOrigin(
  config: TrainingConfig,
  { precision, fingerprints }: { readonly precision: string; readonly fingerprints: Readonly<Record<string, string>> },
): Promise<Origin> {
  const dir = findModel(config.model);
  const files = (await readdir(dir)).filter((name) =>
    /\.safetensors$|^(config|tokenizer|rewardbook)\.json$/.test(name),
  );
  const base: Record<string, string> = {};
  for (const name of files.sort()) base[name] = await hashFile(join(dir, name));
  return { settings: decisiveSettings(config, precision), data: { ...fingerprints }, base };
}

/** Every field in which two beginnings differ, each with what it was and what it is; a length that was raised is none. */
export function differences(then: Origin, now: Origin): string[] {
  const short = (hashes: Record<string, string>, what: string) =>
    Object.fromEntries(Object.entries(hashes).map(([name, hash]) => [`${what} ${name}`, hash.slice(0, 12)]));
  const raised = new Set<string>(raisedLengths(then, now).map(({ field }) => field));
  return [
    ...changes(then.settings, now.settings).filter(({ field }) => !raised.has(field)),
    ...changes(short(then.data, "pairs of"), short(now.data, "pairs of")),
    ...changes(short(then.base, "base model's"), short(now.base, "base model's")),
  ].map(({ field, old, value }) => `${field}: ${show(old)} then, ${show(value)} now`);
}

/** The lengths that were raised; 0 steps are no limit. */
export function raisedLengths(then: Origin, now: Origin): { field: string; old: unknown; value: unknown }[] {
  const size = (settings: Record<string, unknown>, field: string) =>
    field === "max_steps" && settings[field] === 0 ? Infinity : Number(settings[field]);
  return LENGTHS.filter((field) => size(now.settings, field) > size(then.settings, field)).map((field) => ({
    field,
    old: then.settings[field],
    value: now.settings[field],
  }));
}

function changes(then: Record<string, unknown>, now: Record<string, unknown>) {
  return [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((field) => JSON.stringify(then[field]) !== JSON.stringify(now[field]))
    .map((field) => ({ field, old: then[field], value: now[field] }));
}

const show = (value: unknown): string => (value === undefined ? "none" : JSON.stringify(value));
