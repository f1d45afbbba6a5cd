// In: the steps and validations of a run as they happen. Out: plain warnings, each with what to try.
import { wilsonInterval } from "./evaluation/intervals";

export type WarningKind =
  | "not-a-number"
  | "exploding-gradients"
  | "loss-not-falling"
  | "loss-rising"
  | "accuracy-at-chance"
  | "accuracy-below-chance"
  | "equal-scores"
  | "drifting-rewards"
  | "truncation"
  | "overfitting"
  | "risk-collapse"
  | "too-good";

export interface Warning {
  readonly kind: WarningKind;
  readonly step: number;
  readonly epoch: number;
  /** What was seen, with figures. */
  readonly message: string;
  /** What to try. */
  readonly advice: string;
}

/** What the monitor reads of a step; a line of `train_steps.jsonl` holds it. */
export interface MonitoredStep {
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly margin: number;
  readonly min_reward: number;
  readonly mean_reward: number;
  readonly max_reward: number;
  readonly grad_norm: number;
  /** Pairs of the step. */
  readonly pairs: number;
}

/** What the monitor reads of a validation. */
export interface MonitoredValidation {
  readonly step: number;
  readonly epoch: number;
  readonly train_accuracy: number;
  readonly val_loss: number;
  readonly accuracy: number;
  readonly ece?: number;
  readonly acc_by_risk: Readonly<Record<string, number>>;
  /** Pairs of each risk level; a level with fewer than `fewestPairs` is not judged. Absent: all are. */
  readonly n_by_risk?: Readonly<Record<string, number>>;
}

export interface MonitorOptions {
  /** Share of training pairs of which an answer was cut. */
  readonly truncatedShare?: number;
  /** Largest such share without a warning. */
  readonly truncatedLimit?: number;
  /** Steps over which losses, accuracies and rewards are averaged. */
  readonly window?: number;
  /** Largest training minus validation accuracy. */
  readonly gapLimit?: number;
  /** A risk level collapses when it falls this far below its own best, or below ½ while the whole stands this far above. */
  readonly collapse?: number;
  readonly fewestPairs?: number;
}

export interface Monitor {
  onStep(record: MonitoredStep): Warning[];
  onValidation(record: MonitoredValidation): Warning[];
}

type Finding = Omit<Warning, "step" | "epoch"> & { readonly subject?: string };

/** Watches a run. A warning is given once and again only after its cause has been gone for a while. */
export function createMonitor(options: MonitorOptions = {}): Monitor {
  const settings = {
    truncatedShare: 0,
    truncatedLimit: 0.1,
    window: 50,
    gapLimit: 0.1,
    collapse: 0.15,
    fewestPairs: 20,
    ...options,
  };
  const steps: MonitoredStep[] = [];
  const validations: MonitoredValidation[] = [];
  const active = new Set<string>();

  /** Keeps the findings that are new; a finding absent this time may be reported again. */
  const fresh = (scope: string, at: { step: number; epoch: number }, findings: readonly Finding[]): Warning[] => {
    const keys = findings.map(({ kind, subject }) => `${scope} ${kind} ${subject ?? ""}`);
    const found = findings.filter((_, i) => !active.has(keys[i]));
    for (const key of [...active]) if (key.startsWith(`${scope} `) && !keys.includes(key)) active.delete(key);
    for (const key of keys) active.add(key);
    return found.map(({ kind, message, advice }) => ({ kind, step: at.step, epoch: at.epoch, message, advice }));
  };

  return {
    onStep(record) {
      steps.push(record);
      const found = fresh("now", record, [...brokenNumbers(record), ...truncations(settings)]);
      // Averages move slowly: look once a window, so that one cause gives one warning.
      if (steps.length % settings.window !== 0) return found;
      const recent = steps.slice(-settings.window);
      const first = steps.slice(0, settings.window);
      return [
        ...found,
        ...fresh("window", record, [
          ...explodingGradients(recent, steps.slice(0, -settings.window)),
          // Before the third window the learning rate may still be warming up.
          ...(steps.length > 2 * settings.window ? lossTrend(first, recent, bestWindow(steps, settings.window)) : []),
          ...(steps.length > 2 * settings.window ? chanceAccuracy(recent) : []),
          ...equalScores(recent),
          ...driftingRewards(recent),
        ]),
      ];
    },
    onValidation(record) {
      const findings = [...overfitting(record, validations, settings.gapLimit), ...riskCollapse(record, validations, settings)];
      if (record.accuracy >= 0.99) findings.push(tooGood(record.accuracy));
      validations.push(record);
      return fresh("validation", record, findings);
    },
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const digits = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value));
const meanOf = (steps: readonly MonitoredStep[], field: "loss" | "mean_reward" | "margin" | "grad_norm") =>
  steps.reduce((sum, step) => sum + step[field], 0) / steps.length;

