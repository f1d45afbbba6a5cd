// In: paths that a command will write. Out: nothing, or the error before the work is done instead of after it.
import { open, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputError, UsageError } from "../errors";
import { makeFolder, temporaryBeside } from "./atomic";
import { systemFault } from "./systemError";

/**
 * Makes sure that files can be written: makes their folders, and a file beside each, which goes again.
 *
 * @throws UsageError where two are one file; InputError naming the path and what the system says of it
 */
export async function checkWritable(...paths: readonly (string | undefined)[]): Promise<void> {
  const asked = paths.filter((path) => path !== undefined);
  const twice = asked.find((path, i) => asked.findIndex((other) => resolve(other) === resolve(path)) < i);
  if (twice !== undefined)
    throw new UsageError(`${twice}: expected a file for each output, got one for two; name another for one of them`);
  for (const path of asked) {
    try {
      await tryFolder(dirname(path), path);
      const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      if (there?.isDirectory()) throw new InputError(`${path}: expected a file, got a folder; name a file`);
    } catch (error) {
      throw systemFault(error, path) ?? error;
    }
  }
}

/** The same of a folder that files are to be written into. */
export async function checkWritableFolder(dir: string | undefined): Promise<void> {
  if (dir === undefined) return;
  try {
    await tryFolder(dir, join(dir, "file"));
  } catch (error) {
    throw systemFault(error, dir) ?? error;
  }
}

/** Makes a folder, and a file in it of about the name that is to be written, which goes again. */
async function tryFolder(dir: string, path: string): Promise<void> {
  await makeFolder(dir);
  const probe = temporaryBeside(path);
  await (await open(probe, "wx")).close();
  await rm(probe);
}
