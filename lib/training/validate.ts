// In: the model as it stands. Out: how well it ranks the held-out pairs, written to the run's files.
import { lossSettings } from "../evaluation/pairLossValue";
import { lossRecord } from "./lossRecord";
import { evaluateScores, originalEvaluation, type Evaluation, type OriginalEvaluation } from "../evaluation/evaluate";
import { toScoredPair } from "../scoring/score";
import type { ScoredPair } from "../scoring/scoredPair";
import { InputError } from "../errors";
import { dropUnproven, saveBest } from "./checkpoints";
import type { MeasuredRun, ValidationRecord } from "./run";

/**
 * Scores the validation pairs, logs every metric, keeps the best checkpoint by (accuracy, −ECE).
 *
 * @param when `epoch` writes the per-epoch files of the original notebook, `step` one line of `val_steps.jsonl`
 */
export async function validate(run: MeasuredRun, when: When): Promise<ValidationRecord> {
  const record = logValidation(run, await scoreValidation(run), when);
  if (record.best) await saveBest(run, record);
  run.hooks.onValidation?.(record);
  return record;
}

type When = "epoch" | "step";

/** Rewards of the validation pairs by the model as it stands. @throws InputError where one is no finite number */
export async function scoreValidation(run: MeasuredRun): Promise<ScoredPair[]> {
  const scores = await run.scorer.score(run.valDataset.tokens);
  requireFinite(run, scores);
  const { tokens, cuts } = run.valDataset;
  const read = (text: number) => ({ tokens: tokens.length(text), cuts: cuts.get(text) ?? [] });
  return run.val.map((pair, i) => ({
    ...toScoredPair(pair, scores[2 * i], scores[2 * i + 1], run.config.beta),
    read: { chosen: read(2 * i), rejected: read(2 * i + 1) },
  }));
}

/** What a validation says, before anything is written. */
export function describeValidation(
  { state, config }: Pick<MeasuredRun, "state" | "config">,
  scored: readonly ScoredPair[],
): ValidationRecord {
  const evaluation = evaluateScores(scored, { temperature: "fit", loss: lossSettings(lossRecord(config)) });
  const { loss, correct, pairs } = state.epoch_sums;
  const { accuracy, ece } = evaluation;
  const { stopping } = state;
  return {
    ts: Date.now() / 1000,
    epoch: state.epoch,
    step: state.step,
    train_loss: loss / pairs,
    train_accuracy: correct / pairs,
    val_loss: evaluation.loss,
    accuracy,
    ...originalEvaluation(scored),
    evaluation,
    scored,
    best: accuracy > stopping.accuracy || (accuracy === stopping.accuracy && ece < stopping.ece),
  };
}

/** Writes what a validation says, warns of what is suspicious in it, and remembers the best one. */
export function logValidation(
  run: Pick<MeasuredRun, "state" | "config" | "log" | "monitor" | "warn">,
  scored: readonly ScoredPair[],
  when: When,
): ValidationRecord {
  const { state, log } = run;
  const record = describeValidation(run, scored);
  const { ts, epoch, step, train_loss, train_accuracy, val_loss, accuracy, acc_by_risk, evaluation } = record;
  const summary = { ts, epoch, step, train_loss, train_accuracy, val_loss, accuracy };
  const { ece } = evaluation;
  if (when === "epoch") logEpoch(log, { summary, original: originalEvaluation(scored), evaluation });
  else log.append("val_steps.jsonl", { ...summary, ece, acc_by_risk });
  const n_by_risk = Object.fromEntries(Object.entries(evaluation.by_risk).map(([risk, { n }]) => [risk, n]));
  run.warn(run.monitor.onValidation({ ...summary, ece, acc_by_risk, n_by_risk }));
  if (record.best) state.stopping = { accuracy, ece, epoch, step, train_accuracy, since: 0 };
  else state.stopping.since++;
  return record;
}

/** A model whose scores are no numbers is neither measured nor kept. */
function requireFinite(run: MeasuredRun, scores: Float64Array): void {
  const broken = scores.findIndex((score) => !Number.isFinite(score));
  if (broken < 0) return;
  throw new InputError(
    `validation after step ${run.state.step}: expected finite scores, got ${scores[broken]} for pair ${run.val[broken >> 1].id}; ` +
      `${dropUnproven(run)}; begin anew (--overwrite, or another --run) with a lower --learning-rate than ${run.config.learning_rate}`,
  );
}

type Summary = Pick<
  ValidationRecord,
  "ts" | "epoch" | "step" | "train_loss" | "train_accuracy" | "val_loss" | "accuracy"
>;

/** The files that an epoch's validation leaves: a line of val_epochs.jsonl, one of the table, and two of its own. */
function logEpoch(
  log: MeasuredRun["log"],
  { summary, original, evaluation }: { summary: Summary; original: OriginalEvaluation; evaluation: Evaluation },
): void {
  const { epoch, step, train_loss, train_accuracy } = summary;
  const name = String(epoch).padStart(2, "0");
  const { calibration_bins: _, ...measures } = evaluation;
  log.append("val_epochs.jsonl", { ...measures, ...summary, ...original });
  log.write(`reward_eval_val_epoch${name}.json`, { ...original, val_loss: evaluation.loss, epoch });
  log.write(`val_deltas/deltas_epoch${name}.json`, { epoch, deltas: original.deltas });
  log.csv({
    epoch,
    step,
    train_loss,
    train_accuracy,
    val_loss: evaluation.loss,
    val_accuracy: evaluation.accuracy,
    val_ece: evaluation.ece,
  });
}
