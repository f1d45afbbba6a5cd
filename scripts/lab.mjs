#!/usr/bin/env node
// Opens JupyterLab on the notebooks, with the TypeScript kernel ready. Takes the flags of `npm start`; others go to JupyterLab:
// npm run lab -- --pairs mine.jsonl --epochs 1 --no-browser
import { spawn } from "node:child_process";
import { labArguments, labEnvironment } from "./labArguments.mjs";
import { parseNotebookFlags, resolvePaths, writeNotebookConfig } from "./notebookFlags.mjs";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

const words = resolvePaths(process.argv.slice(2));
await setupOrExit();
process.chdir(inRoot());
const { given, run, others } = parseNotebookFlags(words, {
  name: "npm run lab --",
  description: "Open JupyterLab on the notebooks; fields of a run configure them all, other flags go to JupyterLab.",
  others: true,
});
const configured = Object.keys(given).length > 0;
const env = {
  ...labEnvironment(process.env),
  ...(configured ? { RB_NOTEBOOK_CONFIG: writeNotebookConfig(given, run) } : {}),
};
const first = given.pairs ? "own_pairs" : "00_start";
if (configured) console.log(`The notebooks run with ${env.RB_NOTEBOOK_CONFIG}`);
const lab = spawn(inRoot(".venv", "bin", "jupyter-lab"), labArguments({ first, others }), { stdio: "inherit", env });
process.on("SIGINT", () => {}); // JupyterLab asks whether to stop
lab.on("close", (code) => (process.exitCode = code ?? 1));
