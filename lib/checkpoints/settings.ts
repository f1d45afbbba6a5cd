// In: rewardbook.json. Out: how a checkpoint's texts are made, checked.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";
import { readJsonFile } from "../files/json";

/** `rewardbook.json`: what a checkpoint must remember so that texts are scored as they were trained. */
export const settingsSchema = z.looseObject({
  template: z.string(),
  max_length: z.number().int().positive(),
  truncation: z.enum(["right", "left", "prompt-first"]),
  /** Whether plain texts end with the end-of-sequence token. */
  append_eos: z.boolean().optional(),
  loss: z.unknown().optional(),
  /** Divides score differences: P(chosen) = σ(Δ / temperature). */
  temperature: z.number().positive().optional(),
  metrics: z.unknown().optional(),
  run_id: z.string().optional(),
});
export type RewardbookSettings = z.output<typeof settingsSchema>;

export const SETTINGS_FILE = "rewardbook.json";

/**
 * Settings of a checkpoint trained here, null for any other.
 *
 * @throws InputError naming the field at fault
 */
export function readSettings(dir: string): RewardbookSettings | null {
  const path = join(dir, SETTINGS_FILE);
  if (!existsSync(path)) return null;
  const result = settingsSchema.safeParse(readJsonFile(path));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InputError(
    `${path}: ${issue.path.join(".") || "top level"}: ${issue.message}; ` +
      "mend it, or delete the file to use the defaults",
  );
}
