// rewardbook train: pairs in, a reward model and everything measured on the way out.
import type { Command } from "commander";
import { resolveConfig } from "../lib/config";
import { trainRewardModel } from "../lib/training";
import { loadSplit } from "../lib/training/data";
import { EXIT, ExitWith } from "./exit";
import { addConfigFlags, configFromFlags } from "./flags";
import { createOutput } from "./output";
import { percent } from "../lib/wording";

export function register(program: Command): void {
  const command = program
    .command("train")
    .description(
      "train a reward model on preference pairs; Ctrl-C stops after the current step and keeps what was learned",
    )
    .option("--json", "print one JSON object on stdout");
  addConfigFlags(command).action(async (options) => {
    const out = createOutput(options.json === true);
    const bar = out.progress("training");
    const config = resolveConfig(configFromFlags(options));
    const data = await loadSplit(config);
    const result = await trainRewardModel(
      { ...config, ...data },
      {
        onMessage: (text) => out.say(text),
        onProgress: ({ step, totalSteps, epoch, loss, accuracy, pairsPerSecond }) => {
          bar.update(
            step,
            totalSteps,
            `epoch ${epoch} · loss ${loss.toFixed(4)} · accuracy ${percent(accuracy)} · ${pairsPerSecond.toFixed(1)} pairs/s`,
          );
          if (step === totalSteps) bar.end();
        },
        onValidation: ({ epoch, step, evaluation, best }) => {
          const [low, high] = evaluation.accuracy_ci95;
          const values = `accuracy ${percent(evaluation.accuracy)} [${percent(low)}, ${percent(high)}], ECE ${evaluation.ece.toFixed(4)}, loss ${evaluation.loss.toFixed(4)}`;
          out.say(`validation, epoch ${epoch}, step ${step}: ${values}${best ? " (best)" : ""}`);
        },
      },
    );
    const { metrics, evaluation, gate } = result;
    const [low, high] = metrics.val_accuracy_ci95;
    const verdict = gate === null ? "not judged" : gate.passed ? "passed" : "FAILED";
    const million = (count: number) => `${(count / 1e6).toFixed(count < 1e6 ? 3 : 1)} M`;
    const scoring =
      metrics.score_pairs_per_second === null ? "" : `, scores ${metrics.score_pairs_per_second.toFixed(1)} pairs/s`;
    out.result({ ...metrics, checkpoint: result.checkpoint, metrics_dir: result.metricsDir, quality_gate: gate }, [
      `validation accuracy  ${percent(metrics.val_accuracy)} [${percent(low)}, ${percent(high)}] on ${evaluation.n_pairs} pairs`,
      `baselines            longer answer ${percent(evaluation.baselines.longer_answer)}, random ${percent(evaluation.baselines.random)}`,
      `training accuracy    ${percent(metrics.train_accuracy)}`,
      `parameters           ${million(metrics.num_parameters)}, trained ${million(metrics.trainable_parameters)}, saved ${million(metrics.saved_parameters)} (${metrics.architecture})`,
      `speed                trains ${metrics.train_pairs_per_second.toFixed(1)} pairs/s, ${metrics.training_steps} steps in ${metrics.train_seconds.toFixed(0)} s${scoring}`,
      `quality gate         ${verdict}`,
      `checkpoint           ${result.checkpoint}`,
      `metrics              ${result.metricsDir}`,
    ]);
    if (result.interruptedBy) throw new ExitWith(EXIT[result.interruptedBy === "SIGTERM" ? "SIGTERM" : "SIGINT"]);
    if (result.gateFailed) throw new ExitWith(EXIT.gate);
  });
}
