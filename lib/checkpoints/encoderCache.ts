// In: what a frozen encoder makes of each distinct text. Out: the same vectors in later epochs and runs, from one file.
import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

export { textHash } from "../batching/tokenStore";
export { encoderKey } from "./encoderKey";

export interface EncoderCache {
  /** Numbers of a vector. */
  readonly width: number;
  /** Vectors it holds. */
  readonly size: number;
  /** Row of a text (`textHash`), undefined when it was never put. */
  row(hash: string): number | undefined;
  /** Adds a vector; it is on the disk after `flush`. @returns its row */
  put(hash: string, vector: Float32Array): number;
  /** Copies vectors into `out`, one after another. */
  read(rows: ArrayLike<number>, out: Float32Array): void;
  flush(): void;
  close(): void;
}

export interface EncoderCacheOptions {
  readonly dir: string;
  /** From `encoderKey`: names the file and stands in its first bytes. */
  readonly key: string;
  readonly width: number;
  /** Vectors kept in memory, bytes; beyond them rows are read from the file. Default 1 GiB. */
  readonly residentBytes?: number;
}

const MAGIC = "RBVEC1\n\0";
const HEADER_BYTES = 64;
const HASH_BYTES = 32;
/** Before each vector: the text's sha256, the vector's CRC-32, four bytes of padding. */
const PREFIX_BYTES = HASH_BYTES + 8;
const PAGE_ROWS = 1024;
const DEFAULT_RESIDENT_BYTES = 2 ** 30;

/**
 * Opens the file of a key, or begins it. Records are checked by CRC when the file is opened: one that is torn or
 * changed is forgotten, a file of another key or width is begun anew.
 */
export function openEncoderCache({
  dir,
  key,
  width,
  residentBytes = DEFAULT_RESIDENT_BYTES,
}: EncoderCacheOptions): EncoderCache {
  mkdirSync(dir, { recursive: true });
  const { path, release } = claim(join(dir, `${key.slice(0, 32)}.vectors`));
  const recordBytes = PREFIX_BYTES + 4 * width;
  const rows = new Map<string, number>();
  const pages: (Float32Array | null)[] = [];
  const residentPages = Math.floor(residentBytes / (PAGE_ROWS * width * 4));
  const file = openChecked(path, key, width);
  let count = Math.floor((fstatSync(file).size - HEADER_BYTES) / recordBytes);
  ftruncateSync(file, HEADER_BYTES + count * recordBytes);
  let pending: Buffer[] = [];

  const keep = (row: number, vector: Float32Array) => {
    const page = Math.floor(row / PAGE_ROWS);
    if (pages.length === page) pages.push(page < residentPages ? new Float32Array(PAGE_ROWS * width) : null);
    pages[page]?.set(vector, (row % PAGE_ROWS) * width);
  };
  const cache: EncoderCache = {
    width,
    get size() {
      return rows.size;
    },
    row: (hash) => rows.get(hash),
    put: (hash, vector) => {
      const known = rows.get(hash);
      if (known !== undefined) return known;
      if (vector.length !== width)
        throw new Error(`encoderCache.put: expected a vector of ${width}, got ${vector.length}`);
      const row = count++;
      pending.push(record(hash, vector));
      keep(row, vector);
      rows.set(hash, row);
      if (pending.length * recordBytes > 1 << 22) cache.flush();
      return row;
    },
    read: (wanted, out) => {
      for (let i = 0; i < wanted.length; i++) {
        const row = wanted[i],
          page = pages[Math.floor(row / PAGE_ROWS)],
          to = i * width;
        if (page) {
          const from = (row % PAGE_ROWS) * width;
          out.set(page.subarray(from, from + width), to);
        } else {
          if (pending.length > 0) cache.flush();
          readSync(
            file,
            new Uint8Array(out.buffer, out.byteOffset + 4 * to, 4 * width),
            0,
            4 * width,
            HEADER_BYTES + row * recordBytes + PREFIX_BYTES,
          );
        }
      }
    },
    flush: () => {
      if (pending.length > 0)
        writeSync(file, Buffer.concat(pending), 0, undefined, HEADER_BYTES + (count - pending.length) * recordBytes);
      pending = [];
    },
    close: () => {
      cache.flush();
      closeSync(file);
      release();
    },
  };
  scan(file, count, width, (hash, row, vector) => {
    keep(row, vector);
    if (hash !== null) rows.set(hash, row);
  });
  return cache;
}

/** Deletes all but the newest files of a directory; those in use stay. */
export function pruneEncoderCaches(dir: string, keep: number): void {
  if (!existsSync(dir)) return;
  const files = readdirSync(dir)
    .filter((name) => name.endsWith(".vectors"))
    .map((name) => join(dir, name));
  files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of files.slice(keep)) if (!existsSync(`${path}.lock`)) rmSync(path);
}

/** One writer a file: while another process has it, a file of one's own, gone when it is closed. */
function claim(path: string): { path: string; release: () => void } {
  const lock = `${path}.lock`,
    own = `${path}.${process.pid}`;
  const free = () => {
    try {
      writeFileSync(lock, String(process.pid), { flag: "wx" });
      return true;
    } catch {
      return false;
    }
  };
  if (free()) return { path, release: () => rmSync(lock, { force: true }) };
  if (!isRunning(Number(readFileSync(lock, "utf8")))) {
    rmSync(lock, { force: true });
    if (free()) return { path, release: () => rmSync(lock, { force: true }) };
  }
  rmSync(own, { force: true });
  return { path: own, release: () => rmSync(own, { force: true }) };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function record(hash: string, vector: Float32Array): Buffer {
  const bytes = Buffer.alloc(PREFIX_BYTES + 4 * vector.length);
  const numbers = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
  bytes.write(hash, "latin1");
  bytes.writeUInt32LE(crc32(numbers), HASH_BYTES);
  bytes.set(numbers, PREFIX_BYTES);
  return bytes;
}

/** The file with the right first bytes: what was there, or an empty one. */
function openChecked(path: string, key: string, width: number): number {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, "latin1");
  header.writeUInt32LE(width, 8);
  header.write(key, 16, 32, "hex");
  const file = openSync(path, "a+");
  const found = Buffer.alloc(HEADER_BYTES);
  readSync(file, found, 0, HEADER_BYTES, 0);
  closeSync(file);
  if (!found.equals(header)) {
    rmSync(path);
    const fresh = openSync(path, "w");
    writeSync(fresh, header);
    closeSync(fresh);
  }
  return openSync(path, "r+");
}

/** Every record of the file in order; `hash` is null where the vector is not what was written. */
function scan(
  file: number,
  count: number,
  width: number,
  visit: (hash: string | null, row: number, vector: Float32Array) => void,
): void {
  const recordBytes = PREFIX_BYTES + 4 * width;
  const buffer = Buffer.alloc(PAGE_ROWS * recordBytes);
  for (let first = 0; first < count; first += PAGE_ROWS) {
    const rows = Math.min(PAGE_ROWS, count - first);
    readSync(file, buffer, 0, rows * recordBytes, HEADER_BYTES + first * recordBytes);
    for (let i = 0; i < rows; i++) {
      const at = i * recordBytes,
        numbers = buffer.subarray(at + PREFIX_BYTES, at + recordBytes);
      const whole = crc32(numbers) === buffer.readUInt32LE(at + HASH_BYTES);
      visit(
        whole ? buffer.toString("latin1", at, at + HASH_BYTES) : null,
        first + i,
        new Float32Array(numbers.buffer, numbers.byteOffset, width),
      );
    }
  }
}
