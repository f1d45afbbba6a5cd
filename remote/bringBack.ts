// In: what a finished job says of its files. Out: those files here, whole, from the storage both sides see or through the head.
import { existsSync } from "node:fs";
import { copyFile, mkdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { InputError } from "../lib/errors";
import { hashFile } from "../lib/files/atomic";
import type { DoneEvent, JobFile } from "./events";
import type { Head } from "./head";

/** Whether results come back through the head: unless the storage is a folder that is seen from here. */
export const comesThroughHead = (storage: string): boolean =>
  storage === "" || /^[a-z][a-z0-9+.-]*:\/\//i.test(storage) || !existsSync(storage);

export interface BringBack {
  readonly done: DoneEvent;
  readonly storage: string;
  /** Null for a job of this machine. */
  readonly head: Head | null;
  readonly target: string;
  readonly say: (text: string) => void;
}

/**
 * Brings the files of a finished job into a folder.
 *
 * @throws InputError for a file that is not what the job wrote
 */
export async function bringBack({ done, storage, head, target, say }: BringBack): Promise<void> {
  const { entries, node_id } = done.files ?? { entries: [] };
  if (entries.length === 0)
    throw new InputError(
      "the finished job: expected the names of its files, got none; it was packed by another version of Rewardbook",
    );
  await mkdir(target, { recursive: true });
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  say(`fetching ${entries.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
  for (const entry of entries) {
    const path = join(target, safeName(entry));
    await mkdir(dirname(path), { recursive: true });
    if (entry.path !== undefined && !comesThroughHead(storage))
      await take(entry, join(resolve(storage), entry.path), path);
    else if (head !== null && node_id !== undefined && entry.log_file !== undefined)
      await head.download({ ...entry, node_id, log_file: entry.log_file }, path);
    else
      throw new InputError(
        `${entry.name}: expected a file that can be fetched, got one on ${storage || "the head"}; copy it from there`,
      );
  }
}

/** The job's names are data: none leads out of the folder. */
function safeName({ name }: JobFile): string {
  if (/^[\w.-]+$/.test(name) && basename(name) === name && !name.startsWith(".")) return name;
  throw new InputError(`the finished job: expected a file's name, got ${JSON.stringify(name)}; it is not fetched`);
}

async function take({ name, bytes, sha256 }: JobFile, from: string, to: string): Promise<void> {
  await copyFile(from, to);
  const found = (await stat(to)).size;
  if (found === bytes && (await hashFile(to)) === sha256) return;
  throw new InputError(
    `${from}: expected ${name} as the job wrote it (${bytes} bytes), got ${found} others; run the job again`,
  );
}
