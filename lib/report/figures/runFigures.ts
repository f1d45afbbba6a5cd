// In: a run's files. Out: all its figures, by the name of the PNG each becomes.
import {
  confidenceBins,
  deltaHistogramFigure,
  epochAccuracyFigure,
  epochLossFigure,
  epochValueFigure,
  groupAccuracyFigure,
  learningRateFigure,
  lengthQuartileFigure,
  lengthRewardFigure,
  reliabilityFigure,
  rewardDistributionFigure,
  riskFigure,
  stepLossFigure,
  stepValidationFigure,
} from ".";
import type { Figure } from ".";
import type { RunRecord } from "../../runs/runFiles";

/**
 * The figures of a training run, and those of its evaluation once there is one.
 *
 * @example
 * ```ts
 * await showFigure(runFigures(readRun("metrics/mine")).reliability);
 * ```
 */
export function runFigures(run: RunRecord): Record<string, Figure> {
  return { ...trainingFigures(run), ...evaluationFigures(run) };
}

function trainingFigures({ steps, epochs, validations, deltas }: RunRecord): Record<string, Figure> {
  return {
    ...(validations.length > 0 ? { val_accuracy_loss_by_step: stepValidationFigure(validations) } : {}),
    train_loss_by_step: stepLossFigure(steps),
    train_val_loss_by_epoch: epochLossFigure(steps, epochs),
    val_accuracy_ece_by_epoch: epochAccuracyFigure(epochs),
    val_accuracy_by_epoch: epochValueFigure(epochs, "accuracy"),
    val_ece_by_epoch: epochValueFigure(epochs, "ece"),
    learning_rate_by_step: learningRateFigure(steps),
    val_deltas_hist: deltaHistogramFigure(deltas?.deltas ?? [], { epoch: deltas?.epoch }),
  };
}

function evaluationFigures({ evaluation, scores, metrics }: RunRecord): Record<string, Figure> {
  if (!evaluation) return {};
  const overall = evaluation.accuracy ?? undefined;
  const rewards = rewardDistributionFigure(
    scores.map((row) => row.chosen_score),
    scores.map((row) => row.rejected_score),
  );
  const points = scores.flatMap(({ chosen_length, rejected_length, chosen_score, rejected_score }) =>
    chosen_length === undefined || rejected_length === undefined
      ? []
      : [{ lengthDelta: chosen_length - rejected_length, rewardDelta: chosen_score - rejected_score }],
  );
  const spearman = evaluation.length?.spearman_delta_length ?? undefined;
  return {
    accuracy_by_risk: riskFigure(evaluation.by_risk, overall, metrics?.best_epoch),
    accuracy_by_preference_type: groupAccuracyFigure(evaluation.by_preference_type, {
      title: "Accuracy by kind of preference",
      groupTitle: "kind",
      overall,
    }),
    reliability: reliabilityFigure(confidenceBins(evaluation.calibration_bins), {
      ece: evaluation.ece_symmetric ?? undefined,
    }),
    reward_distribution: rewards,
    accuracy_by_length: lengthQuartileFigure(evaluation.by_length_quartile, { overall }),
    length_against_reward: lengthRewardFigure(points, { spearman, unit: "characters" }),
  };
}
