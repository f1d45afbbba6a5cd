// In: split pairs, the configuration, and where to train. Out: the same run folder and checkpoint as of a local training, made elsewhere.
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listenForStop } from "../lib/interrupt";
import type { PreferencePair } from "../lib/pairs/pair";
import { lockRun } from "../lib/runs/lock";
import { openMetricsLog } from "../lib/runs/metricsLog";
import { openRequest, type TrainingRequest } from "../lib/training/data";
import type { TrainingResult } from "../lib/training/finish";
import type { TrainingHooks } from "../lib/training/run";
import { newState } from "../lib/training/state";
import { watchTraining } from "../lib/training/watch";
import { finishTraining } from "./finish";
import { prepareJob } from "./prepareJob";
import { readSent, remoteDir, requireRecord, sentPairs, type RemoteRecord } from "./record";
import { Recorder } from "./recorder";
import { requirePlace, runJob } from "./runJob";
import { remoteTrainingSchema, resolveRemote, type RemoteTrainingInput } from "./settings";

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
    await requirePlace(settings, say);
    const { record, folder } = await prepareJob({ given: config, data, settings, say });
    try {
      return await follow(record, { folder, hooks: heard, signal });
    } finally {
      if (folder !== null) await rm(dirname(folder), { recursive: true, force: true });
    }
  });
}

/**
 * Comes back to a training that was handed over: shows what it has done, and finishes it here when it is done.
 *
 * @param place where the head is now, should its address have changed
 * @throws InputError for a run that was not handed over
 */
export function comeBack(
  run: string,
  hooks: HandOverHooks = {},
  place: { readonly address?: string; readonly ca?: string } = {},
): Promise<HandedOver> {
  const kept = requireRecord(run);
  const { address = kept.settings.address, ca = kept.settings.ca } = place;
  const record = { ...kept, settings: { ...kept.settings, address, ca } };
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
  const val = await readSent<PreferencePair>(sentPairs(config.run));
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
