// In: a run's name and the pages made of it. Out: what the run measured, read from its own files, line by line.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inRoot } from "./setup/steps.mjs";

/** @returns `{lines, gateFailed}`: what is told at the end; a run without a verdict has not failed */
export function resultsOf(run, made) {
  const { percent } = createRequire(import.meta.url)(inRoot("dist", "lib", "wording.js")); // set-up has compiled it by now
  const read = (...parts) => (existsSync(inRoot(...parts)) ? JSON.parse(readFileSync(inRoot(...parts), "utf8")) : {});
  const metrics = read("metrics", run, "metrics.json");
  const evaluation = read("metrics", run, "test_evaluation.json");
  const rerank = read("metrics", run, "rerank.json");
  const gate = read("metrics", run, "quality_gate.json");
  const missed = (gate.criteria ?? []).filter(({ passed }) => !passed);
  const rows = [
    [
      "held-out accuracy",
      evaluation.accuracy,
      (a) =>
        `${percent(a)}, 95% interval ${evaluation.accuracy_ci95.map((share) => percent(share)).join(" to ")}, ${evaluation.n_pairs} pairs`,
    ],
    ["the longer answer", evaluation.baselines?.longer_answer, percent],
    [
      "calibration error",
      evaluation.ece_symmetric,
      (e) =>
        `${e.toFixed(3)} (symmetric ECE; the original's: ${evaluation.ece.toFixed(3)}), temperature ${evaluation.temperature?.toFixed(2) ?? "–"}`,
    ],
    [
      "best answer chosen",
      rerank.accuracy?.by_choice,
      ({ model, first }) => `${percent(model)} of the questions, ${percent(first)} by taking the first`,
    ],
    [
      "quality gate",
      gate.passed,
      (passed) =>
        passed
          ? "passed"
          : `failed: ${missed.map(({ text, advice }) => `${text}; ${advice}`).join("\n" + " ".repeat(23))}`,
    ],
    [
      "training",
      metrics.train_seconds,
      (s) =>
        `${s.toFixed(0)} s, ${metrics.train_pairs_per_second?.toFixed(1)} pairs/s, ${metrics.peak_memory_mb?.toFixed(0)} MB`,
    ],
  ];
  const line = (label, text) => `  ${label.padEnd(20)} ${text}`;
  const measured = rows.filter(([, value]) => value !== undefined && value !== null);
  const lines = [
    ...measured.map(([label, value, format]) => line(label, format(value))),
    line("checkpoint", `checkpoints/${run}/best`),
    ...made.map((file, i) => line(i ? "" : "reports", file)),
  ];
  return { lines, gateFailed: gate.passed === false };
}
