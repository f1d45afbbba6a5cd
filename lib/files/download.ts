// In: the address, size and checksum of a file. Out: the file on disk, whole, continued where an earlier attempt
// stopped.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import type { ReadableStream } from "node:stream/web";
import { InputError } from "../errors";

export interface RemoteFile {
  readonly url: string;
  readonly bytes: number;
  /** sha256 of the content, or the object id that git gives it (sha1 of `blob SIZE\0` and the content). */
  readonly checksum: { readonly kind: "sha256" | "git"; readonly hex: string };
}

export interface DownloadOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Told of the bytes on disk. */
  readonly onBytes?: (bytes: number) => void;
  /** First wait after a failure, doubled at each further one, milliseconds. */
  readonly backoff?: number;
  /** Longest time without a byte, milliseconds. */
  readonly stall?: number;
}

const ATTEMPTS = 6;
/** Answers that another attempt will not change. */
const FINAL = new Set([400, 401, 403, 404, 410, 451]);

/** @throws InputError when the server refuses, stays unreachable, or sends another content than its checksum says */
export async function downloadFile(path: string, file: RemoteFile, options: DownloadOptions = {}): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  let why = "",
    mismatches = 0;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0)
      await new Promise((resolve) => setTimeout(resolve, (options.backoff ?? 1000) * 2 ** (attempt - 1)));
    try {
      if ((await sizeOf(path)) !== file.bytes || file.bytes === 0) await fetchRest(path, file, options);
      const found = await checksumOf(path, file);
      if (found === file.checksum.hex) return;
      await rm(path);
      why = `content with checksum ${found}`;
      if (++mismatches === 2) break; // twice the same wrong content: not the line's fault
    } catch (error) {
      if (error instanceof InputError) throw error;
      const { message, cause } = error as { message: string; cause?: Error };
      why = cause ? `${message} (${cause.message})` : message;
    }
  }
  throw new InputError(
    `${file.url}: expected ${file.bytes} bytes with checksum ${file.checksum.hex}, got ${why}; ` +
      "run again: it goes on where it stopped",
  );
}

/** Whether a file has the size and the checksum. */
export async function isWhole(path: string, file: Pick<RemoteFile, "bytes" | "checksum">): Promise<boolean> {
  return (await sizeOf(path)) === file.bytes && (await checksumOf(path, file)) === file.checksum.hex;
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (info) => info.size,
    () => 0,
  );

async function checksumOf(path: string, { bytes, checksum }: Pick<RemoteFile, "bytes" | "checksum">): Promise<string> {
  const hash = createHash(checksum.kind === "git" ? "sha1" : "sha256");
  if (checksum.kind === "git") hash.update(`blob ${bytes}\0`);
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** Appends what is missing; begins anew when the server does not continue where it was asked to. */
async function fetchRest(
  path: string,
  file: RemoteFile,
  { headers, onBytes, stall = 60_000 }: DownloadOptions,
): Promise<void> {
  let have = await sizeOf(path);
  if (have > file.bytes) have = 0;
  const abort = new AbortController();
  const late = () => abort.abort(new Error(`no data for ${stall / 1000} s`));
  let timer = setTimeout(late, stall);
  try {
    const response = await fetch(file.url, {
      headers: { ...headers, "accept-encoding": "identity", ...(have > 0 && { range: `bytes=${have}-` }) },
      signal: abort.signal,
    });
    if (FINAL.has(response.status))
      throw new InputError(
        `${file.url}: expected the file, got HTTP ${response.status}; check the name, the revision and HF_TOKEN`,
      );
    if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
    if (response.status !== 206 || !response.headers.get("content-range")?.startsWith(`bytes ${have}-`)) have = 0;
    const out = await open(path, have > 0 ? "a" : "w");
    try {
      for await (const piece of Readable.fromWeb(response.body as ReadableStream)) {
        clearTimeout(timer);
        timer = setTimeout(late, stall);
        have += (piece as Uint8Array).length;
        if (have > file.bytes) throw new Error(`more than ${file.bytes} bytes`);
        await out.writeFile(piece as Uint8Array);
        onBytes?.(have);
      }
    } finally {
      await out.close();
    }
    if (have < file.bytes) throw new Error(`only ${have} bytes`);
  } finally {
    clearTimeout(timer);
  }
}
