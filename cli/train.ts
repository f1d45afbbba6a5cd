// rewardbook train: pairs in, a reward model (or one a seed, and their ensemble) and everything measured on the way out.
import type { Command } from "commander";
import { resolveConfig, type TrainingConfig } from "../lib/config";
import { trainRewardModel, type TrainingHooks, type TrainingResult } from "../lib/training";
import { loadSplit } from "../lib/training/data";
import { parseSeeds, trainSeeds, type SeedsResult } from "../lib/training/seeds";
import { EXIT, ExitWith } from "./exit";
import { addConfigFlags, configFromFlags } from "./flags";
import { createOutput, type Output } from "./output";
import { hundredths, percent } from "../lib/wording";

export function register(program: Command): void {
  const command = program
    .command("train")
    .description(
      "train a reward model on preference pairs; Ctrl-C stops after the current step and keeps what was learned",
    )
    .option(
      "--seeds <list>",
      "train several on one split, and their ensemble: 5 is five seeds from --seed on, 1,2,7 are these; runs RUN-seedN",
    )
    .option("--json", "print one JSON object on stdout");
  addConfigFlags(command).action(async (options) => {
    const out = createOutput(options.json === true);
    const config = resolveConfig(configFromFlags(options));
    const seeds = options.seeds === undefined ? null : parseSeeds(options.seeds, config.seed);
    const data = await loadSplit(config);
    if (seeds === null) {
      const result = await trainRewardModel({ ...config, ...data }, hooksFor(out));
      reportRun(out, result);
      leave(result);
    } else {
      const onSeed = (seed: number, i: number) => out.say(`seed ${seed} (${i + 1} of ${seeds.length})`);
      const result = await trainSeeds({ ...config, ...data }, seeds, { ...hooksFor(out), onSeed });
      reportSeeds(out, result, config);
      leave(result.summary?.best ?? result.results.at(-1)!);
    }
  });
}

/** A bar for each training, and a line for each validation. */
export function hooksFor(out: Output): TrainingHooks {
  let bar = out.progress("training");
  return {
    onMessage: (text) => out.say(text),
    onProgress: ({ step, totalSteps, epoch, loss, accuracy, pairsPerSecond }) => {
      const note = `epoch ${epoch} · loss ${loss.toFixed(4)} · accuracy ${percent(accuracy)} · ${pairsPerSecond.toFixed(1)} pairs/s`;
      bar.update(step, totalSteps, note);
      if (step < totalSteps) return;
      bar.end();
      bar = out.progress("training");
    },
    onValidation: ({ epoch, step, evaluation, best }) => {
      const values = `accuracy ${withInterval(evaluation.accuracy, evaluation.accuracy_ci95)}, ECE ${evaluation.ece.toFixed(4)}, loss ${evaluation.loss.toFixed(4)}`;
      out.say(`validation, epoch ${epoch}, step ${step}: ${values}${best ? " (best)" : ""}`);
    },
  };
}

const withInterval = (share: number, [low, high]: readonly [number, number]) =>
  `${percent(share)} [${percent(low)}, ${percent(high)}]`;

/** What a training came to. */
export function reportRun(out: Output, result: TrainingResult): void {
  const { metrics, evaluation, gate } = result;
  const million = (count: number) => `${(count / 1e6).toFixed(count < 1e6 ? 3 : 1)} M`;
  const scoring =
    metrics.score_pairs_per_second === null ? "" : `, scores ${metrics.score_pairs_per_second.toFixed(1)} pairs/s`;
  out.result({ ...metrics, checkpoint: result.checkpoint, metrics_dir: result.metricsDir, quality_gate: gate }, [
    `validation accuracy  ${withInterval(metrics.val_accuracy, metrics.val_accuracy_ci95)} on ${evaluation.n_pairs} pairs`,
    `baselines            longer answer ${percent(evaluation.baselines.longer_answer)}, random ${percent(evaluation.baselines.random)}`,
    `training accuracy    ${percent(metrics.train_accuracy)}`,
    `parameters           ${million(metrics.num_parameters)}, trained ${million(metrics.trainable_parameters)}, saved ${million(metrics.saved_parameters)} (${metrics.architecture})`,
    `speed                trains ${metrics.train_pairs_per_second.toFixed(1)} pairs/s, ${metrics.training_steps} steps in ${metrics.train_seconds.toFixed(0)} s${scoring}`,
    `quality gate         ${verdictOf(result)}`,
    `checkpoint           ${result.checkpoint}`,
    `metrics              ${result.metricsDir}`,
  ]);
}

const verdictOf = ({ gate }: TrainingResult) => (gate === null ? "not judged" : gate.passed ? "passed" : "FAILED");

function reportSeeds(out: Output, { results, summary, ...places }: SeedsResult, { seed }: TrainingConfig): void {
  const each = results.map((result) => [result.run, percent(result.metrics.val_accuracy)].join(" "));
  if (summary === null) {
    const lines = [`interrupted  with --resume the same command goes on; so far ${each.join(", ")}`];
    return out.result({ run: places.run, interrupted: true, runs: results.map(({ metrics }) => metrics) }, lines);
  }
  const { file, best, ensemble, gain } = summary;
  const { accuracy } = file;
  const points = (share: number) => `${share < 0 ? "−" : "+"}${hundredths(Math.abs(share))}`;
  const [low, high] = gain.difference_ci95;
  const value = {
    ...file,
    ensemble: {
      ...ensemble,
      checkpoint: file.ensemble.checkpoint,
      gain: gain.difference,
      gain_ci95: gain.difference_ci95,
    },
    runs: results.map(({ metrics }) => metrics),
    checkpoint: places.checkpoint,
    metrics_dir: places.metricsDir,
    quality_gate: best.gate,
  };
  out.result(value, [
    `validation accuracy  ${percent(accuracy.mean)} ± ${hundredths(accuracy.sd)} between ${results.length} seeds, on ${file.n_pairs} pairs of one split (seed ${seed})`,
    `95% interval         ${percent(accuracy.ci95[0])} to ${percent(accuracy.ci95[1])}, for another draw of pairs and seeds`,
    `seeds                ${each.join(", ")}`,
    `best                 ${best.run}: the luckiest of ${results.length}, so its own figure is too good`,
    `ensemble             ${withInterval(ensemble.accuracy, ensemble.accuracy_ci95)}, ${points(gain.difference)} points [${points(low)}, ${points(high)}] over a seed taken by chance; symmetric ECE ${ensemble.ece_symmetric.toFixed(4)} (T = 1), T = ${ensemble.temperature.toFixed(2)}`,
    `quality gate         ${verdictOf(best)} (of the best)`,
    `checkpoints          ${places.checkpoint}, ${file.ensemble.checkpoint}`,
    `metrics              ${places.metricsDir}`,
  ]);
}

/** The exit code says what ended the training. */
export function leave({ interruptedBy, gateFailed }: TrainingResult): void {
  if (interruptedBy) throw new ExitWith(EXIT[interruptedBy === "SIGTERM" ? "SIGTERM" : "SIGINT"]);
  if (gateFailed) throw new ExitWith(EXIT.gate);
}
