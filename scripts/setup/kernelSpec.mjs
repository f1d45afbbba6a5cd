// In: where the project lies. Out: Jupyter's description of the kernel, in the project's environment or among the user's own.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { digest, inRoot } from "./steps.mjs";

const NAME = "rewardbook";
const KERNELS = ".venv/share/jupyter/kernels";

/** Little memory for young objects; a cell that is broken off leaves Node's record of asynchronous calls unbalanced. */
const NODE_FLAGS = ["--max-semi-space-size=4", "--no-force-async-hooks-checks"];

/** The command holds absolute paths: VS Code starts it with another PATH. Interrupts come as messages, on Windows as well. */
const spec = () => ({
  argv: [process.execPath, ...NODE_FLAGS, inRoot("scripts", "kernel.mjs"), "{connection_file}"],
  display_name: "Rewardbook (TypeScript)",
  language: "typescript",
  interrupt_mode: "message",
});

function write(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "kernel.json"), `${JSON.stringify(spec(), null, 2)}\n`);
}

/** A step of set-up. */
export const notebookKernel = {
  name: "notebook kernel",
  needs: ["Jupyter"],
  inputs: () => digest([process.version, JSON.stringify(spec())]),
  outputs: [`${KERNELS}/${NAME}/kernel.json`],
  run: () => write(inRoot(KERNELS, NAME)),
};

/** Jupyter's data folder of the user (`jupyter --data-dir`), where VS Code and any JupyterLab look for kernels. */
export function userKernelFolder({ env = process.env, platform = process.platform, home = os.homedir() } = {}) {
  const data =
    env.JUPYTER_DATA_DIR ??
    {
      darwin: path.join(home, "Library", "Jupyter"),
      win32: path.join(env.APPDATA ?? path.join(home, "AppData", "Roaming"), "jupyter"),
    }[platform] ??
    path.join(env.XDG_DATA_HOME ?? path.join(home, ".local", "share"), "jupyter");
  return path.join(data, "kernels", NAME);
}

/** @returns the folder written */
export function installForUser() {
  const folder = userKernelFolder();
  write(folder);
  return folder;
}

/** @returns the folder removed, or null where there was none */
export function uninstallForUser() {
  const folder = userKernelFolder();
  if (!existsSync(folder)) return null;
  rmSync(folder, { recursive: true });
  return folder;
}
