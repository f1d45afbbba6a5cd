// In: the latest steps of a run. Out: what is wrong with them.
import { wilsonInterval } from "../statistics/intervals";
import { digits, type Finding, type MonitoredStep } from "./warning";
import { percent } from "../wording";

const meanOf = (steps: readonly MonitoredStep[], field: "loss" | "mean_reward" | "margin" | "grad_norm") =>
  steps.reduce((sum, step) => sum + step[field], 0) / steps.length;

export function brokenNumbers(record: MonitoredStep): Finding[] {
  const fields = ["loss", "grad_norm", "mean_reward", "min_reward", "max_reward"] as const;
  const bad = fields.filter((field) => !Number.isFinite(record[field]));
  if (bad.length === 0) return [];
  return [
    {
      kind: "not-a-number",
      message: `${bad.map((field) => `${field} is ${record[field]}`).join(", ")} at step ${record.step}`,
      advice:
        "lower learning_rate tenfold, set precision to f32 and grad_clip to 1, then start again from the last checkpoint",
    },
  ];
}

export function truncations({
  truncatedShare,
  truncatedLimit,
}: {
  truncatedShare: number;
  truncatedLimit: number;
}): Finding[] {
  if (truncatedShare <= truncatedLimit) return [];
  return [
    {
      kind: "truncation",
      message: `${percent(truncatedShare)} of the training pairs are cut to max_length, so the model may not see what the labels are about`,
      advice: "raise max_length, or set truncation to the end that matters less",
    },
  ];
}

export function explodingGradients(recent: readonly MonitoredStep[], before: readonly MonitoredStep[]): Finding[] {
  const norms = (before.length > 0 ? before : recent)
    .map((step) => step.grad_norm)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
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

export function bestWindow(steps: readonly MonitoredStep[], window: number): number {
  let best = Infinity;
  for (let end = window; end <= steps.length; end += window)
    best = Math.min(best, meanOf(steps.slice(end - window, end), "loss"));
  return best;
}

export function lossTrend(first: readonly MonitoredStep[], recent: readonly MonitoredStep[], best: number): Finding[] {
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
      advice:
        "try another learning_rate (a third, then three times), unfreeze more layers, and check the labels with `rewardbook check`",
    },
  ];
}

export function chanceAccuracy(recent: readonly MonitoredStep[]): Finding[] {
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
        advice:
          "the labels change sign along the data: look for swapped chosen and rejected answers with `rewardbook check`",
      },
    ];
  }
  if (low > 0.5) return [];
  return [
    {
      kind: "accuracy-at-chance",
      message: `${seen}: no better than a coin`,
      advice:
        "raise or lower learning_rate, unfreeze more layers, and check that chosen and rejected differ in more than noise",
    },
  ];
}

export function equalScores(recent: readonly MonitoredStep[]): Finding[] {
  const last = recent.slice(-5);
  if (!last.every((step) => step.max_reward - step.min_reward < 1e-6)) return [];
  return [
    {
      kind: "equal-scores",
      message: `every answer gets the same reward (${digits(last[last.length - 1].mean_reward)})`,
      advice:
        "the head or the pooling sees only padding, or training collapsed: check max_length and template, lower learning_rate",
    },
  ];
}

export function driftingRewards(recent: readonly MonitoredStep[]): Finding[] {
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
