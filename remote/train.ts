// In: split pairs, the configuration, and where to train. Out: the same run folder and checkpoint as of a local training, made elsewhere.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModel } from "../lib/checkpoints/findModel";
import { inheritanceNotes } from "../lib/checkpoints/inherit";
import type { TrainingConfig } from "../lib/config";
import { initBackend } from "../lib/engine/backend";
import { UsageError } from "../lib/errors";
import { checkpointsDir } from "../lib/files/paths";
import { listenForStop } from "../lib/interrupt";
import type { PreferencePair } from "../lib/pairs/pair";
import { lockRun } from "../lib/runs/lock";
import { openMetricsLog } from "../lib/runs/metricsLog";
import { checkData, loadSplit, openRequest, type SplitData, type TrainingRequest } from "../lib/training/data";
import { describeEnvironment } from "../lib/training/environment";
import type { TrainingResult } from "../lib/training/finish";
import { announce, fitMaxLength } from "../lib/training/open";
import { describeOrigin, differences, type Origin } from "../lib/training/origin";
import { writeData } from "../lib/training/prepare";
import type { TrainingHooks } from "../lib/training/run";
import { refuseToReplace } from "../lib/training/start";
import { newState } from "../lib/training/state";
import { watchTraining } from "../lib/training/watch";
import { finishTraining } from "./finish";
import { jobPrecision, jobTraining } from "./job";
import { packTraining, placeOf } from "./pack";
import { readRecord, remoteDir, requireRecord, sentPairs, writeRecord, type RemoteRecord } from "./record";
import { Recorder } from "./recorder";
import { headOf, isLocal, runJob } from "./runJob";
import { remoteTrainingSchema, resolveRemote, type RemoteTrainingInput, type RemoteTrainingSettings } from "./settings";

/** A training that was handed over and has ended. */
export interface HandedOver {
  /** Null where the checkpoint was left on the storage. */
  readonly result: TrainingResult | null;
  /** Where the checkpoint lies on the storage. */
  readonly left: string | null;
}

/** Hooks, and a line of the job's own log. */
export interface HandOverHooks extends TrainingHooks {
  readonly onLine?: (line: string) => void;
}

/**
 * Trains on a Ray cluster, or on this machine by Python with `address: "local"`, and brings the checkpoint back: it is accepted
 * only if it scores a set of probe texts here as it does there.
 *
 * @throws InputError when the job fails or its checkpoint is not accepted; UsageError for what only the local engine can do;
 *   Interrupted when it is stopped: the job goes on, and the same call with `resume: true` comes back to it
 * @example
 * ```ts
 * const there = { address: "http://127.0.0.1:8265", workers: 2 };
 * const remote = await trainRemotely({ pairs: "pairs.jsonl", run: "far" }, there);
 * console.log(remote.checkpoint, remote.metrics.val_accuracy);
 * ```
 */
export async function trainRemotely(
  request: TrainingRequest,
  where: Omit<RemoteTrainingInput, "leave">,
  hooks: TrainingHooks = {},
): Promise<TrainingResult> {
  const { result } = await handOverTraining(request, { ...where, leave: false }, hooks);
  return result!;
}

/** The same, which may leave the checkpoint on the storage. */
export async function handOverTraining(
  request: TrainingRequest,
  where: RemoteTrainingInput,
  hooks: HandOverHooks = {},
): Promise<HandedOver> {
  const settings = resolveRemote(remoteTrainingSchema, where);
  const { config, data } = openRequest(request);
  return underWay(config.run, hooks, async (heard, signal) => {
    const say = (text: string) => heard.onMessage?.(text);
    const { record, folder } = await prepare({ given: config, data, settings, say });
    try {
      return await follow(record, { folder, hooks: heard, signal });
    } finally {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    }
  });
}

/**
 * Comes back to a training that was handed over: shows what it has done, and finishes it here when it is done.
 *
 * @throws InputError for a run that was not handed over
 */
export function comeBack(run: string, hooks: HandOverHooks = {}): Promise<HandedOver> {
  const record = requireRecord(run);
  return underWay(run, hooks, (heard, signal) => follow(record, { folder: null, hooks: heard, signal }));
}

async function underWay(
  run: string,
  hooks: HandOverHooks,
  work: (hooks: HandOverHooks, signal: AbortSignal) => Promise<HandedOver>,
): Promise<HandedOver> {
  const stop = await listenForStop(hooks.signal);
  const watch = watchTraining(hooks);
  try {
    const lock = lockRun(run);
    try {
      return await work(watch.hooks, stop.signal);
    } finally {
      lock.release();
    }
  } finally {
    watch.end();
    stop.release();
  }
}

interface Preparing {
  readonly given: TrainingConfig;
  readonly data: SplitData | null;
  readonly settings: RemoteTrainingSettings;
  readonly say: (text: string) => void;
}

/** A job that was packed, or is there already (no folder). */
interface Prepared {
  readonly record: RemoteRecord;
  readonly folder: string | null;
}

