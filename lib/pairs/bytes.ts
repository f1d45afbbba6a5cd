// In: a path. Out: its bytes, unzipped where they are zipped, with the errors a user can mend.
import { open, type FileHandle } from "node:fs/promises";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { pipeline } from "node:stream";
import { InputError } from "../errors";
import { systemFault } from "../files/systemError";

const CHUNK = 1 << 18;
const READABLE = "a .jsonl, .json, .csv or .parquet file (the first three also as .gz)";

/** What the first bytes of a file say. */
export interface Opened {
  readonly size: number;
  readonly gzip: boolean;
  /** First four bytes after unzipping (a byte-order mark included). */
  readonly head: Buffer;
  /** All bytes, from the start; may be called again. */
  bytes(): AsyncIterable<Buffer>;
}

/** A file error in the user's words. */
export function fileError(path: string, error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") return new InputError(`${path}: no such file; check the path`);
  if (code === "EISDIR") return new InputError(`${path}: expected a file, got a directory; name ${READABLE}`);
  if (code === "EACCES" || code === "EPERM") return new InputError(`${path}: may not be read; check its permissions`);
  if (typeof code === "string" && code.startsWith("Z_"))
    return new InputError(`${path}: broken gzip data (${(error as Error).message}); fetch or pack the file again`);
  return systemFault(error, path) ?? (error as Error);
}

async function handle(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    throw fileError(path, error);
  }
}

async function* stream(path: string, gzip: boolean): AsyncGenerator<Buffer> {
  const file = await handle(path);
  const raw = file.createReadStream({ highWaterMark: CHUNK, autoClose: true });
  const source = gzip ? pipeline(raw, createGunzip({ chunkSize: CHUNK }), () => {}) : raw;
  try {
    for await (const chunk of source) yield chunk as Buffer;
  } catch (error) {
    throw fileError(path, error);
  } finally {
    raw.destroy();
  }
}

/**
 * Opens a file that must be a non-empty regular file.
 *
 * @throws InputError when it is missing, a directory, empty, unreadable, UTF-16 or broken gzip.
 */
export async function openFile(path: string): Promise<Opened> {
  const file = await handle(path);
  let size: number;
  const first = Buffer.alloc(2);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    if (!stat.isFile()) throw new InputError(`${path}: expected a regular file; name ${READABLE}`);
    size = stat.size;
    await file.read(first, 0, 2, 0);
  } catch (error) {
    throw fileError(path, error);
  } finally {
    await file.close();
  }
  if (size === 0)
    throw new InputError(`${path}: expected preference pairs, got an empty file; check how it was written`);
  const gzip = first[0] === 0x1f && first[1] === 0x8b;
  const bytes = () => stream(path, gzip);
  let head = Buffer.alloc(0);
  for await (const chunk of bytes()) {
    head = Buffer.concat([head, chunk.subarray(0, 4)]);
    if (head.length >= 4) break;
  }
  if (head.length === 0)
    throw new InputError(`${path}: expected preference pairs, got an empty file; check how it was written`);
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff))
    throw new InputError(`${path}: expected UTF-8, got UTF-16; save the file as UTF-8`);
  return { size, gzip, head, bytes };
}

/** The file name without directory, `.gz` and extension: `a/pairs.jsonl.gz` → `pairs`. */
export function stemOf(path: string): string {
  const name = basename(path);
  return name.replace(/\.gz$/i, "").replace(/\.(jsonl|ndjson|json|csv|tsv|parquet)$/i, "") || name;
}
