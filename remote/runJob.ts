// In: a packed job, or one that runs already. Out: its events as they come, and what it said at its end; or one clear message.
import { createWriteStream, mkdirSync, rmSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError, Interrupted } from "../lib/errors";
import { systemFault } from "../lib/files/systemError";
import { connectTo, LOCAL } from "./connection";
import { parseEvent, type DoneEvent, type JobEvent } from "./events";
import { followJob, type JobEnd } from "./follow";
import { LARGEST_UPLOAD, lastLine, openHead, type Head } from "./head";
import { requirements } from "./jobFolder";
import { requirePython, runHere } from "./local";
import type { RemoteSettings } from "./settings";
import { zipFolder } from "./zip";

export interface JobRun {
  readonly submission_id: string;
  readonly settings: RemoteSettings;
  /** The packed job; null for one that was submitted before. */
  readonly folder: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Takes every line that is no event. */
  readonly logFile: string;
  /** How to come back, to go on and to stop, in words. */
  readonly ways: { readonly back: string; readonly again: string; readonly stop: string };
  readonly onEvent: (event: JobEvent) => void;
  readonly onLine?: (line: string) => void;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export const isLocal = ({ address }: RemoteSettings): boolean => address === LOCAL;

/** The head of a cluster. */
export const headOf = ({ address, ca }: RemoteSettings): Head => openHead(connectTo(address, ca));

/**
 * Whether jobs can be sent there, asked before a file of the run is touched.
 *
 * @throws InputError for a head that does not answer or does not let us in, or a Python that lacks packages
 */
export async function requirePlace(settings: RemoteSettings, say: (text: string) => void): Promise<void> {
  if (isLocal(settings)) return requirePython(settings.python);
  const head = headOf(settings);
  say(`${head.connection.address}: Ray ${await head.version()}`);
}

/**
 * Runs a job to its end, or follows one that runs.
 *
 * @throws InputError when it fails, is stopped or its head dies; Interrupted when the signal detaches us: it goes on
 */
export async function runJob(run: JobRun): Promise<DoneEvent> {
  mkdirSync(dirname(run.logFile), { recursive: true });
  const log = createWriteStream(run.logFile);
  // A log that cannot be written is no reason to lose the job: it goes on, and so does what follows it.
  log.once("error", (error) =>
    run.say(`${systemFault(error, run.logFile)?.message ?? error.message}; the job goes on without its log`),
  );
  log.on("error", () => {});
  const seen: { done: DoneEvent | null; failed: string | null } = { done: null, failed: null };
  const onLine = (line: string) => {
    const event = parseEvent(line);
    if (event === null) {
      log.write(`${line}\n`);
      run.onLine?.(line);
      return;
    }
    if (event.event === "done") seen.done = event;
    else if (event.event === "failed") seen.failed = event.message;
    run.onEvent(event);
  };
  try {
    const broken = isLocal(run.settings) ? await here(run, onLine) : await onCluster(run, onLine);
    if (broken === null && seen.done !== null) return seen.done;
    const cause = seen.failed ?? broken ?? "no result";
    throw new InputError(`job ${run.submission_id}: ${cause}; its log is ${run.logFile}; ${run.ways.again}`);
  } finally {
    log.end();
  }
}

/** @returns null when the job succeeded, else how it ended */
async function here({ settings, folder, signal, ways, submission_id }: JobRun, onLine: (line: string) => void) {
  if (folder === null)
    throw new InputError(`job ${submission_id}: expected one on a cluster, got one of this machine; ${ways.again}`);
  const how = await runHere({ folder, python: settings.python, onLine, signal });
  if (signal.aborted) throw new Interrupted(`stopped; ${ways.again}`, { cause: signal.reason });
  return how;
}

async function onCluster(run: JobRun, onLine: (line: string) => void): Promise<string | null> {
  const { submission_id, say, signal, settings, ways } = run;
  const head = headOf(settings);
  try {
    if (run.folder !== null) await submit(run, run.folder, head);
    const end = await followJob(head, submission_id, { onLine, onMessage: say, signal });
    return howItEnded(end);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Interrupted(`detached from job ${submission_id}, which goes on; ${ways.back}; ${ways.stop}`, {
      cause: signal.reason,
    });
  }
}

function howItEnded({ status, message }: JobEnd): string | null {
  if (status === "SUCCEEDED") return null;
  if (status === "STOPPED") return "it was stopped";
  return `it failed: ${lastLine(message ?? "") || "Ray gives no reason"}`;
}

/** Sends the folder and starts the job; where one of its id is there, nothing is started. */
async function submit(run: JobRun, folder: string, head: Head): Promise<void> {
  const { submission_id, say } = run;
  const zip = join(dirname(folder), "job.zip");
  try {
    const hash = await zipFolder(folder, zip);
    const { size } = await stat(zip);
    if (size > LARGEST_UPLOAD) {
      throw new InputError(
        `job ${submission_id}: expected at most ${LARGEST_UPLOAD / 2 ** 20} MiB to send, which is what Ray's dashboard takes, got ${Math.ceil(size / 2 ** 20)} MiB; ` +
          "put the base model where the cluster sees it (--cluster-model PATH), and the rows on a storage that both sides see (--storage FOLDER)",
      );
    }
    const name = `rewardbook-${hash.slice(0, 24)}.zip`;
    await head.upload(name, zip);
    const pip = run.settings.install ? { pip: await requirements() } : {};
    const fresh = await head.submit({
      submission_id,
      entrypoint: "python main.py job.json",
      runtime_env: { working_dir: `gcs://${name}`, ...pip },
      metadata: run.metadata,
    });
    say(
      fresh
        ? `job ${submission_id} submitted (${(size / 1e6).toFixed(1)} MB)`
        : `job ${submission_id} is there already; following it`,
    );
  } finally {
    rmSync(zip, { force: true });
  }
}
