// In: the model as it stands. Out: how well it ranks the held-out pairs, written to the run's files.
import { lossSettings } from "../evaluation/pairLossValue";
import { lossRecord } from "./lossRecord";
import { evaluateScores, originalEvaluation, type Evaluation, type OriginalEvaluation } from "../evaluation/evaluate";
import { toScoredPair } from "../scoring/score";
import { InputError } from "../errors";
import { dropUnproven, saveBest } from "./checkpoints";
import type { TrainingRun, ValidationRecord } from "./run";

/**
 * Scores the validation pairs, logs every metric, keeps the best checkpoint by (accuracy, −ECE).
 *
 * @param when `epoch` writes the per-epoch files of the original notebook, `step` one line of `val_steps.jsonl`
 */
export async function validate(run: TrainingRun, when: "epoch" | "step"): Promise<ValidationRecord> {
  const { state, log, val, config } = run;
  const { epoch } = state;
  const scores = await run.scorer.score(run.valDataset.tokens);
  requireFinite(run, scores);
  const { tokens, cuts } = run.valDataset;
  const read = (text: number) => ({ tokens: tokens.length(text), cuts: cuts.get(text) ?? [] });
  const scored = val.map((pair, i) => ({
    ...toScoredPair(pair, scores[2 * i], scores[2 * i + 1], config.beta),
    read: { chosen: read(2 * i), rejected: read(2 * i + 1) },
  }));
  const original = originalEvaluation(scored);
  const evaluation = evaluateScores(scored, { temperature: "fit", loss: lossSettings(lossRecord(config)) });
  const sums = state.epoch_sums;
  const summary: Summary = {
    ts: Date.now() / 1000,
    epoch,
    step: state.step,
    train_loss: sums.loss / sums.pairs,
    train_accuracy: sums.correct / sums.pairs,
    val_loss: evaluation.loss,
    accuracy: evaluation.accuracy,
  };
  const best =
    evaluation.accuracy > state.stopping.accuracy ||
    (evaluation.accuracy === state.stopping.accuracy && evaluation.ece < state.stopping.ece);
  const record: ValidationRecord = { ...summary, ...original, evaluation, scored, best };
  if (when === "epoch") logEpoch(log, { summary, original, evaluation });
  else log.append("val_steps.jsonl", { ...summary, ece: evaluation.ece, acc_by_risk: original.acc_by_risk });
  const n_by_risk = Object.fromEntries(Object.entries(evaluation.by_risk).map(([risk, { n }]) => [risk, n]));
  run.warn(run.monitor.onValidation({ ...summary, ece: evaluation.ece, acc_by_risk: original.acc_by_risk, n_by_risk }));
  if (best) {
    state.stopping = {
      accuracy: evaluation.accuracy,
      ece: evaluation.ece,
      epoch,
      step: state.step,
      train_accuracy: summary.train_accuracy,
      since: 0,
    };
    await saveBest(run, record);
  } else state.stopping.since++;
  run.hooks.onValidation?.(record);
  return record;
}

/** A model whose scores are no numbers is neither measured nor kept. */
function requireFinite(run: TrainingRun, scores: Float64Array): void {
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
  log: TrainingRun["log"],
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
