// In: a checkpoint directory with a manifest. Out: nothing, or the file that is not what was written; remembered, so that
// a directory is read through once and later only looked at.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError } from "../errors";
import { findDamage, MANIFEST } from "../files/atomic";
import { projectPath } from "../files/paths";

/** The files that decide a score; a model card may be edited. */
const DECISIVE =
  /^(config\.json|rewardbook\.json|(model|adapter_model)[^/]*\.safetensors(\.index\.json)?|adapter_config\.json|value_head\.(safetensors|bin)|tokenizer[^/]*\.json|special_tokens_map\.json|chat_template\.jinja|ensemble\.json|heads\.safetensors)$/;
export const decidesScores = (name: string): boolean => DECISIVE.test(name);

const verified = new Map<string, string>();

/**
 * Makes sure that the files which decide a score are those that were written, where a manifest says which those are.
 *
 * @throws InputError naming the file
 */
export async function requireVerified(dir: string): Promise<void> {
  if (!existsSync(join(dir, MANIFEST))) return;
  const path = resolve(dir);
  const state = await stateOf(path);
  const memory = projectPath(".cache", "verified", createHash("sha256").update(path).digest("hex").slice(0, 32));
  if ((verified.get(path) ?? readOrNull(memory)) === state) return;
  const fault = await findDamage(dir, decidesScores);
  if (fault !== null)
    throw new InputError(
      `${join(dir, fault.file)}: expected the file as it was written, got another one (${fault.why}); restore it, or, if you changed it yourself, accept it: rewardbook verify ${dir} --write-manifest`,
    );
  verified.set(path, state);
  try {
    mkdirSync(projectPath(".cache", "verified"), { recursive: true });
    writeFileSync(memory, state);
  } catch {
    // a read-only project: the next process reads the files through again
  }
}

/** What the system says of the files: a changed one has another size, or at least another time of its last change. */
async function stateOf(dir: string): Promise<string> {
  const names = (await readdir(dir)).filter((name) => name === MANIFEST || decidesScores(name)).sort();
  const lines = names.map(async (name) => {
    const { size, ino, mtimeNs, ctimeNs } = await stat(join(dir, name), { bigint: true });
    return `${name} ${size} ${ino} ${mtimeNs} ${ctimeNs}`;
  });
  return (await Promise.all(lines)).join("\n");
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // not seen before
  }
}
