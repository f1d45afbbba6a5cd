// Where a project's files lie. The root is the folder of package.json, from the sources as from dist/.
import { existsSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";

/** Absolute path of a file or folder of the project. */
export function projectPath(...parts: string[]): string {
  let root = __dirname;
  while (!existsSync(join(root, "package.json"))) {
    const parent = dirname(root);
    if (parent === root)
      throw new Error(`projectPath: expected a folder with package.json above ${__dirname}, found none`);
    root = parent;
  }
  return join(root, ...parts);
}

/** A path without where the project lies, which differs by machine and is nobody's business in a report. */
export function placeInProject(path: string): string {
  const inside = relative(projectPath(), path);
  return isAbsolute(path) && inside !== "" && !inside.startsWith("..") && !isAbsolute(inside) ? inside : path;
}

/** Folders that a run writes; relative to the working directory. */
export const metricsDir = (run: string): string => join("metrics", run);
export const checkpointsDir = (run: string): string => join("checkpoints", run);
