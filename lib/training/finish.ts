// In: a training that ended. Out: metrics.json, the verdict of the quality gate, the plots, and the result for the caller.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Evaluation } from "../evaluation/evaluate";
import type { TrainingConfig } from "../config";
import type { StopCause } from "../interrupt";
import { writeFileAtomically } from "../files/atomic";
import { checkpointsDir, metricsDir } from "../files/paths";
import { checkQualityGate } from "./gate";
import { readLog, readRunFile } from "../runs/runFiles";
import { evaluation as evaluationFile } from "../runs/evaluationSchemas";
import { runMetrics as metricsFile } from "../runs/schemas";
import type { GateVerdict, RunCost, RunMetrics, Warning } from "../runs/records";
import { saveLast } from "./checkpoints";
import { costOf } from "./cost";
import type { OpenedRun } from "./open";
import type { MeasuredRun, TrainingHooks, TrainingRun } from "./run";
import { validate } from "./validate";

/** What `trainRewardModel` returns. */
export interface TrainingResult {
  readonly run: string;
  readonly metricsDir: string;
  /** The best checkpoint, a Hugging Face directory. */
  readonly checkpoint: string;
  readonly metrics: RunMetrics;
  readonly evaluation: Evaluation;
  readonly gate: GateVerdict | null;
  /** Whether a failed gate should end the command with exit code 3. */
  readonly gateFailed: boolean;
  readonly warnings: readonly Warning[];
  readonly interrupted: boolean;
  /** What stopped the run before its end. */
  readonly interruptedBy: StopCause | null;
}

/** Keeps what an interrupted run has learned. */
export async function keepInterrupted(run: TrainingRun): Promise<void> {
  const { state, health } = run;
  run.say(`interrupted after step ${state.step}: keeping what was learned; --resume goes on`);
  if (state.step > 0 && health.skippedInRow === 0) await saveLast(run);
}

/**
 * Ends a run, whole or interrupted. What is done here can be done again: `metrics.json` comes last and says that it is done.
 *
 * @param interruptedBy what stopped the run before its end; null where it came to it
 */
export async function finishRun(run: MeasuredRun, interruptedBy: StopCause | null): Promise<TrainingResult> {
  const { config, state, log } = run;
  const interrupted = interruptedBy !== null;
  if (state.stopping.step === 0 || !existsSync(join(log.dir, EVALUATION))) await validate(run, "step");
  const evaluation = readEvaluation(log.dir);
  const metrics = runMetrics(run, evaluation, { cost: await costOf(run, interrupted), interrupted });
  const gate = judge(config, { dir: log.dir, metrics, evaluation, say: run.say });
  if (gate) log.write("quality_gate.json", gate);
  const leftOut = await run.artefacts.drawPlots(log.dir);
  if (leftOut) run.say(leftOut);
  await writeFileAtomically(
    join(checkpointsDir(config.run), "best", "metrics.json"),
    JSON.stringify(metrics, null, 2) + "\n",
  );
  log.write("metrics.json", metrics);
  return trainingResult(config, { metrics, evaluation, gate, warnings: run.warnings, interruptedBy });
}

const EVALUATION = "evaluation.json";
const readEvaluation = (dir: string) => readRunFile(join(dir, EVALUATION), evaluationFile);

/**
 * The result of a run that ended and was finished before: nothing is left to do.
 *
 * @returns null for a run that has steps to take, or was stopped while it was being finished
 */
export async function finishedResult(
  { config, start: { state } }: OpenedRun,
  { onMessage: say = () => {} }: TrainingHooks,
): Promise<TrainingResult | null> {
  const dir = metricsDir(config.run);
  const file = join(dir, "metrics.json");
  if (state.ended === null || !existsSync(file) || !existsSync(join(dir, EVALUATION))) return null;
  const metrics = readRunFile(file, metricsFile);
  if (metrics.interrupted || metrics.training_steps !== state.step) return null;
  const [reason, remedy] = ENDINGS[state.ended];
  say(
    `run ${config.run} is finished: it ended by ${reason} after step ${state.step} and is not trained on; to go on give --resume with ${remedy}, to begin anew --overwrite or another --run`,
  );
  const evaluation = readEvaluation(dir);
  const gate = judge(config, { dir, metrics, evaluation, say });
  if (gate) await writeFileAtomically(join(dir, "quality_gate.json"), `${JSON.stringify(gate, null, 2)}\n`);
  const warnings = readLog(dir).warnings;
  return trainingResult(config, { metrics, evaluation, gate, warnings, interruptedBy: null });
}

/** Why a run ended, and which limit is to be raised. */
const ENDINGS = {
  epochs: ["its last epoch", "more --epochs"],
  max_steps: ["--max-steps", "more --max-steps (0: no limit)"],
  "early stopping": ["early stopping", "more --patience (0: never stop early), and more --epochs if all are done"],
} as const;

function trainingResult(
  config: TrainingConfig,
  found: Pick<TrainingResult, "metrics" | "evaluation" | "gate" | "warnings" | "interruptedBy">,
): TrainingResult {
  const { gate, interruptedBy } = found;
  return {
    run: config.run,
    metricsDir: metricsDir(config.run),
    checkpoint: join(checkpointsDir(config.run), "best"),
    ...found,
    gateFailed: gate !== null && !gate.passed && config.gate !== "report",
    interrupted: interruptedBy !== null,
  };
}

function runMetrics(
  { state, config }: MeasuredRun,
  evaluation: Evaluation,
  { cost, interrupted }: { cost: RunCost; interrupted: boolean },
): RunMetrics {
  const trainAccuracy = state.stopping.train_accuracy ?? 0;
  return {
    run: config.run,
    train_accuracy: trainAccuracy,
    val_accuracy: evaluation.accuracy,
    val_accuracy_ci95: evaluation.accuracy_ci95,
    val_ece: evaluation.ece,
    overfitting_gap: trainAccuracy - evaluation.accuracy,
    best_epoch: state.stopping.epoch,
    best_step: state.stopping.step,
    training_steps: state.step,
    skipped_steps: state.skipped_steps,
    ...cost,
    baselines: evaluation.baselines,
    interrupted,
  };
}

interface Judged {
  readonly dir: string;
  readonly metrics: RunMetrics;
  readonly evaluation: Evaluation;
  say(text: string): void;
}

/** The verdict of the quality gate; null where it is off or has too few pairs to judge. */
function judge(config: TrainingConfig, { dir, metrics, evaluation, say }: Judged): GateVerdict | null {
  if (config.gate === "off") return null;
  if (config.gate === "auto" && evaluation.n_pairs < config.gate_min_pairs) {
    say(
      `quality gate: not judged on ${evaluation.n_pairs} validation pairs (fewer than ${config.gate_min_pairs}); --gate enforce judges anyway`,
    );
    return null;
  }
  const verdict = checkQualityGate({
    trainAccuracy: metrics.train_accuracy,
    valAccuracy: metrics.val_accuracy,
    pValue: evaluation.baseline_tests.random.p_value,
    // A step that was left out has no loss.
    losses: readLog(dir)
      .steps.map((step) => step.loss)
      .filter(Number.isFinite),
    thresholds: {
      trainAccuracy: config.gate_train_accuracy,
      valAccuracy: config.gate_val_accuracy,
      gap: config.gate_gap,
      pValue: config.gate_p_value,
    },
  });
  for (const criterion of verdict.criteria) {
    if (!criterion.passed) say(`quality gate: ${criterion.text}; ${criterion.advice}`);
  }
  return verdict;
}
