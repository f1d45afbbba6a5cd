// In: the step and the configuration. Out: the learning rate of that step.
import type { TrainingConfig } from "../config";

/**
 * Learning rate of optimizer step `step` (from 1): linear warm-up, then linear or cosine decay to 0, or constant.
 *
 * Equals transformers' `get_linear_schedule_with_warmup` and `get_cosine_schedule_with_warmup` before their
 * `step` call number `step`: the first step of a warm-up has rate 0 there, so ours starts at 1/warmup instead.
 *
 * @example
 * ```ts
 * learningRateAt(1, 100, resolveConfig({ pairs: "pairs.jsonl", schedule: "constant", warmup_ratio: 0 })); // → 0.00005
 * ```
 */
export function learningRateAt(step: number, totalSteps: number, config: TrainingConfig): number {
  const warmup = Math.min(config.warmup_steps ?? Math.ceil(config.warmup_ratio * totalSteps), totalSteps);
  if (step <= warmup) return (config.learning_rate * step) / warmup;
  if (config.schedule === "constant") return config.learning_rate;
  const progress = (step - 1 - warmup) / Math.max(1, totalSteps - warmup);
  const share = config.schedule === "linear" ? 1 - progress : 0.5 * (1 + Math.cos(Math.PI * progress));
  return config.learning_rate * Math.max(0, share);
}
