// In: split pairs, the configuration, and where to train. Out: a packed job with the record of it, or the job that is there already.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findModel } from "../lib/checkpoints/findModel";
import { inheritanceNotes } from "../lib/checkpoints/inherit";
import type { TrainingConfig } from "../lib/config";
import { initBackend } from "../lib/engine/backend";
import { UsageError } from "../lib/errors";
import { checkpointsDir } from "../lib/files/paths";
import { openMetricsLog, type MetricsLog } from "../lib/runs/metricsLog";
import { checkData, loadSplit, type SplitData, type TrainingPairs } from "../lib/training/data";
import { describeEnvironment } from "../lib/training/environment";
import { fitMaxLength } from "../lib/checkpoints/fitMaxLength";
import { announce } from "../lib/training/open";
import { describeOrigin, differences, type Origin } from "../lib/training/origin";
import { writeData } from "../lib/training/prepare";
import { refuseToReplace } from "../lib/training/start";
import { jobPrecision, jobTraining } from "./job";
import { packTraining, placeOf } from "./pack";
import { readRecord, writeRecord, type RemoteRecord } from "./record";
import { headOf, isLocal } from "./runJob";
import type { RemoteTrainingSettings } from "./settings";

export interface HandOver {
  readonly given: TrainingConfig;
  readonly data: SplitData | null;
  readonly settings: RemoteTrainingSettings;
  readonly say: (text: string) => void;
}

/** A job that was packed into a temporary folder, or is there already (no folder). */
export interface PreparedJob {
  readonly record: RemoteRecord;
  readonly folder: string | null;
}

/**
 * Checks the pairs, packs them with the base model, and writes what is known before the first step.
 *
 * @throws InputError, UsageError before any file of the run is touched
 */
export async function prepareJob({ given, data, settings, say }: HandOver): Promise<PreparedJob> {
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
  return pack({ settings, say, config, pairs, origin, log, earlier });
}

interface Packing extends Pick<HandOver, "settings" | "say"> {
  readonly config: TrainingConfig;
  readonly pairs: TrainingPairs;
  readonly origin: Origin;
  readonly log: MetricsLog;
  readonly earlier: RemoteRecord | null;
}

async function pack({ settings, say, config, pairs, origin, log, earlier }: Packing): Promise<PreparedJob> {
  const attempt = (earlier?.attempt ?? 0) + 1;
  const submission_id = `rewardbook-${config.run}-${digest(origin, earlier)}-a${attempt}`;
  const folder = await mkdtemp(join(tmpdir(), "rewardbook-job-"));
  const where = here(settings, config.run);
  if (isLocal(settings)) await mkdir(where.storage, { recursive: true });
  const packing = {
    folder: join(folder, "job"),
    config,
    settings: where,
    pairs,
    submission_id,
    resume: earlier !== null,
  };
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
