// In: a training that ended. Out: metrics.json, the verdict of the quality gate, the plots, and the result for the caller.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Evaluation } from "../evaluation/evaluate";
import type { Warning } from "./monitor";
import { checkpointsDir } from "../files/paths";
import { checkQualityGate, type GateVerdict } from "./gate";
import { readRun } from "../runs/runFiles";
import { saveLast } from "./checkpoints";
import { costOf, type RunCost } from "./cost";
import type { TrainingRun } from "./run";
import { validate } from "./validate";

/** `metrics.json`. */
export interface RunMetrics extends RunCost {
  readonly run: string;
  readonly train_accuracy: number;
  readonly val_accuracy: number;
  readonly val_accuracy_ci95: readonly [number, number];
  readonly val_ece: number;
  readonly overfitting_gap: number;
  readonly best_epoch: number;
  readonly best_step: number;
  readonly training_steps: number;
  readonly baselines: Evaluation["baselines"];
  readonly interrupted: boolean;
}

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
}

/** Ends a run, whole or interrupted. */
export async function finishRun(run: TrainingRun, interrupted: boolean): Promise<TrainingResult> {
  const { config, state, log } = run;
  if (interrupted) {
    run.say(`interrupted after step ${state.step}: keeping what was learned`);
    if (state.step > 0) await saveLast(run);
  }
  if (state.stopping.step === 0 || !existsSync(join(log.dir, "evaluation.json"))) await validate(run, "step");
  const evaluation: Evaluation = JSON.parse(readFileSync(join(log.dir, "evaluation.json"), "utf8"));
  const metrics = runMetrics(run, evaluation, { cost: await costOf(run, interrupted), interrupted });
  log.write("metrics.json", metrics);
  const gate = judge(run, metrics, evaluation);
  const leftOut = await run.artefacts.drawPlots(log.dir);
  if (leftOut) run.say(leftOut);
  return {
    run: config.run,
    metricsDir: log.dir,
    checkpoint: join(checkpointsDir(config.run), "best"),
    metrics,
    evaluation,
    gate,
    gateFailed: gate !== null && !gate.passed && config.gate !== "report",
    warnings: run.warnings,
    interrupted,
  };
}

function runMetrics(
  { state, config }: TrainingRun,
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
    ...cost,
    baselines: evaluation.baselines,
    interrupted,
  };
}

/** The verdict of the quality gate, in the log and in a file; null where it is off or has too few pairs to judge. */
function judge(run: TrainingRun, metrics: RunMetrics, evaluation: Evaluation): GateVerdict | null {
  const { config, log } = run;
  if (config.gate === "off") return null;
  if (config.gate === "auto" && evaluation.n_pairs < config.gate_min_pairs) {
    run.say(
      `quality gate: not judged on ${evaluation.n_pairs} validation pairs (fewer than ${config.gate_min_pairs}); --gate enforce judges anyway`,
    );
    return null;
  }
  const verdict = checkQualityGate({
    trainAccuracy: metrics.train_accuracy,
    valAccuracy: metrics.val_accuracy,
    pValue: evaluation.baseline_tests.random.p_value,
    losses: readRun(log.dir).steps.map((step) => step.loss),
    thresholds: {
      trainAccuracy: config.gate_train_accuracy,
      valAccuracy: config.gate_val_accuracy,
      gap: config.gate_gap,
      pValue: config.gate_p_value,
    },
  });
  log.write("quality_gate.json", verdict);
  for (const criterion of verdict.criteria) {
    if (!criterion.passed) run.say(`quality gate: ${criterion.text}; ${criterion.advice}`);
  }
  return verdict;
}
