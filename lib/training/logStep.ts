// In: what an optimizer step saw. Out: its line in the log, the epoch's sums, the monitor's warnings and the caller's progress.
import { softplus } from "../ece";
import type { StepRecord } from "../runs/metricsLog";
import type { TrainingProgress, TrainingRun } from "./run";
import type { StepOutcome } from "./step";

/** Counts the step and tells everybody who wants to know of it. */
export function logStep(
  run: TrainingRun,
  outcome: StepOutcome,
  { learningRate, seconds }: { readonly learningRate: number; readonly seconds: number },
): void {
  const { state, hooks } = run;
  state.step++;
  state.epoch_step++;
  const record = stepRecord(run, outcome, { learningRate, seconds });
  run.log.append("train_steps.jsonl", record);
  run.warn(run.monitor.onStep(record));
  hooks.onStep?.(record);
  hooks.onProgress?.(progressOf(run, record));
}

/** Turns what a step saw into its line of the log, and adds it to the epoch's sums. */
function stepRecord(
  { state }: TrainingRun,
  outcome: StepOutcome,
  { learningRate, seconds }: { readonly learningRate: number; readonly seconds: number },
): StepRecord {
  const pairs = outcome.chosen.length;
  let [correct, margin, nll, sum, min, max] = [0, 0, 0, 0, Infinity, -Infinity];
  for (let i = 0; i < pairs; i++) {
    const [chosen, rejected] = [outcome.chosen[i], outcome.rejected[i]];
    correct += chosen > rejected ? 1 : chosen === rejected ? 0.5 : 0;
    margin += chosen - rejected;
    nll += softplus(rejected - chosen);
    sum += chosen + rejected;
    min = Math.min(min, chosen, rejected);
    max = Math.max(max, chosen, rejected);
  }
  state.num_tokens += outcome.tokens;
  state.pairs_seen += pairs;
  state.epoch_sums.loss += outcome.loss * pairs;
  state.epoch_sums.correct += correct;
  state.epoch_sums.pairs += pairs;
  return {
    ts: Date.now() / 1000,
    step: state.step,
    epoch: state.epoch,
    loss: outcome.loss,
    nll: nll / pairs,
    accuracy: correct / pairs,
    margin: margin / pairs,
    min_reward: min,
    mean_reward: sum / (2 * pairs),
    max_reward: max,
    pairs,
    num_tokens: state.num_tokens,
    learning_rate: learningRate,
    grad_norm: outcome.gradNorm,
    tokens_per_second: outcome.tokens / seconds,
    padding_share: 1 - outcome.tokens / outcome.paddedTokens,
  };
}

function progressOf(run: TrainingRun, { step, epoch, pairs }: StepRecord): TrainingProgress {
  const { totalSteps } = run;
  const sums = run.state.epoch_sums;
  const rate = run.rate(pairs);
  return {
    step,
    totalSteps,
    epoch,
    loss: sums.loss / sums.pairs,
    accuracy: sums.correct / sums.pairs,
    pairsPerSecond: rate,
    secondsLeft: ((totalSteps - step) * pairs) / rate,
  };
}
