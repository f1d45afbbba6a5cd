// In: bytes that need not stay in memory. Out: the same from a file that has no name: it is gone with the process.
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { about } from "./systemError";

export interface TemporaryFile {
  /** Bytes written. */
  readonly size: number;
  append(bytes: Uint8Array): void;
  /** Fills `into` from a byte on. */
  read(into: Uint8Array, position: number): void;
  close(): void;
}

/** Files that nobody holds any more are closed when their objects are collected. */
const forgotten = new FinalizationRegistry<number>(closeSync);

/**
 * An unlinked file in the folder for temporary files.
 *
 * @throws InputError when there is no such folder, it cannot be written or its disk is full
 */
export function openTemporaryFile(name: string): TemporaryFile {
  const guard = <T>(work: () => T): T => about(join(tmpdir(), `rewardbook-${name}`), work);
  const file = guard(() => {
    const dir = mkdtempSync(join(tmpdir(), `rewardbook-${name}-`));
    try {
      return openSync(join(dir, name), "w+");
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
  const opened: TemporaryFile = {
    get size() {
      return fstatSync(file).size;
    },
    append: (bytes) =>
      guard(() => {
        for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
      }),
    read: (into, position) =>
      guard(() => {
        for (let done = 0; done < into.length;) {
          const read = readSync(file, into, done, into.length - done, position + done);
          if (read === 0)
            throw new Error(`${name}: expected ${into.length - done} more bytes, got the end of the file`);
          done += read;
        }
      }),
    close: () => {
      forgotten.unregister(opened);
      closeSync(file);
    },
  };
  forgotten.register(opened, file, opened);
  return opened;
}