function brokenNumbers(record: MonitoredStep): Finding[] {
  const fields = ["loss", "grad_norm", "mean_reward", "min_reward", "max_reward"] as const;
  const bad = fields.filter((field) => !Number.isFinite(record[field]));
  if (bad.length === 0) return [];
  return [
    {
      kind: "not-a-number",
      message: `${bad.map((field) => `${field} is ${record[field]}`).join(", ")} at step ${record.step}`,
      advice: "lower learning_rate tenfold, set precision to f32 and grad_clip to 1, then start again from the last checkpoint",
    },
  ];
}

function truncations({ truncatedShare, truncatedLimit }: { truncatedShare: number; truncatedLimit: number }): Finding[] {
  if (truncatedShare <= truncatedLimit) return [];
  return [
    {
      kind: "truncation",
      message: `${percent(truncatedShare)} of the training pairs are cut to max_length, so the model may not see what the labels are about`,
      advice: "raise max_length, or set truncation to the end that matters less",
    },
  ];
}

function explodingGradients(recent: readonly MonitoredStep[], before: readonly MonitoredStep[]): Finding[] {
  const norms = (before.length > 0 ? before : recent).map((step) => step.grad_norm).filter(Number.isFinite).sort((a, b) => a - b);
  const median = norms[Math.floor(norms.length / 2)] ?? Infinity;
  const spikes = recent.filter((step) => step.grad_norm > 10 * median);
  if (spikes.length < 3) return [];
  const largest = Math.max(...spikes.map((step) => step.grad_norm));
  return [
    {
      kind: "exploding-gradients",
      message: `the gradient norm passed ten times its median ${digits(median)} in ${spikes.length} of the last ${recent.length} steps, up to ${digits(largest)}`,
      advice: "lower learning_rate, lengthen warmup_ratio, keep grad_clip at 1 or use larger batches",
    },
  ];
}

function bestWindow(steps: readonly MonitoredStep[], window: number): number {
  let best = Infinity;
  for (let end = window; end <= steps.length; end += window) best = Math.min(best, meanOf(steps.slice(end - window, end), "loss"));
  return best;
}

function lossTrend(first: readonly MonitoredStep[], recent: readonly MonitoredStep[], best: number): Finding[] {
  const [start, now] = [meanOf(first, "loss"), meanOf(recent, "loss")];
  if (!Number.isFinite(now)) return [];
  const variance = [first, recent].reduce((sum, steps) => {
    const mean = meanOf(steps, "loss");
    return sum + steps.reduce((s, step) => s + (step.loss - mean) ** 2, 0) / (steps.length - 1) / steps.length;
  }, 0);
  if (now > 1.25 * best && now - best > 2 * Math.sqrt(variance)) {
    return [
      {
        kind: "loss-rising",
        message: `the training loss rose from ${digits(best)} to ${digits(now)} (means of ${recent.length} steps)`,
        advice: "lower learning_rate, lengthen warmup_ratio, and go back to the best checkpoint",
      },
    ];
  }
  if (now < start - 2 * Math.sqrt(variance) || now < 0.98 * start) return [];
  return [
    {
      kind: "loss-not-falling",
      message: `the training loss is ${digits(now)} after ${digits(start)} at the start (means of ${recent.length} steps)`,
      advice: "try another learning_rate (a third, then three times), unfreeze more layers, and check the labels with `rewardbook check`",
    },
  ];
}

