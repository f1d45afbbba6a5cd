// In: this machine. Out: what it offers (Node, Python, compiler, GPU) and which TensorFlow wheel fits it.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { StepError } from "./steps.mjs";

const NODE_LEAST = [20, 19];
const PYTHON_LEAST = [3, 10];
const TENSORFLOW = "2.21.0";

const atLeast = (version, least) => version[0] > least[0] || (version[0] === least[0] && version[1] >= least[1]);
const numbers = (text) =>
  text
    .match(/(\d+)\.(\d+)/)
    ?.slice(1)
    .map(Number);

/** @throws StepError when this Node is too old */
export function checkNode(version = process.versions.node) {
  if (atLeast(numbers(version), NODE_LEAST)) return version;
  throw new StepError(
    `Node ${version} is too old`,
    `install Node ${NODE_LEAST.join(".")} or newer (https://nodejs.org)`,
  );
}

/** @typedef {(program: string, args: string[], options?: object) => any} Run runs a program, as `spawnSync` does */

/**
 * Finds a Python that can make virtual environments: $RB_PYTHON, else python3, else python3.10 to 3.14.
 *
 * @param {Run} run
 * @throws StepError with the package to install
 */
export function findPython(env = process.env, run = spawnSync) {
  const names = env.RB_PYTHON
    ? [env.RB_PYTHON]
    : ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];
  const seen = [];
  for (const name of names) {
    const probe = run(name, ["-c", "import sys; print('%d.%d.%d' % sys.version_info[:3]); import venv, ensurepip"], {
      encoding: "utf8",
    });
    const version = probe.stdout?.trim();
    if (!version) continue;
    seen.push(version);
    if (!atLeast(numbers(version), PYTHON_LEAST)) continue;
    if (probe.status === 0) return { program: name, version };
    const [major, minor] = numbers(version);
    throw new StepError(
      `Python ${version} lacks the modules venv and ensurepip`,
      `Debian, Ubuntu: apt-get install python${major}.${minor}-venv; or set RB_PYTHON to another Python`,
    );
  }
  throw new StepError(
    `expected Python ${PYTHON_LEAST.join(".")} or newer, found ${seen.length ? seen.join(", ") : "none"}`,
    "install it (Debian, Ubuntu: apt-get install python3 python3-venv), or set RB_PYTHON to its path",
  );
}

/**
 * The C++ compiler: $CXX, else c++, g++ or clang++; null when there is none.
 *
 * @param {Run} run
 */
export function findCompiler(env = process.env, run = spawnSync) {
  for (const name of env.CXX ? [env.CXX] : ["c++", "g++", "clang++"]) {
    const probe = run(name, ["-dumpversion"], { encoding: "utf8" });
    if (probe.status === 0) return { program: name, version: probe.stdout.trim() };
  }
  return null;
}

/**
 * True when an NVIDIA driver answers.
 *
 * @param {Run} run
 */
export function hasNvidiaGpu(run = spawnSync) {
  if (existsSync("/proc/driver/nvidia/version")) return true;
  return run("nvidia-smi", ["-L"], { encoding: "utf8" }).stdout?.startsWith("GPU ") ?? false;
}

const HASHES = {
  "tensorflow-cpu x64": "dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb",
  "tensorflow x64": "b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0",
  "tensorflow arm64": "b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552",
};

/**
 * The wheel whose C library this machine can load.
 *
 * x64 without a GPU takes `tensorflow-cpu`; with one, `tensorflow` and its CUDA packages. On arm64 there is only
 * `tensorflow`, whose CPU part is used. `RB_CUDA=0` or `1` overrides the GPU test; `RB_NATIVE=0` asks for none.
 *
 * @param {{platform: string, arch: string, glibc?: string, gpu: boolean, env?: NodeJS.ProcessEnv}} machine
 * @returns `{requirement, hash, platform, cuda}`, or `{none: reason}`
 */
export function chooseTensorFlow({ platform, arch, glibc, gpu, env = {} }) {
  if (env.RB_NATIVE === "0") return { none: "RB_NATIVE=0 asks for the WebAssembly backend" };
  if (platform !== "linux") return { none: `there is no build for ${platform} yet` };
  const machine = { x64: "x86_64", arm64: "aarch64" }[arch];
  if (!machine) return { none: `TensorFlow has no build for ${arch} processors` };
  if (!glibc || !atLeast(numbers(glibc), [2, 27]))
    return { none: `TensorFlow needs glibc 2.27, this system has ${glibc ?? "another C library"}` };
  const cuda = arch === "x64" && (env.RB_CUDA === undefined ? gpu : env.RB_CUDA === "1");
  const name = arch === "x64" && !cuda ? "tensorflow-cpu" : "tensorflow";
  return {
    requirement: `${name}==${TENSORFLOW}`,
    hash: HASHES[`${name} ${arch}`],
    platform: `manylinux_2_27_${machine}`,
    cuda,
  };
}

/** chooseTensorFlow for this machine. */
export function chooseHere() {
  const { platform, arch, env } = process;
  const glibc =
    platform === "linux" ? /** @type {any} */ (process.report.getReport()).header.glibcVersionRuntime : undefined;
  return chooseTensorFlow({ platform, arch, glibc, gpu: hasNvidiaGpu(), env });
}
