// In: a notebook and a configuration. Out: the executed notebook and its HTML page; what happens is told while it happens.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { inRoot } from "./setup/steps.mjs";

/** The notebooks in the order in which they hand files on. */
export const NOTEBOOKS = [
  "01_data_generation",
  "02_loss_walkthrough",
  "03_train_reward_model",
  "04_evaluate",
  "05_rerank_demo",
];

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
  onEvent = () => {},
}) {
  const started = Date.now();
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
    child.on("close", (code) => {
      if (code !== 0 && !error)
        error = {
          number: 0,
          source: "",
          ename: "NotebookRunner",
          evalue: noise.trim() || `ended with ${code}`,
          traceback: "",
        };
      resolve({ status: code ?? 1, seconds: (Date.now() - started) / 1000, error });
    });
  });
  let stops = 0;
  finished.stop = () => child.kill(stops++ === 0 ? "SIGUSR1" : "SIGTERM");
  return finished;
}

function parse(line) {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