function chanceAccuracy(recent: readonly MonitoredStep[]): Finding[] {
  const pairs = recent.reduce((sum, step) => sum + step.pairs, 0);
  const right = recent.reduce((sum, step) => sum + step.accuracy * step.pairs, 0);
  if (pairs < 200 || !Number.isFinite(right)) return [];
  const { low, high } = wilsonInterval(Math.min(right, pairs), pairs);
  const seen = `training accuracy is ${percent(right / pairs)} over the last ${pairs} pairs (95% interval ${percent(low)} to ${percent(high)})`;
  if (high < 0.5) {
    return [
      {
        kind: "accuracy-below-chance",
        message: `${seen}: below chance`,
        advice: "the labels change sign along the data: look for swapped chosen and rejected answers with `rewardbook check`",
      },
    ];
  }
  if (low > 0.5) return [];
  return [
    {
      kind: "accuracy-at-chance",
      message: `${seen}: no better than a coin`,
      advice: "raise or lower learning_rate, unfreeze more layers, and check that chosen and rejected differ in more than noise",
    },
  ];
}

function equalScores(recent: readonly MonitoredStep[]): Finding[] {
  const last = recent.slice(-5);
  if (!last.every((step) => step.max_reward - step.min_reward < 1e-6)) return [];
  return [
    {
      kind: "equal-scores",
      message: `every answer gets the same reward (${digits(last[last.length - 1].mean_reward)})`,
      advice: "the head or the pooling sees only padding, or training collapsed: check max_length and template, lower learning_rate",
    },
  ];
}

function driftingRewards(recent: readonly MonitoredStep[]): Finding[] {
  const mean = meanOf(recent, "mean_reward");
  const margin = Math.abs(meanOf(recent, "margin"));
  if (!(Math.abs(mean) > Math.max(5, 5 * margin))) return [];
  return [
    {
      kind: "drifting-rewards",
      message: `the mean reward is ${digits(mean)} while chosen and rejected differ by ${digits(margin)}: rewards drift together`,
      advice: "set centering to 0.01: only differences are trained, so nothing else holds the mean in place",
    },
  ];
}

function overfitting(record: MonitoredValidation, earlier: readonly MonitoredValidation[], limit: number): Finding[] {
  const gap = record.train_accuracy - record.accuracy;
  const best = Math.min(...earlier.map((validation) => validation.val_loss));
  const last = earlier[earlier.length - 1];
  const growing = last !== undefined && gap > last.train_accuracy - last.accuracy;
  const seen = `training accuracy ${percent(record.train_accuracy)}, validation ${percent(record.accuracy)}`;
  const advice = "stop at the best checkpoint, train for fewer epochs, turn dropout on, raise weight_decay, freeze lower layers or add pairs";
  if (gap > limit) {
    return [{ kind: "overfitting", message: `${seen}: a gap of ${(100 * gap).toFixed(1)} points${growing ? ", growing" : ""}`, advice }];
  }
  if (growing && record.val_loss > 1.1 * best) {
    const losses = `the validation loss rose from ${digits(best)} to ${digits(record.val_loss)}`;
    return [{ kind: "overfitting", message: `${losses} while the gap grows (${seen})`, advice }];
  }
  return [];
}

function riskCollapse(
  record: MonitoredValidation,
  earlier: readonly MonitoredValidation[],
  { collapse, fewestPairs }: { readonly collapse: number; readonly fewestPairs: number },
): Finding[] {
  return Object.entries(record.acc_by_risk).flatMap(([risk, accuracy]): Finding[] => {
    if ((record.n_by_risk?.[risk] ?? fewestPairs) < fewestPairs) return [];
    const best = Math.max(...earlier.map((validation) => validation.acc_by_risk[risk] ?? 0), 0);
    const fell = best - accuracy > collapse;
    const behind = accuracy < 0.5 && record.accuracy - accuracy > collapse;
    if (!fell && !behind) return [];
    const seen = fell ? `fell from ${percent(best)} to ${percent(accuracy)}` : `is ${percent(accuracy)}, below chance,`;
    return [
      {
        kind: "risk-collapse",
        subject: risk,
        message: `accuracy on risk level ${risk} ${seen} while all pairs together reach ${percent(record.accuracy)}`,
        advice: "weight these pairs up (beta, confidence_penalty), add pairs of this level, or go back to an earlier checkpoint",
      },
    ];
  });
}

function tooGood(accuracy: number): Finding {
  return {
    kind: "too-good",
    message: `validation accuracy is ${percent(accuracy)}: real preferences are not that clean`,
    advice: "look for a give-away (length, format, a phrase only one side has) and for questions in both splits with `rewardbook check`",
  };
}