async function prepare({ given, data, settings, say }: Preparing): Promise<Prepared> {
  const earlier = given.resume ? readRecord(given.run) : null;
  if (earlier === null) refuseToReplace({ ...given, resume: false }, say);
  const config = { ...fitMaxLength(given, say), model: findModel(given.model) };
  inheritanceNotes(config.model, config).forEach(say);
  jobTraining(config, settings); // refuses before anything is read
  const backend = await initBackend();
  const pairs = await checkData(data ?? (await loadSplit(given)));
  announce(pairs, say);
  const precision = jobPrecision(config.precision, settings);
  const origin = await describeOrigin(config, { precision, fingerprints: pairs.record.fingerprints });
  if (earlier !== null) {
    requireSame(earlier, origin);
    if (await isThere(earlier)) {
      say(`run ${config.run}: job ${earlier.submission_id} is there; following it`);
      return { record: earlier, folder: null };
    }
  } else await rm(checkpointsDir(config.run), { recursive: true, force: true });
  const log = openMetricsLog(config.run, earlier === null ? undefined : "all");
  log.write("config.json", config);
  log.write("environment.json", describeEnvironment(backend));
  const attempt = (earlier?.attempt ?? 0) + 1;
  const submission_id = `rewardbook-${config.run}-${digest(origin, earlier)}-a${attempt}`;
  const folder = await mkdtemp(join(tmpdir(), "rewardbook-job-"));
  const where = here(settings, config.run);
  if (isLocal(settings)) await mkdir(where.storage, { recursive: true });
  const packing = { folder: join(folder, "job"), config, settings: where, pairs, submission_id, resume: earlier !== null };
  const { dataRecord, truncated } = await packTraining({ ...packing, say });
  await writeData(log, pairs, dataRecord);
  const record: RemoteRecord = {
    submission_id,
    attempt,
    submitted: new Date().toISOString(),
    settings: where,
    config,
    origin,
    pairs: { train: pairs.train.length, val: pairs.val.length, truncated },
  };
  await writeRecord(record);
  return { record, folder: packing.folder };
}

/** On this machine the storage is a folder of the run's. */
const here = (settings: RemoteTrainingSettings, run: string): RemoteTrainingSettings =>
  isLocal(settings) && settings.storage === ""
    ? { ...settings, storage: join(checkpointsDir(run), "remote") }
    : { ...settings, storage: placeOf(settings) };

/** Eight letters that the same data, configuration and model give again, but another hand-over of a run of that name does not. */
const digest = (origin: Origin, earlier: RemoteRecord | null): string =>
  earlier?.submission_id.split("-").at(-2) ??
  createHash("sha256")
    .update(JSON.stringify([origin, Date.now()]))
    .digest("hex")
    .slice(0, 8);

function requireSame(earlier: RemoteRecord, origin: Origin): void {
  const found = differences(earlier.origin, origin);
  if (found.length === 0) return;
  throw new UsageError(
    `resume: expected what run ${earlier.config.run} was handed over with, got other values: ${found.join("; ")}; give the same, or another --run`,
  );
}

/** Whether the job goes on, or is done, so that a second one would do its work again. */
async function isThere({ settings, submission_id }: RemoteRecord): Promise<boolean> {
  if (isLocal(settings)) return false;
  const job = await headOf(settings).job(submission_id);
  return job !== null && ["PENDING", "RUNNING", "SUCCEEDED"].includes(job.status);
}

interface Following {
  readonly folder: string | null;
  readonly hooks: HandOverHooks;
  readonly signal: AbortSignal;
}

/** Follows a job to its end and finishes the run here. */
async function follow(record: RemoteRecord, { folder, hooks, signal }: Following): Promise<HandedOver> {
  const { config, settings, submission_id, attempt } = record;
  const say = (text: string) => hooks.onMessage?.(text);
  const state = newState(record.origin);
  const log = openMetricsLog(config.run, "all");
  const val = await readPairs(sentPairs(config.run));
  const truncatedShare = record.pairs.truncated / record.pairs.train;
  const recorder = new Recorder({ config, log, state, val, hooks, say, truncatedShare });
  const command = `rewardbook remote`;
  const done = await runJob({
    submission_id,
    settings,
    folder,
    metadata: { run: config.run, rewardbook: "train" },
    logFile: join(remoteDir(config.run), `attempt-${attempt}.log`),
    ways: {
      back: `${command} logs --run ${config.run} comes back to it`,
      stop: `${command} stop --run ${config.run} ends it`,
      again: "the same command with --resume goes on from its last checkpoint",
    },
    onEvent: (event) => recorder.take(event),
    onLine: hooks.onLine,
    say,
    signal,
  });
  if (settings.leave) {
    const left = [settings.storage, done.checkpoint].filter(Boolean).join("/");
    say(`the checkpoint stays at ${left}; it was not compared with our engine`);
    return { result: null, left };
  }
  const result = await finishTraining({ record, recorder, done, state, log, val, hooks, say });
  return { result, left: null };
}

async function readPairs(path: string): Promise<PreferencePair[]> {
  const pairs: PreferencePair[] = [];
  for await (const line of createInterface({ input: createReadStream(path) })) pairs.push(JSON.parse(line));
  return pairs;
}

