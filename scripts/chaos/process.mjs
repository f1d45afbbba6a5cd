// In: a folder and a configuration. Out: `rewardbook train` as a process of its own there, to be killed, signalled and waited for.
import { spawn } from "node:child_process";
import { inRoot } from "../setup/steps.mjs";
import { flagsOf } from "./variants.mjs";

const LIMIT_MS = 240_000;

/**
 * @param {string} cwd
 * @param {Parameters<typeof flagsOf>[0]} input
 * @param {{environment?: NodeJS.ProcessEnv, extra?: string[]}} [options] `environment` for the recorder
 * @returns `{child, ended}`; `ended` gives `{code, signal, said}`, and fails where the process hangs
 */
export function startTraining(cwd, input, { environment = {}, extra = [] } = {}) {
  const words = ["--require", inRoot("scripts", "chaos", "recorder.cjs"), inRoot("bin", "rewardbook.cjs"), "train"];
  const child = spawn(process.execPath, [...words, ...flagsOf(input), ...extra], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    // Plots take longer than these runs and are drawn after everything that is compared.
    env: { ...process.env, CHROMIUM: "/bin/false", TF_CPP_MIN_LOG_LEVEL: "3", ...environment },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  const ended = new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`a training hung in ${cwd}: ${said.slice(-500)}`));
    }, LIMIT_MS);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, said });
    });
  });
  return { child, ended };
}

/** A training from start to end. @throws where it does not end with 0 */
export async function trainToEnd(cwd, input, options) {
  const { code, signal, said } = await startTraining(cwd, input, options).ended;
  if (code !== 0)
    throw new Error(`expected a training that ends with 0 in ${cwd}, got ${code ?? signal}: ${said.slice(-1500)}`);
  return said;
}
