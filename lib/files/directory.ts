// In: the files of a directory. Out: the directory on disk, whole or not at all, and nothing else lost by it.
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { InputError } from "../errors";
import {
  exists,
  hiddenBeside,
  leftBeside,
  makeFolder,
  readManifest,
  syncPath,
  verifyDirectory,
  writeManifest,
  writing,
} from "./atomic";
import { systemFault } from "./systemError";

/**
 * Makes a directory in one step: `fill` writes into a hidden sibling, which is hashed into a manifest, synced and
 * only then takes the name. A directory that was there before stays until the new one is complete; after a kill
 * between the two renames `recoverDirectory` puts the newer one in place.
 *
 * @throws InputError for a folder that holds what was not written so: it would be gone
 */
export async function writeDirectoryAtomically(dir: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const target = resolve(dir);
  await makeFolder(dirname(target));
  await recoverDirectory(target);
  await requireReplaceable(dir);
  const temporary = hiddenBeside(target, "next"),
    previous = hiddenBeside(target, "previous");
  const names = [temporary, previous].map((path) => basename(path));
  names.forEach((name) => writing.add(name));
  try {
    await mkdir(temporary);
    await fill(temporary);
    await writeManifest(temporary);
    if (await exists(target)) await rename(target, previous);
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (!(await exists(target)) && (await exists(previous))) await rename(previous, target);
    throw isAbout(error, temporary) ? (systemFault(error, dir) ?? error) : error;
  } finally {
    names.forEach((name) => writing.delete(name));
  }
  await syncPath(dirname(target));
  await rm(previous, { recursive: true, force: true });
}

/** Whether the system refused something in a folder, or does not say where: a write to a full disk names no file. */
function isAbout(error: unknown, folder: string): boolean {
  const { path } = error as NodeJS.ErrnoException;
  return path === undefined || path.startsWith(folder);
}

/**
 * Refuses to write a directory where another one stands that would be lost: one that is neither empty nor of the same making.
 *
 * @param mark file that the manifest of such a one names; without it any directory with a manifest will do, and a model's
 * @throws InputError
 */
export async function requireReplaceable(dir: string, mark?: string): Promise<void> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [] as string[];
    throw systemFault(error, dir) ?? error;
  });
  if (names.length === 0) return;
  const found = await readManifest(dir);
  const listed = "files" in found ? Object.keys(found.files) : null;
  const isModel = names.includes("config.json") && names.some((name) => name.endsWith(".safetensors"));
  if (mark === undefined ? listed !== null || isModel : listed?.some((name) => name.startsWith(mark))) return;
  throw new InputError(
    `${dir}: expected a new or empty folder, or an earlier one of the same making, got one that holds ${names.slice(0, 3).join(", ")}${names.length > 3 ? " …" : ""}; name another, or move it away`,
  );
}

/**
 * Puts right what a kill during `writeDirectoryAtomically` left: a missing directory comes back from its complete
 * successor, else from its predecessor; half-written siblings of dead processes go.
 */
export async function recoverDirectory(dir: string): Promise<void> {
  const target = resolve(dir);
  const left = await leftBeside(target);
  const [nexts, previous] = [left("next"), left("previous")];
  if (!(await exists(target))) {
    for (const candidate of nexts) {
      if ((await verifyDirectory(candidate)) === null && !(await exists(target))) await rename(candidate, target);
    }
    for (const candidate of previous) if (!(await exists(target))) await rename(candidate, target);
  }
  for (const path of [...nexts, ...previous]) await rm(path, { recursive: true, force: true });
}
