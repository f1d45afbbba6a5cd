// In: a notebook and a configuration. Out: the executed notebook and its HTML page; what happens is told while it happens.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { inRoot } from "./setup/steps.mjs";

/** The notebooks in the order in which they hand files on. */
export const NOTEBOOKS = [
  "01_data_generation",
  "02_loss_walkthrough",
  "03_train_reward_model",
  "04_evaluate",
  "05_rerank_demo",
  "06_use_the_reward",
];

const ours = (...parts) => createRequire(import.meta.url)(inRoot("dist", "lib", "report", ...parts));

/** What the exported pages share with the reports: the script that draws figures and its style. */
export function writePageParts() {
  const folder = inRoot(".cache", "nbconvert");
  mkdirSync(folder, { recursive: true });
  const write = (name, text) => {
    writeFileSync(`${folder}/${name}.${process.pid}`, text);
    renameSync(`${folder}/${name}.${process.pid}`, `${folder}/${name}`);
  };
  write("plots.js", ours("pages", "assets", "plots.js").plotsScript());
  write("plots.css", ours("pages", "assets", "plotStyle.js").PLOT_STYLE);
}

/**
 * Executes notebooks/NAME.ipynb with RB_NOTEBOOK_CONFIG set.
 *
 * @param onEvent hears `{event: "cell" | "progress" | …}` as run_notebook.py tells it
 * @returns `{status, seconds, error?}`; `stop()` on the promise interrupts the running cell, twice ends the run
 */
export function runNotebook({
  name,
  source = inRoot("notebooks", `${name}.ipynb`),
  config,
  executed,
  html,
  onEvent = (_event) => {},
}) {
  const started = Date.now();
  writePageParts();
  const script = inRoot("scripts", "nbconvert", "run_notebook.py");
  const env = {
    ...process.env,
    RB_NOTEBOOK_CONFIG: config,
    PYTHONWARNINGS: "ignore",
    PYDEVD_DISABLE_FILE_VALIDATION: "1",
  };
  // A session of its own: Ctrl-C reaches it only through stop().
  const child = spawn(inRoot(".venv", "bin", "python"), [script, source, executed, html], {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let error = null;
  let noise = "";
  child.stderr.on("data", (chunk) => (noise = (noise + chunk).slice(-4000)));
  createInterface({ input: child.stdout }).on("line", (line) => {
    const event = parse(line);
    if (event?.event === "error") error = event;
    if (event) onEvent(event);
  });
  const finished = new Promise((resolve) => {
    child.on("close", async (code) => {
      if (code !== 0 && !error)
        error = {
          number: 0,
          source: "",
          ename: "NotebookRunner",
          evalue: noise.trim() || `ended with ${code}`,
          traceback: "",
        };
      // Without a browser they are left out; the notebook is whole without them.
      if (existsSync(executed)) await ours("notebookPictures.js").addPictures(executed);
      resolve({ status: code ?? 1, seconds: (Date.now() - started) / 1000, error });
    });
  });
  let stops = 0;
  const stop = () => child.kill(stops++ === 0 ? "SIGUSR1" : "SIGTERM");
  return Object.assign(finished, { stop });
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
