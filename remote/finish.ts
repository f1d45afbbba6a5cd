// In: a remote training that is done. Out: its checkpoint here, accepted, measured and kept as a local one would be.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { initBackend } from "../lib/engine/backend";
import { InputError } from "../lib/errors";
import { readJsonFile } from "../lib/files/json";
import { checkpointsDir } from "../lib/files/paths";
import { loadRewardModel } from "../lib/checkpoints/loadCheckpoint";
import { countParameters } from "../lib/models/rewardModel";
import type { PreferencePair } from "../lib/pairs/pair";
import { runArtefacts } from "../lib/report/runArtefacts";
import type { MetricsLog } from "../lib/runs/metricsLog";
import { createScorer } from "../lib/scoring/score";
import { describeEnvironment } from "../lib/training/environment";
import { saveBest } from "../lib/training/checkpoints";
import { finishRun, type TrainingResult } from "../lib/training/finish";
import { tokenisePairs } from "../lib/training/prepare";
import type { MeasuredRun, TrainingHooks } from "../lib/training/run";
import type { TrainingState } from "../lib/training/state";
import { describeValidation, logValidation, scoreValidation } from "../lib/training/validate";
import { acceptModel } from "./accept";
import { bringBack } from "./bringBack";
import type { DoneEvent } from "./events";
import { completeModel } from "./pack";
import { sentProbe, type RemoteRecord } from "./record";
import type { Recorder } from "./recorder";
import { headOf, isLocal } from "./runJob";

export interface Finishing {
  readonly record: RemoteRecord;
  readonly recorder: Recorder;
  readonly done: DoneEvent;
  readonly state: TrainingState;
  readonly log: MetricsLog;
  readonly val: readonly PreferencePair[];
  readonly hooks: TrainingHooks;
  readonly say: (text: string) => void;
}

/**
 * Fetches the checkpoint, compares its scores of the probe texts with ours, measures it on the validation pairs and keeps it
 * as `checkpoints/RUN/best`.
 *
 * @throws InputError for a checkpoint that scores otherwise here: nothing of it is kept
 */
export async function finishTraining(finishing: Finishing): Promise<TrainingResult> {
  const { record, done, say } = finishing;
  const { config, settings } = record;
  const incoming = join(checkpointsDir(config.run), ".incoming");
  await rm(incoming, { recursive: true, force: true });
  try {
    const head = isLocal(settings) ? null : headOf(settings);
    await bringBack({ done, storage: settings.storage, head, target: incoming, say });
    await completeModel(incoming, config.run);
    const loaded = await loadRewardModel(incoming);
    const { texts, difference } = await acceptModel(loaded, sentProbe(config.run), done.probe ?? []);
    say(`accepted: ${texts} probe texts score the same here, largest difference ${difference.toExponential(1)}`);
    return await keep(await measuredRun(finishing, loaded), finishing);
  } finally {
    await rm(incoming, { recursive: true, force: true });
  }
}

async function measuredRun(
  { record, recorder, done, state, log, val, hooks, say }: Finishing,
  loaded: MeasuredRun["loaded"],
): Promise<MeasuredRun & { dispose(): void }> {
  const { config } = record;
  const { dataset, valDataset } = await tokenisePairs({ train: [], val }, config, loaded);
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, { precision: "f32" });
  const started = recorder.started;
  const backend = await initBackend();
  log.write("environment.json", {
    ...describeEnvironment(backend),
    remote: {
      ...record.settings,
      submission_id: record.submission_id,
      versions: started?.versions,
      workers: started?.workers,
    },
  });
  return {
    config,
    hooks,
    artefacts: runArtefacts,
    precision: "f32",
    loaded,
    val,
    valDataset,
    scorer,
    log,
    dataRecord: readJsonFile(join(log.dir, "data.json")) as Record<string, unknown>,
    sharesTrunk: false,
    monitor: recorder.monitor,
    warnings: recorder.warnings,
    state,
    health: { skippedInRow: 0, lastFinite: state.step, lastSaved: 0 },
    trainedParameters: () => started?.trainable_parameters ?? countParameters(loaded.model),
    peakMemoryMb: () => (done.peak_memory_bytes ?? 0) / 2 ** 20,
    say,
    warn: recorder.warn,
    dispose: () => {
      scorer.dispose();
      loaded.model.dispose();
      for (const { tokens } of [dataset, valDataset]) tokens.close();
    },
  };
}

/** Measures the model by our own engine, whatever the job said of it. */
async function keep(run: MeasuredRun & { dispose(): void }, { recorder, state }: Finishing): Promise<TrainingResult> {
  try {
    if (state.step === 0) throw new InputError("the finished job: expected steps, got none; run it again");
    const scored = await scoreValidation(run);
    const record = recorder.validated ? describeValidation(run, scored) : logValidation(run, scored, "epoch");
    const { accuracy, train_accuracy, epoch, step } = record;
    state.stopping = { accuracy, ece: record.evaluation.ece, epoch, step, train_accuracy, since: 0 };
    state.ended = "epochs";
    await saveBest(run, record);
    return await finishRun(run, null);
  } finally {
    run.dispose();
  }
}
