#!/usr/bin/env node
// The main job: sets up, runs the notebooks in order on synthetic or the user's pairs, writes reports/*.html.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { EXIT_CODES, parseNotebookFlags, resolvePaths, writeNotebookConfig } from "./notebookFlags.mjs";
import { NOTEBOOKS, runNotebook } from "./notebooks.mjs";
import { showProgress } from "./progress.mjs";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

async function runAll(configFile) {
  const made = [];
  for (const [i, name] of NOTEBOOKS.entries()) {
    const executed = inRoot("reports", `${name}.ipynb`);
    const html = inRoot("reports", `${name}.html`);
    const display = showProgress(`[${i + 1}/${NOTEBOOKS.length}] ${name}`);
    const run = runNotebook({ name, config: configFile, executed, html, onEvent: display.onEvent });
    const interrupt = () => {
      display.say("stopping after the current step; press Ctrl-C again to end at once");
      run.stop();
    };
    process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
    const { status, seconds, error } = await run;
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
    display.finish(status === 0, seconds);
    made.push(path.relative(process.cwd(), html));
    if (status !== 0) return { made, failure: { name, ...error } };
  }
  return { made, failure: null };
}

function tellFailure({ name, number, source, ename, evalue, traceback }, made) {
  const where = number ? `cell ${number} (${source.slice(0, 80)})` : "outside its cells";
  console.error(`\n${name} failed in ${where}:\n  ${ename}: ${evalue}`);
  const code = EXIT_CODES[ename] ?? 70;
  if (code === 70 && traceback) console.error(String(traceback).split("\n").slice(-8).join("\n"));
  console.error(`Kept: ${made.join(", ")}`);
  return code;
}

/** What the run measured, read from its own files. */
function tellResults(run, made) {
  const read = (...parts) => (existsSync(inRoot(...parts)) ? JSON.parse(readFileSync(inRoot(...parts), "utf8")) : {});
  const metrics = read("metrics", run, "metrics.json");
  const evaluation = read("metrics", run, "test_evaluation.json");
  const rerank = read("metrics", run, "rerank.json");
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const rows = [
    [
      "held-out accuracy",
      evaluation.accuracy,
      (a) =>
        `${percent(a)}, 95% interval ${evaluation.accuracy_ci95.map(percent).join(" to ")}, ${evaluation.n_pairs} pairs`,
    ],
    ["the longer answer", evaluation.baselines?.longer_answer, percent],
    [
      "calibration error",
      evaluation.ece,
      (e) => `${e.toFixed(3)}, temperature ${evaluation.temperature?.toFixed(2) ?? "–"}`,
    ],
    [
      "best answer chosen",
      rerank.accuracy?.by_choice,
      ({ model, first }) => `${percent(model)} of the questions, ${percent(first)} by taking the first`,
    ],
    [
      "training",
      metrics.train_seconds,
      (s) =>
        `${s.toFixed(0)} s, ${metrics.train_pairs_per_second?.toFixed(1)} pairs/s, ${metrics.peak_memory_mb?.toFixed(0)} MB`,
    ],
  ];
  console.log("\nResults");
  for (const [label, value, format] of rows)
    if (value !== undefined && value !== null) console.log(`  ${label.padEnd(20)} ${format(value)}`);
  console.log(`  ${"checkpoint".padEnd(20)} checkpoints/${run}/best`);
  for (const [i, file] of made.entries()) console.log(`  ${(i ? "" : "reports").padEnd(20)} ${file}`);
}

async function main() {
  const started = Date.now();
  const args = resolvePaths(process.argv.slice(2));
  await setupOrExit();
  process.chdir(inRoot());
  const { given, run } = parseNotebookFlags(args, {
    name: "npm start --",
    description: "Run the notebooks in order on synthetic pairs, or on the user's (--pairs), and write reports/*.html.",
  });
  mkdirSync(inRoot("reports"), { recursive: true });
  const configFile = writeNotebookConfig(given, run);

  const expected = spawnSync(process.execPath, [inRoot("scripts", "expectedTime.mjs"), configFile], {
    encoding: "utf8",
  });
  process.stdout.write(expected.stdout ?? ""); // an estimate: without it the run goes on
  const { made, failure } = await runAll(configFile);
  if (failure) process.exit(tellFailure(failure, made));
  const report = spawnSync(process.execPath, [inRoot("bin", "rewardbook.cjs"), "report", "--run", run], {
    encoding: "utf8",
  });
  if (report.status === 0) made.push(`reports/${run}.html`);
  else console.error(`the run's own report was not written: ${report.stderr.trim().split("\n")[0]}`);
  tellResults(run, made);
  console.log(
    `\nDone in ${((Date.now() - started) / 60_000).toFixed(1)} minutes. Open a report in a browser; it needs no network.`,
  );
}

await main();
