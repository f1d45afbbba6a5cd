// In: the accuracies and losses of a finished run. Out: whether the model may be used, criterion by criterion.
import { GATE_LIMITS } from "../config";
import type { GateCriterion, GateVerdict } from "../runs/records";
import { hundredths, percent } from "../wording";

export interface GateThresholds {
  /** Least training accuracy. */
  readonly trainAccuracy: number;
  /** Least validation accuracy. */
  readonly valAccuracy: number;
  /** The gap, training minus validation accuracy, must stay below this. */
  readonly gap: number;
  /** The p-value of being no better than chance must stay below this. */
  readonly pValue: number;
}

export interface GateInput {
  readonly trainAccuracy: number;
  readonly valAccuracy: number;
  /** One-sided p of validation accuracy being no better than ½, over prompts (`betterThanChance`). */
  readonly pValue: number;
  /** Training loss of every step, in order. */
  readonly losses: ArrayLike<number>;
  readonly thresholds?: Partial<GateThresholds>;
}

/**
 * The quality gate: training and validation accuracy, their gap, convergence of the loss, better than chance.
 *
 * Converged: the mean loss of the last quarter of the steps lies below that of the first quarter, and not above that
 * of the third by more than twice its standard error (value: last quarter; threshold: what it had to stay below).
 * A value that is not a number fails its criterion.
 *
 * @example
 * ```ts
 * checkQualityGate({ trainAccuracy: 0.9, valAccuracy: 0.6, pValue: 0.2, losses: [0.7, 0.6, 0.5, 0.4] }).passed; // → false
 * ```
 */
export function checkQualityGate(input: GateInput): GateVerdict {
  const { trainAccuracy, valAccuracy, pValue, losses } = input;
  const limits = { ...GATE_LIMITS, ...input.thresholds };
  const gap = trainAccuracy - valAccuracy;
  const loss = convergence(losses);
  const criteria: GateCriterion[] = [
    {
      name: "train_accuracy",
      value: trainAccuracy,
      threshold: limits.trainAccuracy,
      passed: trainAccuracy >= limits.trainAccuracy,
      text: `training accuracy ${percent(trainAccuracy)}, at least ${percent(limits.trainAccuracy)} asked for`,
      advice: "train longer, raise learning_rate, unfreeze more layers or take a larger model",
    },
    {
      name: "val_accuracy",
      value: valAccuracy,
      threshold: limits.valAccuracy,
      passed: valAccuracy >= limits.valAccuracy,
      text: `validation accuracy ${percent(valAccuracy)}, at least ${percent(limits.valAccuracy)} asked for`,
      advice:
        "improve the data first (`rewardbook check` lists suspicious labels), then the model's size and learning_rate",
    },
    {
      name: "overfitting_gap",
      value: gap,
      threshold: limits.gap,
      // 0.9 − 0.8 is 0.0999… in floating point and counts as ten points.
      passed: gap < limits.gap - 1e-9,
      text: `training minus validation accuracy ${hundredths(gap)} points, less than ${hundredths(limits.gap)} asked for`,
      advice: "train for fewer epochs, turn dropout on, raise weight_decay, freeze lower layers or add pairs",
    },
    {
      name: "loss_converged",
      value: loss.last,
      threshold: loss.limit,
      passed: loss.last <= loss.limit && loss.last < loss.first,
      text: `mean training loss ${loss.last.toFixed(4)} in the last quarter, after ${loss.first.toFixed(4)} in the first`,
      advice: "lower learning_rate, lengthen warmup_ratio or train longer",
    },
    {
      name: "better_than_chance",
      value: pValue,
      threshold: limits.pValue,
      passed: pValue < limits.pValue,
      text: `probability of this accuracy by chance ${pValue.toPrecision(2)}, less than ${limits.pValue} asked for`,
      advice: "validate on more questions; if the accuracy stays near one half, the model has learned nothing",
    },
  ];
  return { passed: criteria.every((criterion) => criterion.passed), criteria };
}

function convergence(losses: ArrayLike<number>): { first: number; last: number; limit: number } {
  const steps = losses.length;
  if (steps < 2) return { first: NaN, last: NaN, limit: NaN };
  const quarter = Math.max(1, Math.floor(steps / 4));
  const mean = (from: number) => {
    const values = Array.from({ length: quarter }, (_, i) => losses[from + i]);
    const centre = values.reduce((a, b) => a + b, 0) / quarter;
    const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / Math.max(1, quarter - 1) / quarter;
    return { centre, variance };
  };
  const [first, third, last] = [0, Math.max(0, steps - 2 * quarter), steps - quarter].map(mean);
  const slack = 2 * Math.sqrt(third.variance + last.variance);
  return { first: first.centre, last: last.centre, limit: Math.min(first.centre, third.centre + slack) };
}
