// In: a configuration. Out: a trained reward model, its checkpoints and everything that was measured on the way.
import { resolveConfig, type TrainingConfig, type TrainingInput } from "./config";
import { breathe, listenForStop } from "./interrupt";
import type { StepRecord } from "./runs/metricsLog";
import { saveEpoch, saveLast } from "./training/checkpoints";
import type { RunStep } from "./training/epochSteps";
import { finishRun, type TrainingResult } from "./training/finish";
import { together } from "./training/frozenStep";
import { prepareRun, type TrainingRun } from "./training/run";
import { learningRateAt } from "./training/schedule";
import type { StepOutcome } from "./training/step";
import { validate, type ValidationRecord } from "./training/validate";
import type { Update } from "./batching/trainingPlan";

export type { TrainingResult } from "./training/finish";
export type { ValidationRecord } from "./training/validate";

/** Where training stands, for a progress bar. */
export interface TrainingProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
  readonly pairsPerSecond: number;
  readonly secondsLeft: number;
}

/** What a caller may listen to; every hook is optional. */
export interface TrainingHooks {
  /** Stops after the current step and keeps what was learned. Ctrl-C and the kernel's interrupt do the same. */
  readonly signal?: AbortSignal;
  /** A sentence for the reader: what was read, dropped, resumed, found suspicious. */
  readonly onMessage?: (text: string) => void;
  readonly onStep?: (record: StepRecord) => void;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onValidation?: (record: ValidationRecord) => void;
}

/**
 * Trains a reward model on preference pairs by the Bradley-Terry loss and writes the run's files
 * (`metrics/RUN`, `checkpoints/RUN`).
 *
 * @throws InputError for pairs or a model that cannot be used, UsageError for a configuration that cannot
 */
export async function trainRewardModel(input: TrainingInput, hooks: TrainingHooks = {}): Promise<TrainingResult> {
  const config = resolveConfig(input);
  const run = await prepareRun(config, hooks);
  const stop = await listenForStop(hooks.signal);
  try {
    for (let epoch = run.state.epoch; epoch <= config.epochs && !run.finished; epoch++) {
      await trainEpoch(run, epoch, hooks, stop.signal);
      if (stop.signal.aborted) break;
      await endOfEpoch(run, epoch, hooks);
    }
    return await finishRun(run, hooks, stop.signal.aborted);
  } finally {
    stop.release();
    run.dispose();
  }
}

/** A head on cached vectors does thousands of steps in the time that writing its model takes. */
const SAVES_APART_MS = 10_000;

/** The optimizer steps of one epoch, from where the state stands. */
async function trainEpoch(run: TrainingRun, epoch: number, hooks: TrainingHooks, stop: AbortSignal): Promise<void> {
  const { config, state } = run;
  const updates = run.plan.epoch(epoch);
  const step = run.stepFor(epoch);
  let saved = performance.now();
  while (state.epoch_step < updates.length) {
    if (stop.aborted || run.finished) return;
    const started = performance.now();
    const { outcomes, learningRates } = runNext(run, step, updates);
    const seconds = (performance.now() - started) / 1000 / outcomes.length;
    outcomes.forEach((outcome, i) => {
      state.step++;
      state.epoch_step++;
      const record = stepRecord(run, outcome, { epoch, learningRate: learningRates[i], seconds });
      run.log.append("train_steps.jsonl", record);
      run.warn(run.monitor.onStep(record), hooks);
      hooks.onStep?.(record);
      hooks.onProgress?.(progressOf(run, record));
    });

    if (config.max_steps > 0 && state.step >= config.max_steps) run.finished = true;
    if (config.eval_steps > 0 && state.step % config.eval_steps === 0 && state.epoch_step < updates.length) {
      await validate(run, epoch, "step", hooks);
    }
    const saveDue = config.save_steps > 0 && state.step % config.save_steps === 0;
    if (saveDue && (!step.runTogether || performance.now() - saved > SAVES_APART_MS)) {
      await saveLast(run);
      saved = performance.now();
    }
    await breathe();
    state.train_seconds += (performance.now() - started) / 1000;
  }
}

/** The next update, or the next few where the step can take them at once and nothing is due between them. */
function runNext(
  { config, state, totalSteps }: TrainingRun,
  step: RunStep,
  updates: readonly Update[],
): { outcomes: StepOutcome[]; learningRates: number[] } {
  const due = [config.max_steps, config.eval_steps, config.save_steps].filter((every) => every > 0);
  const room = Math.min(...due.map((every) => every - (state.step % every)));
  const group = step.runTogether ? together(updates, state.epoch_step, room) : [updates[state.epoch_step]];
  const learningRates = group.map((_, i) => learningRateAt(state.step + 1 + i, totalSteps, config));
  const outcomes = step.runTogether?.(group, learningRates, state.step + 1) ?? [
    step.run(group[0], learningRates[0], state.step + 1),
  ];
  return { outcomes, learningRates };
}

/** Validation, checkpoints and early stopping. */
async function endOfEpoch(run: TrainingRun, epoch: number, hooks: TrainingHooks): Promise<void> {
  const { config, state } = run;
  const record = await validate(run, epoch, "epoch", hooks);
  await saveEpoch(run, epoch, record);
  if (config.patience > 0 && state.stopping.since >= config.patience) {
    run.finished = true;
    hooks.onMessage?.(
      `early stopping after epoch ${epoch}: ${state.stopping.since} validations without a better (accuracy, −ECE)`,
    );
  }
  state.epoch = epoch + 1;
  state.epoch_step = 0;
  state.epoch_sums = { loss: 0, correct: 0, pairs: 0 };
  await saveLast(run);
}

/** Turns what a step saw into its line of the log, and adds it to the epoch's sums. */
function stepRecord(
  run: TrainingRun,
  outcome: StepOutcome,
  { epoch, learningRate, seconds }: { epoch: number; learningRate: number; seconds: number },
): StepRecord {
  const { state } = run;
  const pairs = outcome.chosen.length;
  let [correct, margin, sum, min, max] = [0, 0, 0, Infinity, -Infinity];
  for (let i = 0; i < pairs; i++) {
    const [chosen, rejected] = [outcome.chosen[i], outcome.rejected[i]];
    correct += chosen > rejected ? 1 : chosen === rejected ? 0.5 : 0;
    margin += chosen - rejected;
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
    epoch,
    loss: outcome.loss,
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

function progressOf(run: TrainingRun, record: StepRecord): TrainingProgress {
  const { state, totalSteps } = run;
  const rate = run.rate(record.pairs);
  const left = (totalSteps - record.step) * record.pairs;
  const sums = state.epoch_sums;
  return {
    step: record.step,
    totalSteps,
    epoch: record.epoch,
    loss: sums.loss / sums.pairs,
    accuracy: sums.correct / sums.pairs,
    pairsPerSecond: rate,
    secondsLeft: left / rate,
  };
}

export type { TrainingConfig };
