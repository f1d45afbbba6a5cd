// In: a checkpoint. Out: a process that holds it, and the scores of jobs sent there.
import { fork } from "node:child_process";
import { InputError } from "../lib/errors";
import { projectPath } from "../lib/files/paths";
import { RequestFault } from "./faults";
import type { BatchReport, FromScoring, ItemScore, Job, JobFault, ModelFacts, ToScoring } from "./messages";
import type { ServerSettings } from "./settings";

export interface Engine {
  readonly model: ModelFacts;
  /** Measured on a full run of made-up tokens, before the first request. */
  readonly tokensPerSecond: number;
  /** Rejects with the signal's reason as soon as it fires; the texts are then not computed. */
  score(job: Omit<Job, "id">, signal: AbortSignal): Promise<readonly ItemScore[]>;
  /** Ends the process once its jobs are done. */
  retire(): Promise<void>;
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>;
}

/** How long a process may take to end, ms: it may be in the middle of a graph run. */
const END_MS = 15_000;

interface Pending {
  resolve(scores: readonly ItemScore[]): void;
  reject(error: unknown): void;
}

/** A job's fault as the request's. */
export class JobRefused extends Error {
  constructor(readonly fault: JobFault) {
    super(fault.message);
  }
}

/**
 * Starts a scoring process and waits until it is ready.
 *
 * @throws InputError or Error, as the checkpoint deserves
 */
export function startEngine(settings: ServerSettings, onBatch: (batch: BatchReport) => void): Promise<Engine> {
  const { apiKey: _, ...told } = settings;
  const { RB_API_KEY: __, ...env } = process.env;
  const child = fork(projectPath("dist", "server", "scoringProcess.js"), [JSON.stringify(told)], {
    env,
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: [],
  });
  const pending = new Map<number, Pending>();
  let next = 0;
  let idle: (() => void) | null = null;
  const tell = (message: ToScoring) => child.connected && child.send(message, () => {});
  const settle = (id: number): Pending | undefined => {
    const job = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) idle?.();
    return job;
  };
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));

  const score: Engine["score"] = (job, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const id = next++;
      const gone = () => {
        tell({ type: "cancel", id });
        settle(id)?.reject(signal.reason);
      };
      signal.addEventListener("abort", gone, { once: true });
      const done = () => signal.removeEventListener("abort", gone);
      pending.set(id, { resolve: (scores) => (done(), resolve(scores)), reject: (error) => (done(), reject(error)) });
      tell({ type: "job", job: { ...job, id } });
    });

  const retire = async (): Promise<void> => {
    if (pending.size > 0) await new Promise<void>((resolve) => (idle = resolve));
    if (child.connected) child.disconnect();
    const late = setTimeout(() => child.kill("SIGKILL"), END_MS).unref();
    await ended;
    clearTimeout(late);
  };

  return new Promise((resolve, reject) => {
    child.on("message", (message: FromScoring) => {
      if (message.type === "batch") onBatch(message.batch);
      else if (message.type === "scored") settle(message.id)?.resolve(message.scores);
      else if (message.type === "refused") settle(message.id)?.reject(new JobRefused(message.fault));
      else if (message.type === "unfit")
        reject(message.mendable ? new InputError(message.message) : new Error(message.message));
      else resolve({ model: message.model, tokensPerSecond: message.tokensPerSecond, score, retire, ended });
    });
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      reject(new Error(`serve: expected the scoring process to start, got its end (${signal ?? `exit ${code}`})`));
      for (const id of [...pending.keys()])
        settle(id)!.reject(
          new RequestFault("unavailable", "the scoring process ended; it is started again", { retryAfter: 5 }),
        );
    });
  });
}
