// In: split pairs and the configuration. Out: the run's lock, its checked pairs and where it begins; nothing of it is written yet.
import type { TrainingConfig } from "../config";
import { initBackend, type BackendInfo } from "../engine/backend";
import { resolvePrecision } from "../scoring/score";
import { readingNotes } from "../pairs/read";
import { fitMaxLength } from "../checkpoints/fitMaxLength";
import { inheritanceNotes } from "../checkpoints/inherit";
import { lockRun } from "../runs/lock";
import { checkData, loadSplit, openRequest, type TrainingPairs, type TrainingRequest } from "./data";
import { describeOrigin } from "./origin";
import { findStart, refuseToReplace, type Start } from "./start";

/** A run that may begin. */
export interface OpenedRun {
  readonly config: TrainingConfig;
  readonly backend: BackendInfo;
  readonly precision: "bf16" | "f32";
  readonly pairs: TrainingPairs;
  readonly start: Start;
  /** Lets other processes train the run. */
  release(): void;
}

/**
 * Takes hold of a run, reads and checks its pairs and finds where it begins.
 *
 * @param say hears a sentence on each thing that was found
 * @throws InputError, UsageError before any file of the run is touched
 */
export async function openRun(request: TrainingRequest, say: (text: string) => void): Promise<OpenedRun> {
  const { config: given, data } = openRequest(request);
  const config = fitMaxLength(given, say);
  inheritanceNotes(config.model, config).forEach(say);
  const lock = lockRun(config.run);
  try {
    refuseToReplace(config, say);
    const backend = await initBackend();
    const precision = await resolvePrecision(config.precision);
    say(
      `backend: ${backend.name} ${backend.version}, ${backend.threads} threads${backend.gpu ? `, ${backend.gpu}` : ""}, ${precision}`,
    );
    const pairs = await checkData(data ?? (await loadSplit(config)));
    announce(pairs, say);
    if (config.preset === "stage3") warnOfFew(pairs, say);
    const origin = await describeOrigin(config, { precision, fingerprints: pairs.record.fingerprints });
    const start = await findStart(config, origin, say);
    return { config, backend, precision, pairs, start, release: lock.release };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** What the stage-3 system asks of its pairs. */
const STAGE3_PAIRS = { train: 800, val: 200 } as const;

function warnOfFew({ train, val }: TrainingPairs, say: (text: string) => void): void {
  if (train.length >= STAGE3_PAIRS.train && val.length >= STAGE3_PAIRS.val) return;
  say(
    `warning: stage3: expected at least ${STAGE3_PAIRS.train} training and ${STAGE3_PAIRS.val} validation pairs, ` +
      `got ${train.length} and ${val.length}; its quality gate says little about so few`,
  );
}

export function announce(pairs: TrainingPairs, say: (text: string) => void): void {
  for (const report of pairs.reports) {
    const left = Object.entries(report.counts).map(([reason, n]) => `${n} ${reason}`);
    say(
      `${report.path}: ${report.format}, ${report.used} of ${report.rows} pairs used${left.length ? ` (left out: ${left.join(", ")})` : ""}`,
    );
    for (const note of readingNotes(report)) say(`${report.path}: ${note}`);
  }
  const leaks = pairs.record.near_duplicates_across_splits;
  if (leaks)
    say(
      `split: ${leaks} prompts nearly alike stand in different splits; rewardbook split --keep-near-duplicates keeps them together`,
    );
  say(
    `pairs: ${pairs.train.length} to train, ${pairs.val.length} to validate${pairs.test.length ? `, ${pairs.test.length} to test` : ""}`,
  );
}
