// In: what the machine has. Out: a ready tfjs backend and its description.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { UsageError } from "../errors";
import { projectPath } from "../files/paths";
import { nativeBackend } from "./binding";
import { bf16Allowed, hasBf16, judgeGpu, memoryGrowth, oneDnnSwitch } from "./choice";
import { kernelInstructions, loadKernels } from "./fusedOps";
import { checkMemory } from "./memory";
import { registerWasmKernels } from "./wasmKernels";
import { useXlaCache } from "./xlaCache";

export { measureGemm } from "./gemm";

export type BackendName = "tensorflow" | "wasm" | "cpu";

export interface BackendInfo {
  readonly name: BackendName;
  /** Version of the TensorFlow library, or of tfjs on the other backends. */
  readonly version: string;
  /** Processor threads the backend may use. */
  readonly threads: number;
  /** Name of the GPU in use, or null. */
  readonly gpu: string | null;
  /** Why a GPU is or is not in use. */
  readonly gpuReason: string;
  /** Whether products in bfloat16 run in hardware. */
  readonly bf16: boolean;
  /** Instruction set of the fused kernels, or null without them. */
  readonly kernels: string | null;
  /** Whether compile() makes graphs here (elsewhere it runs the function as it is). */
  readonly compiled: boolean;
}

/**
 * Fused loops without the checks for NaN and infinity that keep LLVM from vectorising them.
 * The compiler keeps IsFinite and its kin out of XLA regions for this reason. An unknown flag aborts the process.
 */
const XLA_FLAGS = [
  "--xla_cpu_enable_fast_math=true",
  "--xla_cpu_prefer_vector_width=512",
  "--xla_cpu_fast_math_honor_division=false",
  "--xla_cpu_fast_math_honor_functions=false",
  "--xla_cpu_fast_math_honor_infs=false",
  "--xla_cpu_fast_math_honor_nans=false",
].join(" ");

/** The library itself, its threads, the first graphs: below it a process that loads it is aborted sooner or later. */
const TENSORFLOW_NEEDS = { free: 0.4e9, addresses: 2.2e9 };

let ready: BackendInfo | null = null;

/**
 * Loads a backend: TensorFlow's C library where it is installed, else WebAssembly with one warning that says why.
 *
 * Calling it again returns the first answer, unless it names another backend.
 * @throws {UsageError} when the named backend cannot be loaded; {InputError} when there is too little memory for it.
 * @example
 * ```ts
 * const { name, threads } = await initBackend();
 * console.log(name, threads);
 * ```
 */
export async function initBackend(options: { backend?: "auto" | BackendName } = {}): Promise<BackendInfo> {
  const wanted = options.backend ?? "auto";
  if (ready && (wanted === "auto" || wanted === ready.name)) return ready;
  if (wanted === "auto" || wanted === "tensorflow") {
    checkMemory("TensorFlow", TENSORFLOW_NEEDS);
    const failure = await loadTensorflow();
    if (!failure) return (ready = describeTensorflow());
    if (wanted === "tensorflow")
      throw new UsageError(`backend: expected TensorFlow's library, got ${failure}; run npm run setup`);
    console.warn(
      `backend: TensorFlow's library did not load (${failure}); using WebAssembly, about 10 times slower; run npm run setup`,
    );
  }
  return (ready = await loadPortable(wanted === "cpu" ? "cpu" : "wasm"));
}

async function loadTensorflow(): Promise<string | null> {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
  process.env.XLA_FLAGS ??= XLA_FLAGS;
  const cpuinfo = readOrNull("/proc/cpuinfo") ?? "";
  const oneDnn = oneDnnSwitch(cpuinfo, process.env);
  if (oneDnn !== undefined) process.env.TF_ENABLE_ONEDNN_OPTS = oneDnn;
  useXlaCache(cpuinfo || process.arch);
  process.env.TF_FORCE_GPU_ALLOW_GROWTH = memoryGrowth(process.env);
  const legacy = (util as { default?: object }).default ?? util;
  (legacy as Record<string, unknown>).isNullOrUndefined ??= (x: unknown) => x === null || x === undefined; // gone since Node 23
  try {
    await quietly(() => import("@tensorflow/tfjs-node"));
    await tf.setBackend("tensorflow");
    loadKernels();
    return null;
  } catch (error) {
    return String((error as Error).message).split("\n")[0];
  }
}

/** tfjs-node prints a banner about itself when it is loaded after another backend. */
async function quietly<T>(load: () => Promise<T>): Promise<T> {
  const warn = console.warn;
  console.warn = () => {};
  try {
    return await load();
  } finally {
    console.warn = warn;
  }
}

function describeTensorflow(): BackendInfo {
  const native = nativeBackend()!;
  const inUse = native.binding.isUsingGpuDevice();
  const facts = {
    driver: readOrNull("/proc/driver/nvidia/version"),
    cudaBuild: existsSync(projectPath(".cache", "tensorflow", "nvidia")),
  };
  const verdict = judgeGpu({ ...facts, visibleDevices: process.env.CUDA_VISIBLE_DEVICES });
  const unused = verdict.usable
    ? `${verdict.reason}, but TensorFlow found no device; TF_CPP_MIN_LOG_LEVEL=0 npx rewardbook doctor shows why`
    : verdict.reason;
  return {
    name: "tensorflow",
    version: native.binding.TF_Version,
    threads: availableParallelism(),
    gpu: inUse ? gpuName() : null,
    gpuReason: inUse ? "in use" : unused,
    bf16: inUse || (bf16Allowed(process.env) && hasBf16(readOrNull("/proc/cpuinfo") ?? "")),
    kernels: kernelInstructions(),
    compiled: true,
  };
}

/** The backend in use. @throws {UsageError} before initBackend. */
export function currentBackend(): BackendInfo {
  if (!ready) throw new UsageError("backend: expected initBackend() to have run, got no backend; await it first");
  return ready;
}

async function loadPortable(name: "wasm" | "cpu"): Promise<BackendInfo> {
  await import("@tensorflow/tfjs"); // registers the gradients and the chained methods, which the native binding brings itself
  if (name === "wasm") {
    await import("@tensorflow/tfjs-backend-wasm");
    registerWasmKernels();
  }
  if (!(await tf.setBackend(name)))
    throw new UsageError(`backend: expected ${name} to start, got a refusal; run npm run setup`);
  await tf.ready();
  return {
    name,
    version: tf.version_core,
    threads: 1,
    gpu: null,
    gpuReason: `the ${name} backend has none`,
    bf16: false,
    kernels: null,
    compiled: false,
  };
}

function gpuName(): string {
  const root = "/proc/driver/nvidia/gpus";
  try {
    const text = readFileSync(`${root}/${readdirSync(root)[0]}/information`, "utf8");
    return /^Model:\s*(.+)$/m.exec(text)?.[1] ?? "GPU";
  } catch {
    return "GPU"; // in containers the driver's folder may be hidden
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // no such file: no driver, or not Linux
  }
}
