// In: what the user called a model. Out: its directory.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { InputError } from "../errors";
import { projectPath } from "../files/paths";

/** The default encoder, put there by the set-up. */
export const DEFAULT_MODEL = "all-MiniLM-L6-v2";

/**
 * Directory of a model given by path, by name under models/, or not at all.
 *
 * @example
 * ```ts
 * console.log(findModel(undefined)); // the default encoder's directory
 * ```
 */
export function findModel(model: string | undefined): string {
  const name = model ?? DEFAULT_MODEL;
  const places = [name, projectPath("models", name), projectPath("models", name.split("/").pop()!)];
  const found = places.find((place) => existsSync(join(place, "config.json")));
  if (found) return found;
  if (existsSync(name)) return name; // loading it says what is missing inside
  const remedy = model === undefined ? "run npm run setup" : `give a model directory, or run rewardbook pull ${name}`;
  throw new InputError(`model: expected a Hugging Face directory at ${name} or models/${name}, got none; ${remedy}`);
}
