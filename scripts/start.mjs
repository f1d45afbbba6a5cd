#!/usr/bin/env node
// The main job: sets up, runs the notebooks in order on synthetic or the user's pairs, writes reports/*.html.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { EXIT_CODES, parseNotebookFlags, resolvePaths, writeNotebookConfig } from "./notebookFlags.mjs";
import { NOTEBOOKS, runNotebook } from "./notebooks.mjs";
import { showProgress } from "./progress.mjs";
import { resultsOf } from "./results.mjs";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

async function runAll(configFile) {
  const made = [];
  for (const [i, name] of NOTEBOOKS.entries()) {
    const executed = inRoot("reports", `${name}.ipynb`);
    const html = inRoot("reports", `${name}.html`);
    const display = showProgress(`[${i + 1}/${NOTEBOOKS.length}] ${name}`);
    const run = runNotebook({ name, config: configFile, executed, html, onEvent: display.onEvent });
    let [stops, ended] = [0, null];
    const interrupt = (signal) => {
      ended = stops > 0 ? signal : null;
      display.say(stops++ ? "ending" : "stopping after the current step; press Ctrl-C again to end at once");
      run.stop();
    };
    process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
    const { status, seconds, error } = await run;
    process.removeListener("SIGINT", interrupt).removeListener("SIGTERM", interrupt);
    display.finish(status === 0, seconds);
    made.push(path.relative(process.cwd(), html));
    if (status !== 0) return { made, failure: { name, ...error, ended } };
  }
  return { made, failure: null };
}

function tellFailure({ name, number, source, ename, evalue, traceback, ended }, made) {
  if (ended) {
    console.error(
      `\n${name} was ended. Kept: ${made.join(", ")}; with --resume the training goes on from its last state`,
    );
    return EXIT_CODES[ended];
  }
  const where = number ? `cell ${number} (${source.slice(0, 80)})` : "outside its cells";
  console.error(`\n${name} failed in ${where}:\n  ${ename}: ${evalue}`);
  const code = EXIT_CODES[ename] ?? 70;
  if (code === 70 && traceback) console.error(String(traceback).split("\n").slice(-8).join("\n"));
  console.error(`Kept: ${made.join(", ")}`);
  return code;
}

async function main() {
  const started = Date.now();
  const args = resolvePaths(process.argv.slice(2));
  await setupOrExit();
  process.chdir(inRoot());
  const { given, run, training } = parseNotebookFlags(args, {
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
  const { lines, gateFailed } = resultsOf(run, made);
  console.log(`\nResults\n${lines.join("\n")}`);
  console.log(
    `\nDone in ${((Date.now() - started) / 60_000).toFixed(1)} minutes. Open a report in a browser; it needs no network.`,
  );
  // Everything is written whatever the gate says; only who asked for it to be enforced gets its exit code.
  if (gateFailed && training.gate === "enforce") process.exitCode = EXIT_CODES.QualityGate;
}

await main();
