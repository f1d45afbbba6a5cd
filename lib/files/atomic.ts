// In: the content of a file. Out: the same on disk, whole or not at all, even under a kill or a power cut; and what a directory's manifest says of it.
import { createHash, randomUUID } from "node:crypto";
import {
  closeSync,
  createReadStream,
  fstatSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { systemFault } from "./systemError";

/** File that marks a directory as complete: written last, names every other file. */
export const MANIFEST = "manifest.json";

interface Manifest {
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

/** Texts that are written one after another. */
export type Parts = Iterable<string> | AsyncIterable<string>;

/** Parts joined to pieces of this size, characters: one write each. */
const PIECE = 1 << 18;

async function* inPieces(parts: Parts): AsyncGenerator<string> {
  let piece = "";
  for await (const part of parts) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Writes a file through a temporary one beside it: fsync, rename, fsync of the directory. */
export async function writeFileAtomically(path: string, content: string | Uint8Array | Parts): Promise<void> {
  const temporary = temporaryBeside(path);
  writing.add(basename(temporary));
  try {
    await makeFolder(dirname(path));
    for (const torn of (await leftBeside(path))("writing")) await rm(torn, { force: true });
    const file = await open(temporary, "w");
    try {
      await file.writeFile(typeof content === "string" || ArrayBuffer.isView(content) ? content : inPieces(content));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw systemFault(error, path) ?? error;
  } finally {
    writing.delete(basename(temporary));
  }
  await syncPath(dirname(path));
}

/** The same at once, for the small files of a run's log; its folder is there. */
export function writeFileAtomicallySync(path: string, content: string | Iterable<string>): void {
  const temporary = temporaryBeside(path);
  try {
    if (typeof content === "string") writeFileSync(temporary, content);
    else writePieces(temporary, content);
    syncFile(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw systemFault(error, path) ?? error;
  }
}

function writePieces(path: string, parts: Iterable<string>): void {
  const file = openSync(path, "w");
  try {
    let piece = "";
    for (const part of parts) {
      piece += part;
      if (piece.length < PIECE) continue;
      writeFileSync(file, piece);
      piece = "";
    }
    writeFileSync(file, piece);
  } finally {
    closeSync(file);
  }
}

/** @returns the file's bytes, which are on the disk now */
export function syncFile(path: string): number {
  const handle = openSync(path, "r+");
  try {
    fsyncSync(handle);
    return fstatSync(handle).size;
  } finally {
    closeSync(handle);
  }
}

/** Makes a folder and those above it. Node's own recursive way never ends where the system takes no folder at all, as in /proc. */
export async function makeFolder(dir: string): Promise<void> {
  if (await exists(dir)) return;
  if (dirname(dir) !== dir) await makeFolder(dirname(dir));
  await mkdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error; // another process made it
  });
}

/** What lies hidden beside a path: a file that is being written, a directory that takes the name next, the one it replaces. */
type HiddenKind = "writing" | "next" | "previous";

const hiddenStart = (path: string, kind: HiddenKind): string => `.${shortName(basename(path))}.${kind}-`;

/** A hidden name beside a path, in the same file system, so that nobody takes it for the real one; it tells the writer's process. */
export const hiddenBeside = (path: string, kind: HiddenKind): string =>
  join(dirname(path), `${hiddenStart(path, kind)}${process.pid}-${randomUUID().slice(0, 8)}`);

/** A hidden name beside a file, for its content until it is whole. */
export const temporaryBeside = (path: string): string => hiddenBeside(path, "writing");

/** What processes that are gone have left hidden beside a path, by its kind. */
export async function leftBeside(path: string): Promise<(kind: HiddenKind) => string[]> {
  const names = await readdir(dirname(path)).catch(() => [] as string[]);
  return (kind) =>
    names
      .filter((name) => name.startsWith(hiddenStart(path, kind)) && !isAlive(name))
      .map((name) => join(dirname(path), name));
}

/** Whether a name is one of `temporaryBeside`. */
export const isTemporary = (name: string): boolean => /^\..*\.writing-\d+-[0-9a-f]{8}$/.test(name);

/** Hidden siblings this process is at work on; after a restart in a container another run may have had our process id. */
export const writing = new Set<string>();

/** Whether the process that writes under a hidden name is still there. */
function isAlive(name: string): boolean {
  const pid = Number(/-(\d+)-[0-9a-f]{8}$/.exec(name)?.[1]);
  if (!pid || pid === process.pid) return writing.has(name);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Longest name that leaves room for what is put around it: file systems take 255 bytes. */
const LONGEST_NAME = 180;

/** The name itself, or its hash where there would be no room around it. */
const shortName = (name: string): string =>
  Buffer.byteLength(name) <= LONGEST_NAME ? name : createHash("sha256").update(name).digest("hex").slice(0, 16);

/**
 * Checks a directory against its manifest: every file there, with the size and the sha256 it was written with.
 *
 * @returns null when all is well, else what is wrong, in words
 */
export async function verifyDirectory(dir: string): Promise<string | null> {
  const damage = await findDamage(dir);
  return damage && `${damage.file}: ${damage.why}`;
}

/** A file that is not as the manifest says. */
export interface Damage {
  readonly file: string;
  readonly why: string;
}

/** The same for the files that `only` picks, which must all be in the manifest. */
export async function findDamage(dir: string, only?: (name: string) => boolean): Promise<Damage | null> {
  const found = await readManifest(dir);
  if ("why" in found) return found;
  const { files } = found;
  for (const [name, entry] of Object.entries(files)) {
    if (only && !only(name)) continue;
    const path = join(dir, name);
    if (relative(dir, path).startsWith("..")) return { file: MANIFEST, why: `${name} lies outside the directory` };
    const size = await stat(path).then(
      (info) => info.size,
      () => null,
    );
    if (size === null) return { file: name, why: "missing" };
    if (size !== entry?.bytes) return { file: name, why: `expected ${entry?.bytes} bytes, got ${size}` };
    if ((await hashFile(path)) !== entry.sha256) return { file: name, why: "its content is not what was written" };
  }
  if (!only) return null;
  const added = (await readdir(dir)).find((name) => only(name) && !Object.hasOwn(files, name));
  return added === undefined ? null : { file: added, why: "it was not there when the others were written" };
}

/** @returns what the manifest lists, or why it lists nothing */
export async function readManifest(dir: string): Promise<Manifest | Damage> {
  try {
    const manifest = JSON.parse(await readFile(join(dir, MANIFEST), "utf8")) as Manifest | null;
    if (typeof manifest?.files === "object" && manifest.files !== null) return manifest;
    return { file: MANIFEST, why: "lists no files" };
  } catch (error) {
    return { file: MANIFEST, why: (error as NodeJS.ErrnoException).code === "ENOENT" ? "missing" : "unreadable" };
  }
}

/** What file systems without hard links (FAT, network mounts, Windows folders in a container) and limits on links answer. */
const NO_LINK = new Set(["EPERM", "EXDEV", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EACCES", "EINVAL", "EIO"]);

/**
 * Gives a file a second name without a copy of its bytes, where the file system can; else copies it.
 *
 * @param makeLink makes a hard link; for tests of file systems that have none
 */
export async function linkOrCopy(from: string, to: string, makeLink: typeof link = link): Promise<void> {
  try {
    await makeLink(from, to);
  } catch (error) {
    if (!NO_LINK.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    await copyFile(from, to);
    await syncPath(to);
  }
}

/** sha256 of a file, in hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** Hashes all files of a directory into its manifest. */
export async function writeManifest(dir: string): Promise<void> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files: Record<string, { bytes: number; sha256: string }> = {};
  for (const entry of entries.filter((e) => e.isFile() && e.name !== MANIFEST)) {
    const path = join(entry.parentPath, entry.name);
    await syncPath(path);
    files[relative(dir, path)] = { bytes: (await stat(path)).size, sha256: await hashFile(path) };
  }
  const sorted = Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFileAtomically(join(dir, MANIFEST), `${JSON.stringify({ files: sorted }, null, 2)}\n`);
  for (const entry of entries.filter((e) => e.isDirectory())) await syncPath(join(entry.parentPath, entry.name));
  await syncPath(dir);
}

/** What was written at a path is on the disk afterwards. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether there is something at a path. */
export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
