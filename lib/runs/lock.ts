// In: the name of a run. Out: the right to write its files, for one process at a time.
import { randomUUID } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { UsageError } from "../errors";
import { checkpointsDir } from "../files/paths";
import { about } from "../files/systemError";

const ownerSchema = z.object({
  pid: z.number(),
  host: z.string(),
  /** When the process began, as its system counts it: a process id comes back, this does not. Null where it cannot be asked. */
  began: z.string().nullable(),
  since: z.string(),
});
type Owner = z.output<typeof ownerSchema>;

/** The hold on a run. */
export interface RunLock {
  release(): void;
}

/** A lock is created before its owner is written into it: a moment of patience with an empty one. */
const WRITING_MS = 5000;

/** Where the owner of a run is written: beside its checkpoints, hidden, so that refusing a run leaves no folder of it. */
export const lockFile = (run: string): string => join(dirname(checkpointsDir(run)), `.${run}.lock`);

/**
 * Takes hold of a run. The lock of a process that ended without releasing it (on this machine) is taken over.
 *
 * @throws UsageError while another process, or another training in this one, has it
 */
export function lockRun(run: string): RunLock {
  const path = lockFile(run);
  mkdirSync(dirname(path), { recursive: true });
  const owner: Owner = {
    pid: process.pid,
    host: hostname(),
    began: processBegan(process.pid),
    since: new Date().toISOString(),
  };
  while (!create(path, owner)) clearStale(path, run);
  return { release: () => release(path, owner) };
}

/** @returns whether the lock is ours now */
function create(path: string, owner: Owner): boolean {
  let file: number;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
  try {
    about(path, () => writeSync(file, `${JSON.stringify(owner)}\n`));
  } catch (error) {
    rmSync(path, { force: true }); // an empty lock would hold everyone up
    throw error;
  } finally {
    closeSync(file);
  }
  return true;
}

/** Takes away the lock of a process that is gone. @throws UsageError when its owner may be alive */
function clearStale(path: string, run: string): void {
  const found = readLock(path);
  if (found === null) return; // released meanwhile
  const { owner, text } = found;
  if (owner === null ? Date.now() - found.modified < WRITING_MS : isHeld(owner)) {
    const who = owner
      ? `process ${owner.pid} on ${owner.host} since ${owner.since}`
      : "a process that is just starting";
    const remedy =
      owner && owner.host !== hostname() ? `; if that process is gone, remove ${path}` : "; or give another --run";
    throw new UsageError(
      `run ${run}: expected a run that nobody is training, got one that ${who} trains; wait until it has ended${remedy}`,
    );
  }
  // By a rename only one of several finders gets it, and sees whether it is still the one that was judged.
  const aside = `${path}.stale-${randomUUID().slice(0, 8)}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (readFileSync(aside, "utf8") === text) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function readLock(path: string): { owner: Owner | null; text: string; modified: number } | null {
  try {
    const text = readFileSync(path, "utf8");
    const { mtimeMs: modified } = statSync(path);
    return { owner: parseOwner(text), text, modified };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

function parseOwner(text: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null; // being written, or torn by the end of its process
  }
}

/** Of a process on another machine nothing is known: it may be alive. */
function isHeld({ pid, host, began }: Owner): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return began === null || began === processBegan(pid);
}

/** Boot and clock tick at which a process began, of Linux; null elsewhere. proc(5): field 22 of stat, after the name in brackets. */
function processBegan(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return `${boot} ${fields[19]}`;
  } catch {
    return null;
  }
}

function release(path: string, owner: Owner): void {
  const found = readLock(path);
  if (found?.text === `${JSON.stringify(owner)}\n`) rmSync(path, { force: true });
}
