// In: the configuration and the data. Out: the state a run begins with, fresh or that of the run it goes on with.
import { createHash } from "node:crypto";
import type { TrainingConfig } from "../config";
import { findResumePoint } from "./checkpoints";
import { readTrainingState, type TrainingState } from "./state";

/** Where a run begins. */
export interface Start {
  readonly state: TrainingState;
  /** The saved state that it goes on from; null for a fresh run. */
  readonly resumeFrom: string | null;
}

/** @param data the record of the pairs: a run goes on only with the pairs it began with */
export async function findStart(
  config: TrainingConfig,
  data: Record<string, unknown>,
  say: (text: string) => void,
): Promise<Start> {
  const fingerprint = runFingerprint(config, data);
  const resumeFrom = config.resume ? await findResumePoint(config.run, fingerprint, say) : null;
  return { state: resumeFrom ? readTrainingState(resumeFrom) : newState(fingerprint), resumeFrom };
}

const newState = (fingerprint: string): TrainingState => ({
  step: 0,
  epoch: 1,
  epoch_step: 0,
  num_tokens: 0,
  train_seconds: 0,
  pairs_seen: 0,
  epoch_sums: { loss: 0, correct: 0, pairs: 0 },
  stopping: { accuracy: -1, ece: 1, epoch: 0, step: 0, train_accuracy: null, since: 0 },
  fingerprint,
});

/** What must be the same for a run to be gone on with: everything but names, limits and reporting. */
function runFingerprint(config: TrainingConfig, data: Record<string, unknown>): string {
  const { run: _run, resume: _resume, gate: _gate, patience: _patience, save_steps: _save, ...decisive } = config;
  return createHash("sha256")
    .update(JSON.stringify([decisive, data]))
    .digest("hex");
}
