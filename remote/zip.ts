// In: a folder. Out: a zip of it that is the same for the same files, to be sent as a job's working directory.
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** Earliest time that a zip can hold: no file of a package has one of its own. */
const NO_TIME = new Date(1980, 0, 1);
/** Weights are noise to a compressor. */
const INCOMPRESSIBLE = /\.safetensors$/;

/** Writes every file below `folder`, by name. @returns SHA-256 of the zip */
export async function zipFolder(folder: string, target: string): Promise<string> {
  const { ZipFile } = await import("yazl");
  const zip = new ZipFile();
  for (const path of await filesBelow(folder)) {
    const name = relative(folder, path).split(sep).join("/");
    const options = { mtime: NO_TIME, mode: 0o100644, compress: !INCOMPRESSIBLE.test(name), forceDosTimestamp: true };
    zip.addFile(path, name, options);
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
  const hash = createHash("sha256");
  await pipeline(createReadStream(target), hash);
  return hash.digest("hex");
}

/** Files below a folder, in the order of their names. */
async function filesBelow(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const path = join(folder, name);
    if ((await stat(path)).isDirectory()) found.push(...(await filesBelow(path)));
    else found.push(path);
  }
  return found;
}
