// In: split preference pairs and a configuration. Out: a trained reward model, its checkpoints and all that was measured on the way.
import { listenForStop, yieldToEvents, type StopRequest } from "./interrupt";
import type { Update } from "./batching/trainingPlan";
import { runArtefacts } from "./report/runArtefacts";
import { saveEpoch, saveLast } from "./training/checkpoints";
import { finishedResult, finishRun, keepInterrupted, type TrainingResult } from "./training/finish";
import { logStep } from "./training/logStep";
import { prepareRun } from "./training/prepare";
import { dueAt, nextUpdates, type TrainingHooks, type TrainingRun } from "./training/run";
import type { TrainingRequest } from "./training/data";
import { openRun } from "./training/open";
import { learningRateAt } from "./training/schedule";
import { endedBy } from "./training/state";
import type { StepOutcome, TrainingStep } from "./training/step";
import { validate } from "./training/validate";
import { watchTraining, type WatchedTraining } from "./training/watch";

export type { TrainingRequest } from "./training/data";
export type { TrainingResult } from "./training/finish";
export type { TrainingHooks, TrainingProgress, ValidationRecord } from "./training/run";

/**
 * Trains a reward model on preference pairs by the Bradley-Terry loss and writes the run's files (`metrics/RUN`,
 * `checkpoints/RUN`).
 *
 * ```ts
 * const { pairs } = await loadPairs("pairs.jsonl");
 * const { train, val } = splitPairs(pairs, { train_ratio: 0.9, val_ratio: 0.1, test_ratio: 0, seed: 1 });
 * const { metrics, checkpoint } = await trainRewardModel({ train, val, run: "mine", epochs: 1 });
 * ```
 *
 * @param request split pairs and the fields of the configuration; with `pairs` (a file) in their place it reads and splits
 * @throws InputError for pairs or a model that cannot be used, also when a validation pair is among the training pairs;
 *   UsageError for a configuration that cannot
 * @example
 * ```ts
 * const { train, val } = splitPairs(pairs, { train_ratio: 0.9, val_ratio: 0.1, test_ratio: 0, seed: 42 });
 * const { metrics, checkpoint } = await trainRewardModel({ train, val, run: "mine", epochs: 1 });
 * console.log(percent(metrics.val_accuracy), checkpoint);
 * ```
 */
export async function trainRewardModel(request: TrainingRequest, hooks: TrainingHooks = {}): Promise<TrainingResult> {
  const stop = await listenForStop(hooks.signal);
  const watch = watchTraining(hooks);
  const opened = await openRun(request, (text) => watch.hooks.onMessage?.(text)).catch((error) => {
    stop.release();
    throw error;
  });
  try {
    return (
      (await finishedResult(opened, watch.hooks)) ??
      (await train(await prepareRun(opened, watch.hooks, runArtefacts), stop, watch))
    );
  } finally {
    stop.release();
    opened.release();
  }
}

/** Epoch by epoch, until the last is done, a limit is reached or the reader asks to stop. */
async function train(run: TrainingRun, stop: StopRequest, watch: WatchedTraining): Promise<TrainingResult> {
  const { state } = run;
  try {
    while (state.ended === null && !stop.signal.aborted) {
      await trainEpoch(run, stop.signal);
      if (!stop.signal.aborted) await endEpoch(run);
    }
    const resumable = `stopped after step ${state.step}; with resume: true it goes on from there`;
    watch.end(stop.signal.aborted ? resumable : undefined);
    const interruptedBy = state.ended === null ? stop.cause() : null;
    if (interruptedBy !== null) await keepInterrupted(run);
    return await finishRun(run, interruptedBy);
  } finally {
    run.dispose();
  }
}

/** The optimizer steps of one epoch, from where the state stands. */
async function trainEpoch(run: TrainingRun, stop: AbortSignal): Promise<void> {
  const { config, state } = run;
  const step = run.stepFor(state.epoch);
  const updates = run.plan.epoch(state.epoch);
  let saved = performance.now();
  while (state.epoch_step < updates.length && state.step < run.totalSteps && !stop.aborted) {
    const started = performance.now();
    const next = nextUpdates(run, step, updates);
    const learningRates = next.map((_, i) => learningRateAt(state.step + 1 + i, run.totalSteps, config));
    const outcomes =
      "takeTogether" in step
        ? step.takeTogether(next, learningRates, state.step + 1)
        : [takeStep(step, next[0], learningRates[0], state.step + 1)];
    const seconds = (performance.now() - started) / 1000 / outcomes.length;
    outcomes.forEach((outcome, i) =>
      logStep(run, outcome, { update: next[i], learningRate: learningRates[i], seconds }),
    );

    if (dueAt(state.step, config.eval_steps) && state.epoch_step < updates.length) await validate(run, "step");
    const sound = run.health.skippedInRow === 0;
    if (dueAt(state.step, config.save_steps) && sound && performance.now() - saved >= step.savesApartMs) {
      await saveLast(run);
      saved = performance.now();
    }
    await yieldToEvents();
    state.train_seconds += (performance.now() - started) / 1000;
  }
}

/**
 * One optimizer step: ℓ = Σ wᵢ·softplus(−(Δᵢ − mᵢ))/N over the update's N pairs, θ ← AdamW(θ, clip(∂ℓ/∂θ)).
 *
 * @param seed of dropout: one number a step, so that a run can be repeated
 * @example
 * ```ts
 * const { loss, gradNorm } = takeStep(step, plan.epoch(1)[0], 2e-5, 1);
 * console.log(loss, gradNorm);
 * ```
 */
export function takeStep(step: TrainingStep, update: Update, learningRate: number, seed: number): StepOutcome {
  const { gradients, ...seen } = step.differentiate(update, seed); // forward, loss, gradient
  const gradNorm = Number.isFinite(seen.loss) ? step.update(gradients, learningRate) : step.discard(gradients); // clip, update
  return { ...seen, gradNorm };
}

/** Validation, checkpoints and the end of the run. */
async function endEpoch(run: TrainingRun): Promise<void> {
  const { config, state } = run;
  const record = await validate(run, "epoch");
  await saveEpoch(run, state.epoch, record);
  // Where the step limit cut the epoch short, a run with a higher limit goes on within it.
  if (state.epoch_step >= run.plan.epoch(state.epoch).length) {
    state.epoch++;
    state.epoch_step = 0;
    state.epoch_sums = { loss: 0, correct: 0, pairs: 0 };
  }
  state.ended = endedBy(state, config);
  if (state.ended === "early stopping") {
    run.say(
      `early stopping after epoch ${record.epoch}: ${state.stopping.since} validations without a better (accuracy, −ECE)`,
    );
  }
  await saveLast(run);
}
