// In: the machine. Out: a folder in which XLA keeps what it compiles, so that a later process loads it: a third of the time to the first step.
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectPath } from "../files/paths";
import { xlaCacheKey } from "./choice";

const FLAG = "--tf_xla_persistent_cache_directory=";

/** Sets TensorFlow's flag, unless TF_XLA_FLAGS is set already; before the library is loaded. Without a folder to write in it compiles anew each time. */
export function useXlaCache(cpuinfo: string): void {
  if (process.env.TF_XLA_FLAGS !== undefined) return;
  try {
    const { size, mtimeMs } = statSync(
      projectPath("node_modules", "@tensorflow", "tfjs-node", "deps", "lib", "libtensorflow_cc.so.2"),
    );
    const key = xlaCacheKey({ cpuinfo, library: `${size} ${mtimeMs}`, flags: process.env.XLA_FLAGS ?? "" });
    const folder = projectPath(".cache", "xla", key);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    process.env.TF_XLA_FLAGS = FLAG + folder;
  } catch {
    // the library lies elsewhere, or the project's folder is read-only
  }
}

/** Throws away what the folder holds. @returns whether there was anything */
export function clearXlaCache(): boolean {
  const folder = process.env.TF_XLA_FLAGS?.split(" ")
    .find((flag) => flag.startsWith(FLAG))
    ?.slice(FLAG.length);
  const entries =
    folder === undefined ? [] : readdirSync(folder).filter((name) => name.startsWith("xla_compile_cache"));
  for (const name of entries) rmSync(join(folder!, name), { force: true });
  return entries.length > 0;
}
