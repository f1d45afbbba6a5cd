#!/usr/bin/env node
// The main job: sets up, runs the five notebooks in order on synthetic or the user's pairs, writes reports/*.html.
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { spawnSync } from "node:child_process";
import { NOTEBOOKS, runNotebook } from "./notebooks.mjs";
import { showProgress } from "./progress.mjs";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

const USAGE = `npm start -- [--pairs FILE] [--model DIR] [--run NAME] [--epochs N] [--questions N] [--noise SHARE] […]

Without --pairs the notebooks generate synthetic pairs (--questions, --noise). Every field of a training run is a flag:
see npx rewardbook train --help. Results: reports/*.html, metrics/RUN, checkpoints/RUN.`;

/** `--max-length 256 --drop-weak` → `{max_length: 256, drop_weak: true}`; what a field means is checked by its schema. */
export function parseFlags(args) {
  const config = {};
  for (let i = 0; i < args.length; i++) {
    const match = /^--([a-z][a-z0-9-]*)(?:=(.*))?$/s.exec(args[i]);
    if (!match) throw new Error(`expected a flag such as --pairs FILE, got ${JSON.stringify(args[i])}`);
    const next = args[i + 1];
    const value = match[2] ?? (next === undefined || /^--[a-z]/.test(next) ? true : args[++i]);
    const number = typeof value === "string" && /^-?\d*\.?\d+(e-?\d+)?$/i.test(value);
    config[match[1].replaceAll("-", "_")] = value === "true" ? true : value === "false" ? false : number ? Number(value) : value;
  }
  return config;
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}

/** The configuration of all five notebooks, checked by the library's own schema before the first one starts. */
function checkedConfig(flags) {
  const { NOTEBOOK_DEFAULTS, resolveNotebookConfig } = createRequire(import.meta.url)(inRoot("dist/lib/notebook.js"));
  const config = { ...NOTEBOOK_DEFAULTS, ...flags };
  try {
    return resolveNotebookConfig(config) && config;
  } catch (error) {
    return fail(`npm start: ${error.message}`, 2);
  }
}

/** Bad paths are told at once, not after ten minutes. Relative ones mean the folder that npm start was called in. */
function resolveInputs(flags) {
  const from = process.env.INIT_CWD ?? process.cwd();
  for (const name of ["pairs", "val"]) {
    if (flags[name] === undefined) continue;
    const file = path.resolve(from, String(flags[name]));
    const kind = !existsSync(file) ? "nothing" : statSync(file).isFile() ? null : "a folder";
    if (kind) fail(`--${name}: expected a file of preference pairs, got ${kind} at ${file}; check the path`, 1);
    flags[name] = file;
  }
  if (flags.model !== undefined && existsSync(path.resolve(from, String(flags.model)))) flags.model = path.resolve(from, String(flags.model));
  return flags;
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

const EXIT_CODES = { InputError: 1, UsageError: 2 };

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
  const evaluation = read("metrics", run, "evaluation.json");
  const rerank = read("metrics", run, "rerank.json");
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const rows = [
    ["held-out accuracy", evaluation.accuracy, (a) => `${percent(a)}, 95% interval ${evaluation.accuracy_ci95.map(percent).join(" to ")}, ${evaluation.n_pairs} pairs`],
    ["the longer answer", evaluation.baselines?.longer_answer, percent],
    ["calibration error", evaluation.ece, (e) => `${e.toFixed(3)}, temperature ${evaluation.temperature?.toFixed(2) ?? "–"}`],
    ["best answer chosen", rerank.reranked, (r) => `${percent(r)} against ${percent(rerank.baseline)} of the first answers`],
    ["training", metrics.train_seconds, (s) => `${s.toFixed(0)} s, ${metrics.train_pairs_per_second?.toFixed(1)} pairs/s, ${metrics.peak_memory_mb?.toFixed(0)} MB`],
  ];
  console.log("\nResults");
  for (const [label, value, format] of rows) if (value !== undefined && value !== null) console.log(`  ${label.padEnd(20)} ${format(value)}`);
  console.log(`  ${"checkpoint".padEnd(20)} checkpoints/${run}/best`);
  for (const [i, file] of made.entries()) console.log(`  ${(i ? "" : "reports").padEnd(20)} ${file}`);
}

async function main() {
  const started = Date.now();
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) return console.log(USAGE);
  let flags;
  try {
    flags = resolveInputs(parseFlags(args));
  } catch (error) {
    fail(`npm start: ${error.message}\n${USAGE}`, 2);
  }
  await setupOrExit();
  process.chdir(inRoot());
  const config = checkedConfig(flags);
  for (const folder of ["reports", "metrics", "checkpoints", "data"]) mkdirSync(inRoot(folder), { recursive: true });
  mkdirSync(inRoot("metrics", config.run), { recursive: true });
  const configFile = inRoot("metrics", config.run, "notebook_config.json");
  writeFileSync(configFile, `${JSON.stringify(config, null, 2)}\n`);

  const { made, failure } = await runAll(configFile);
  if (failure) process.exit(tellFailure(failure, made));
  const report = spawnSync(process.execPath, [inRoot("bin", "rewardbook.cjs"), "report", "--run", config.run], { encoding: "utf8" });
  if (report.status === 0) made.push(`reports/${config.run}.html`);
  else console.error(`the run's own report was not written: ${report.stderr.trim().split("\n")[0]}`);
  tellResults(config.run, made);
  console.log(`\nDone in ${((Date.now() - started) / 60_000).toFixed(1)} minutes. Open a report in a browser; it needs no network.`);
}

if (process.argv[1] === inRoot("scripts", "start.mjs")) await main();
