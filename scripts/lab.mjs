#!/usr/bin/env node
// Opens JupyterLab on the notebooks, with the TypeScript kernel ready. Arguments go to JupyterLab: npm run lab -- --no-browser
import { spawn } from "node:child_process";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

await setupOrExit();
const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
const args = [
  "--ServerApp.root_dir",
  inRoot(),
  "--LabApp.default_url",
  "/lab/tree/notebooks/00_start.ipynb",
  ...asRoot,
];
const lab = spawn(inRoot(".venv", "bin", "jupyter-lab"), [...args, ...process.argv.slice(2)], { stdio: "inherit" });
process.on("SIGINT", () => {}); // JupyterLab asks whether to stop
lab.on("close", (code) => (process.exitCode = code ?? 1));
