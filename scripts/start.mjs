#!/usr/bin/env node
// The main job: sets up, runs the notebooks in order on synthetic or the user's pairs, writes reports/*.html.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { NOTEBOOKS, runNotebook } from "./notebooks.mjs";
import { showProgress } from "./progress.mjs";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

const EXIT_CODES = { InputError: 1, UsageError: 2 };

/** @returns {never} */
function fail(message, code) {
  console.error(message);
  process.exit(code);
}

/** The configuration of all notebooks: every field of a training run is a flag, checked before the first one starts. */
function parseConfig(args) {
  const require = createRequire(inRoot("package.json"));
  const { Command } = require("commander");
  const { addConfigFlags, configFromFlags } = require(inRoot("dist/cli/flags.js"));
  const { notebookFields, notebookFlags, resolveNotebookConfig } = require(inRoot("dist/lib/notebooks/support.js"));
  const command = new Command("npm start --").description(
    "Run the notebooks in order on synthetic pairs, or on the user's (--pairs), and write reports/*.html.",
  );
  for (const [flag, meaning] of notebookFlags)
    flag.endsWith("<n>") ? command.option(flag, meaning, Number) : command.option(flag, meaning);
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_CODES.UsageError)); // it has said why
  addConfigFlags(command).parse(args, { from: "user" });
  const options = command.opts();
  const own = Object.fromEntries(
    notebookFields.flatMap((name) => {
      const value = options[name.replace(/_./g, (mark) => mark[1].toUpperCase())];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  try {
    const given = { ...configFromFlags(options), ...own };
    return { given, run: resolveNotebookConfig(given).training.run };
  } catch (error) {
    return fail(`npm start: ${error.message}`, EXIT_CODES[error.name] ?? 70);
  }
}

/** Bad paths are told at once, not after the set-up. Relative ones mean the folder that npm start was called in. */
function resolvePaths(args) {
  const from = process.env.INIT_CWD ?? process.cwd();
  const words = args.flatMap((word) =>
    /^--(pairs|val|model)=/.test(word) ? [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] : [word],
  );
  return words.map((word, i) => {
    const flag = words[i - 1];
    const file = path.resolve(from, word);
    if (flag === "--model") return existsSync(file) ? file : word; // else a name under models/
    if (flag !== "--pairs" && flag !== "--val") return word;
    const kind = !existsSync(file) ? "nothing" : statSync(file).isFile() ? null : "a folder";
    if (kind) fail(`${flag}: expected a file of preference pairs, got ${kind} at ${file}; check the path`, 1);
    return file;
  });
}

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
  const { given, run } = parseConfig(args);
  for (const folder of ["reports", `data/${run}`]) mkdirSync(inRoot(folder), { recursive: true });
  const configFile = inRoot("data", run, "notebook_config.json");
  writeFileSync(configFile, `${JSON.stringify(given, null, 2)}\n`);

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
