// In: checkpoints of several seeds. Out: one directory that holds them all, and back: members of their own, or one trunk with several heads.
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";
import { linkOrCopy, MANIFEST } from "../files/atomic";
import { writeDirectoryAtomically } from "../files/directory";
import { readJsonFile } from "../files/json";
import { openTensors, readSafetensors, writeSafetensors, type TensorEntry } from "../files/safetensors";
import { headShapes } from "../models/heads";
import { parseModelConfig } from "../models/config";
import { requireVerified } from "./verify";

const ENSEMBLE_FILE = "ensemble.json";
/** Heads on one trunk, each tensor under `SEED/name`. */
const HEADS_FILE = "heads.safetensors";

const memberSchema = z.object({
  seed: z.number(),
  run: z.string(),
  /** Mean reward of the validation answers: a model's level is arbitrary, and no part of the members' spread. */
  level: z.number(),
});
const ensembleSchema = z.object({
  /** `heads`: the directory is a model's, with several heads; `models`: each member has a folder, named by its seed. */
  kind: z.enum(["heads", "models"]),
  /** Folder (`models`) or name (`heads`) of the member that scores best alone. */
  best: z.string(),
  members: z.array(memberSchema).min(2),
  /** Divides differences of mean scores: P(chosen) = σ(Δ / temperature). */
  temperature: z.number().positive(),
});
/** `ensemble.json`. */
export type EnsembleFile = Readonly<z.output<typeof ensembleSchema>>;
export type EnsembleMember = Readonly<z.output<typeof memberSchema>>;

export const isEnsemble = (dir: string): boolean => existsSync(join(dir, ENSEMBLE_FILE));

/** @throws InputError for a file that no ensemble was written with, or a directory that is not as it was written */
export async function readEnsemble(dir: string): Promise<EnsembleFile> {
  const path = join(dir, ENSEMBLE_FILE);
  await requireVerified(dir);
  const parsed = ensembleSchema.safeParse(readJsonFile(path));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new InputError(
    `${path}: ${issue.path.join(".") || "top level"}: ${issue.message}; rewardbook train --seeds writes it`,
  );
}

/** The directory that `loadScoringModel` reads for the member that is best alone. */
export const bestMember = (dir: string, { kind, best }: EnsembleFile): string =>
  kind === "heads" ? dir : join(dir, best);

export const memberDirectory = (dir: string, { seed }: EnsembleMember): string => join(dir, String(seed));

/** Parameters of each member's head, in the order of the members. */
export async function readHeads(dir: string, { members }: EnsembleFile): Promise<Map<string, TensorEntry>[]> {
  const path = join(dir, HEADS_FILE);
  const tensors = await readSafetensors(path);
  return members.map(({ seed }) => {
    const prefix = `${seed}/`;
    const own = [...tensors].filter(([name]) => name.startsWith(prefix));
    if (own.length === 0)
      throw new InputError(`${path}: expected the head of seed ${seed}, got none; copy the directory again, whole`);
    return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
  });
}

export interface EnsembleSource extends Omit<EnsembleFile, "best" | "members"> {
  readonly members: readonly (EnsembleMember & { /** Its checkpoint. */ readonly checkpoint: string })[];
  /** Index of the member that is best alone. */
  readonly best: number;
}

/** Writes an ensemble, whole or not at all. Weights that lie on the same disk are linked, not copied. */
export async function writeEnsemble(dir: string, { kind, members, best, temperature }: EnsembleSource): Promise<void> {
  const file: EnsembleFile = {
    kind,
    best: String(members[best].seed),
    temperature,
    members: members.map(({ seed, run, level }) => ({ seed, run, level })),
  };
  await writeDirectoryAtomically(dir, async (temporary) => {
    if (kind === "heads") {
      await linkDirectory(members[best].checkpoint, temporary);
      await writeSafetensors(join(temporary, HEADS_FILE), await headsOf(members));
    } else
      for (const member of members) await linkDirectory(member.checkpoint, memberDirectory(temporary, member), true);
    await writeFile(join(temporary, ENSEMBLE_FILE), `${JSON.stringify(file, null, 2)}\n`);
  });
}

/** The same files under another directory, without a copy of their bytes; not the manifest, which the new directory gets anew. */
export async function linkDirectory(from: string, to: string, keepManifest = false): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const target = join(to, relative(from, path));
    if (entry.isDirectory()) await mkdir(target, { recursive: true });
    else if (keepManifest || entry.name !== MANIFEST) await linkOrCopy(path, target);
  }
}

async function headsOf(members: EnsembleSource["members"]) {
  const heads: [string, TensorEntry][] = [];
  for (const { seed, checkpoint } of members) {
    const path = join(checkpoint, "config.json");
    const { read } = await openTensors(checkpoint);
    for (const name of headShapes(parseModelConfig(readJsonFile(path), path)).keys()) {
      heads.push([`${seed}/${name}`, await read(name)]);
    }
  }
  return heads;
}
