// In: what an optimizer step saw. Out: its line in the log, the epoch's sums, the monitor's warnings and the caller's progress.
import { softplus } from "../ece";
import type { Update } from "../batching/trainingPlan";
import type { StepRecord } from "../runs/records";
import { isBroken, noteSkipped } from "./divergence";
import type { TrainingProgress, TrainingRun } from "./run";
import type { StepOutcome } from "./step";

/** Counts the step and tells everybody who wants to know of it. @throws InputError when training diverges */
export function logStep(
  run: TrainingRun,
  outcome: StepOutcome,
  {
    update,
    learningRate,
    seconds,
  }: { readonly update: Update; readonly learningRate: number; readonly seconds: number },
): void {
  const { state, hooks, health } = run;
  const broken = isBroken(outcome.loss, outcome.gradNorm);
  state.step++;
  state.epoch_step++;
  const record = stepRecord(run, outcome, { learningRate, seconds });
  if (!broken) addToSums(run, record);
  run.log.append("train_steps.jsonl", record);
  if (broken) noteSkipped(run, outcome, update);
  else {
    [health.skippedInRow, health.lastFinite] = [0, state.step];
    run.warn(run.monitor.onStep(record));
  }
  hooks.onStep?.(record);
  hooks.onProgress?.(progressOf(run, record));
}

/** A step that was left out counts for nothing in the epoch's means. */
function addToSums({ state }: TrainingRun, { loss, accuracy, pairs }: StepRecord): void {
  state.epoch_sums.loss += loss * pairs;
  state.epoch_sums.correct += Math.round(2 * accuracy * pairs) / 2; // a tie counts one half
  state.epoch_sums.pairs += pairs;
}

/** Turns what a step saw into its line of the log. */
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
