// In: a job's folder. Out: the same job run on this machine by Python alone, line by line.
import { execFile, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { InputError } from "../lib/errors";
import { requirements } from "./jobFolder";

export interface LocalJob {
  /** The job's folder. */
  readonly folder: string;
  readonly python: string;
  readonly onLine: (line: string) => void;
  /** Ends the job; it goes on from its last checkpoint when it is resumed. */
  readonly signal: AbortSignal;
}

const LAST_LINES = 5;
const MISSING = "import sys, importlib.util as u; print(*[name for name in sys.argv[1:] if not u.find_spec(name)])";

/** @throws InputError for one that cannot be started, or that lacks packages a job needs without Ray */
export async function requirePython(python: string): Promise<void> {
  const names = (await requirements()).map((line) => /^[\w.-]+/.exec(line)![0]);
  const needed = names.filter((name) => name !== "ray");
  const { stdout } = await promisify(execFile)(python, ["-c", MISSING, ...needed], { cwd: tmpdir() }).catch(
    (error: Error) => {
      throw noPython(python, error);
    },
  );
  const missing = stdout.trim().split(" ").filter(Boolean);
  if (missing.length > 0)
    throw new InputError(
      `--python: expected one that has the job's packages, got ${python} without ${missing.join(", ")}; give it remote/python/requirements.txt, or name another`,
    );
}

/**
 * Runs a job without a cluster.
 *
 * @returns null when it succeeded, else how it ended
 * @throws InputError where there is no such Python
 */
export async function runHere({ folder, python, onLine, signal }: LocalJob): Promise<string | null> {
  const job = spawn(python, ["-u", "main.py", "job.json", "--local"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PYTHONUNBUFFERED: "1" },
  });
  const stop = () => job.kill("SIGTERM");
  signal.addEventListener("abort", stop);
  const last: string[] = [];
  const ended = new Promise<string | null>((resolve, reject) => {
    job.on("error", (error) => reject(noPython(python, error)));
    job.on("close", (code, killed) => resolve(code === 0 ? null : (killed ?? `exit code ${code}`)));
  });
  let failure: unknown = null;
  createInterface({ input: job.stderr }).on("line", (line) => {
    if (line.trim() !== "") last.splice(0, Math.max(0, last.push(line.trim()) - LAST_LINES));
  });
  createInterface({ input: job.stdout }).on("line", (line) => {
    try {
      onLine(line);
    } catch (error) {
      failure ??= error;
      job.kill("SIGTERM");
    }
  });
  try {
    const how = await ended;
    if (failure !== null) throw failure as Error;
    return how === null ? null : [how, last.at(-1)].filter(Boolean).join(": ");
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const noPython = (python: string, error: Error): InputError =>
  new InputError(
    `--python: expected a Python that can be started, got ${python} (${error.message}); name one that has remote/python/requirements.txt`,
  );
