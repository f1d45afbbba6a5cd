// In: what the system refused (errno). Out: an InputError in the user's words, with the remedy; null for a fault of ours.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputError } from "../errors";

/** What each errno says of a path, and what helps. */
const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on its disk; free some, or write elsewhere",
  EDQUOT: "your quota of disk space is used up; free some, or write elsewhere",
  EFBIG: "the file would be larger than its file system or the limit (ulimit -f) allows; write elsewhere",
  EACCES: "access is denied; check the permissions of the file and its folders",
  EPERM: "the system does not permit it; check the permissions of the file and its folders",
  EROFS: "it lies on a read-only file system; write elsewhere",
  ENOENT: "no such file or folder; check the path",
  ENOTDIR: "a part of the path is a file, not a folder; check the path",
  EISDIR: "expected a file, got a folder; name a file",
  ENOTEMPTY: "the folder is not empty; move what it holds, or name another",
  EEXIST: "it exists already; move it, or name another",
  ENAMETOOLONG: "the name is too long for its file system; take a shorter one",
  EILSEQ: "the name has characters that its file system does not take; take another",
  EINVAL: "the file system does not take this name or operation; write elsewhere",
  ELOOP: "its symbolic links lead in a circle; mend them",
  EMFILE: "too many files are open; raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine; close other programs",
  EMLINK: "it has too many links; write elsewhere",
  EXDEV: "it lies on two file systems; write elsewhere",
  ENOTSUP: "its file system cannot do that; write elsewhere",
  EOPNOTSUPP: "its file system cannot do that; write elsewhere",
  ENOSYS: "its file system cannot do that; write elsewhere",
  EIO: "its disk reports an error; check it, or write elsewhere",
  ENXIO: "its device is not there; check it",
  ENODEV: "its device is not there; check it",
  ESTALE: "the network file system lost it; mount it again",
  EBUSY: "another program uses it; close that",
  ETXTBSY: "it is a program that runs; end that",
  ENOMEM: "the system has no memory left; close other programs",
  EADDRINUSE: "another program listens there; name another port",
  EADDRNOTAVAIL: "this machine has no such address; name another",
};

/** The same where a folder is made: where a file stands, and where Node's recursive way hides that the disk is read-only. */
const MKDIR_WORDS: Readonly<Record<string, string>> = {
  EEXIST: WORDS.ENOTDIR,
  ENOENT: "the folder cannot be made there; check the path and its permissions, or write elsewhere",
};

/** An error that Node hands on from the system. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "syscall" in error && typeof (error as NodeJS.ErrnoException).code === "string";

/** @param path what the error is about, where it does not say so itself */
export function systemFault(error: unknown, path?: string): InputError | null {
  if (!isSystemError(error)) return null;
  const code = error.code!;
  const words = (error.syscall === "mkdir" && MKDIR_WORDS[code]) || (Object.hasOwn(WORDS, code) && WORDS[code]);
  if (!words) return null;
  const where = path ?? placeOf(error);
  const temporary = where.startsWith(join(tmpdir(), "rewardbook-"))
    ? " (temporary files: set TMPDIR to a folder that can be written)"
    : "";
  return new InputError(`${where}: ${words}${temporary}`, { cause: error });
}

/** Does what writes or reads a path; what the system refuses of it names the path, which a full disk's error does not. */
export function about<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw systemFault(error, path) ?? error;
  }
}

/** Path, or address, or the call alone. */
function placeOf(error: NodeJS.ErrnoException & { dest?: string; address?: string; port?: number }): string {
  if (error.address !== undefined) return `${error.address}:${error.port}`;
  return error.dest ?? error.path ?? `the system (${error.syscall})`;
}
