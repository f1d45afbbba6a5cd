// In: a training under way. Out: checkpoints/RUN/best, epochNN and last, each whole or not there at all.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { analyseErrors } from "../evaluation/errorAnalysis";
import { lossSettings } from "../evaluation/pairLossValue";
import { lossRecord } from "./lossRecord";
import { writeAdapter } from "../checkpoints/adapter";
import { linkOrCopy } from "../files/atomic";
import { checkpointsDir } from "../files/paths";
import { findVerified, padTokenId, saveRewardModel } from "../checkpoints/checkpoint";
import { countParameters } from "../models/rewardModel";
import { SETTINGS_FILE } from "../checkpoints/settings";
import { scoreLineOf } from "../runs/scoreLines";
import type { MeasuredRun, TrainingRun, ValidationRecord } from "./run";
import { writeTrainingState } from "./state";

const place = (run: MeasuredRun, name: string): string => join(checkpointsDir(run.config.run), name);

/** How texts are read; what else the settings say is of the training that the model comes from. */
function readingSettings({ loaded }: MeasuredRun) {
  const { loss: _l, temperature: _t, metrics: _m, run_id: _r, epoch: _e, step: _s, ...reading } = loaded.settings;
  return reading;
}

/** Saves the model as it stands, with what a validation said about it. */
async function save(run: MeasuredRun, name: string, record: ValidationRecord | null): Promise<void> {
  const { loaded, config } = run;
  const evaluation = record?.evaluation;
  const settings = {
    ...readingSettings(run),
    loss: lossRecord(config),
    temperature: evaluation?.temperature ?? 1,
    metrics: evaluation && {
      val_pairs: evaluation.n_pairs,
      val_accuracy: evaluation.accuracy,
      val_accuracy_ci95: evaluation.accuracy_ci95,
      val_ece: evaluation.ece,
      val_loss: evaluation.loss,
    },
    run_id: config.run,
    epoch: record?.epoch ?? run.state.epoch,
    step: run.state.step,
  };
  const card = run.artefacts.modelCard({
    config,
    settings,
    evaluation: evaluation ?? null,
    modelConfig: loaded.model.config,
    tokenizer: loaded.tokenizer,
    adapter: run.sharesTrunk,
    padId: padTokenId(loaded.model.config, loaded.tokenizer),
    parameters: { all: countParameters(loaded.model), trained: run.trainedParameters() },
    data: run.dataRecord,
  });
  if (run.sharesTrunk)
    return saveShared(run, place(run, name), settings, (dir) => writeFile(join(dir, "README.md"), card));
  await saveRewardModel(place(run, name), {
    loaded,
    settings,
    modelCard: card,
    // The whole model has the low-rank updates folded in; beside it the adapter alone, for PEFT.
    extra: loaded.model.lora
      ? (dir) => writeAdapter(join(dir, "adapter"), loaded.model, { baseModel: loaded.dir })
      : undefined,
  });
}

/** Policy and reward model share one trunk on disk: only the head and the low-rank updates are written. */
function saveShared(
  run: MeasuredRun,
  dir: string,
  settings: object,
  extra: (dir: string) => Promise<void>,
): Promise<void> {
  const { model, dir: base } = run.loaded;
  return writeAdapter(dir, model, {
    baseModel: resolve(base),
    extra: async (temporary) => {
      await writeFile(join(temporary, SETTINGS_FILE), JSON.stringify(settings, null, 2) + "\n");
      await extra(temporary);
    },
  });
}

/** Keeps the best model and everything that was measured with it. */
export async function saveBest(run: MeasuredRun, record: ValidationRecord): Promise<void> {
  await save(run, "best", record);
  run.log.write("evaluation.json", record.evaluation);
  run.log.write("errors.json", analyseErrors(record.scored, { loss: lossSettings(lossRecord(run.config)) }));
  run.log.replace("val_scores.jsonl", record.scored.map(scoreLineOf));
}

/** Keeps the model of an epoch. */
export function saveEpoch(run: TrainingRun, epoch: number, record: ValidationRecord): Promise<void> {
  return save(run, `epoch${String(epoch).padStart(2, "0")}`, record);
}

/** Keeps everything needed to go on: model, optimizer, place in the data order, early stopping; and the one before it. */
export async function saveLast(run: TrainingRun): Promise<void> {
  const { loaded, config, state } = run;
  const settings = { ...readingSettings(run), run_id: config.run, step: state.step };
  const { optimizer, trainable } = run.currentStep()!;
  state.logs = run.log.marks();
  const extra = (dir: string) =>
    writeTrainingState(dir, {
      state,
      optimizer,
      model: loaded.model,
      trainable: run.sharesTrunk || loaded.model.lora ? trainable : [],
    });
  const [last, previous] = [place(run, "last"), place(run, "last-previous")];
  if (existsSync(last)) await keepAside(last, previous);
  if (run.sharesTrunk) await saveShared(run, last, settings, extra);
  else await saveRewardModel(last, { loaded, settings, extra });
  run.health.lastSaved = state.step;
}

/**
 * Before a run that diverges is given up: a state saved after the last step whose loss was a number was never seen to work;
 * the one before it takes its place.
 *
 * @returns in words what is kept
 */
export function dropUnproven(run: MeasuredRun): string {
  const { lastSaved, lastFinite } = run.health;
  const [last, previous] = [place(run, "last"), place(run, "last-previous")];
  if (existsSync(last) && lastSaved >= lastFinite) {
    rmSync(last, { recursive: true });
    if (existsSync(previous)) renameSync(previous, last);
  }
  const kept = ["last", "best"].map((name) => place(run, name)).filter((dir) => existsSync(dir));
  return kept.length ? `${kept.join(" and ")} hold the run as it was before` : "nothing was saved before";
}

/** The way back should the next state be damaged later: the same files under another name, without a copy of their bytes. */
async function keepAside(dir: string, aside: string): Promise<void> {
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside);
  for (const name of readdirSync(dir)) await linkOrCopy(join(dir, name), join(aside, name));
}

/** A damaged `last` would push the state that is gone on from out of its place at the next save. */
export function setAsideDamaged(run: string, resumeFrom: string): void {
  const last = join(checkpointsDir(run), "last");
  if (resumeFrom === last || !existsSync(last)) return;
  const aside = `${last}-damaged`;
  rmSync(aside, { recursive: true, force: true });
  renameSync(last, aside);
}

/** The saved states of a run. */
export interface SavedStates {
  /** The newest whose files match their checksums; null where none does. */
  readonly newest: string | null;
  /** Those that do not, each with what is wrong. */
  readonly damaged: readonly { readonly dir: string; readonly why: string }[];
}

/** Looks for the states that a run saved; one that a kill left under its hidden name takes its place first. */
export async function findStates(run: string): Promise<SavedStates> {
  const dir = checkpointsDir(run);
  const damaged: { dir: string; why: string }[] = [];
  const newest = await findVerified(
    ["last", "last-previous"].map((name) => join(dir, name)),
    (skipped, why) => damaged.push({ dir: skipped, why }),
  );
  return { newest, damaged };
}
