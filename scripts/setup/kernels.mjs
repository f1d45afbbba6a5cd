// In: a C++ compiler and TensorFlow's C library. Out: the fused kernels of lib/engine/kernels as a module that Node loads.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { LIBRARIES, nvidiaFolders } from "./native.mjs";
import { command, inRoot } from "./steps.mjs";

export const kernelsFile = ".cache/kernels/rewardbook_kernels.node";

const sources = inRoot("lib", "engine", "kernels");

/** The arithmetic is compiled once for each; the best that the processor has is chosen when the module is loaded. */
const INSTRUCTIONS = {
  baseline: [],
  avx2: ["-mavx2", "-mfma"],
  avx512: ["-march=x86-64-v4", "-mprefer-vector-width=512"],
  avx512bf16: ["-march=x86-64-v4", "-mprefer-vector-width=512", "-mavx512bf16"],
};

export const kernelSources = () =>
  readdirSync(sources)
    .sort()
    .map((file) => readFileSync(path.join(sources, file), "utf8"));

const X86 = process.arch === "x64";

/** The instruction sets that are compiled on this kind of processor. */
export const variants = X86 ? Object.keys(INSTRUCTIONS) : ["baseline"];

const WARNINGS = ["-Wall", "-Wextra", "-Wno-uninitialized", "-Wno-maybe-uninitialized"]; // GCC 12 blames its own AVX-512 headers

/** What every compilation of the kernels has in common. Headers of others are not ours to mend. */
function flags() {
  const include = [
    inRoot("node_modules", "node-api-headers", "include"),
    inRoot(".cache", "tensorflow", "tensorflow", "include"),
  ];
  return [
    ...[
      "-std=c++17",
      "-O3",
      "-fPIC",
      "-fvisibility=hidden",
      "-fno-math-errno",
      "-fno-trapping-math",
      "-DNAPI_VERSION=8",
    ],
    ...WARNINGS,
    ...(X86 ? ["-DREWARDBOOK_X86"] : []),
    ...include.flatMap((folder) => ["-isystem", folder]),
  ];
}

/** Source and flags of each object: the operations, and the arithmetic once for each instruction set. */
export function units() {
  const arithmetic = variants.map((name) => ({
    name,
    source: path.join(sources, "arithmetic.cc"),
    flags: [...flags(), ...INSTRUCTIONS[name], `-DREWARDBOOK_VARIANT=${name}`],
  }));
  return [{ name: "operations", source: path.join(sources, "operations.cc"), flags: flags() }, ...arithmetic];
}

/**
 * Compiles the kernels and loads them once, in a process of its own.
 *
 * @param {{program: string}} compiler
 * @param {{output?: string, extra?: string[], env?: Record<string, string>}} [options] another file, further flags for
 *   compiler and linker, and the environment of the process that loads it
 */
export async function buildKernels(compiler, { output = inRoot(kernelsFile), extra = [], env = {} } = {}) {
  const folder = path.dirname(output);
  mkdirSync(folder, { recursive: true });
  const remedy = "install g++ 11 or clang++ 14, or newer, or set CXX to one; RB_KERNELS=0 goes on without the kernels";
  const object = ({ name }) => path.join(folder, `${name}.o`);
  const all = units();
  await Promise.all(
    all.map((unit) =>
      command(compiler.program, [...unit.flags, ...extra, "-c", unit.source, "-o", object(unit)], { remedy }),
    ),
  );
  await command(
    compiler.program,
    [
      // The baseline comes first: of a template's copies in several objects the linker keeps the first.
      ...["-shared", "-pthread", ...extra, "-o", `${output}.new`, ...all.map(object)],
      ...["-L", inRoot(".cache", "tensorflow", "tensorflow"), ...LIBRARIES.map((name) => `-l:${name}`)],
      ...["tensorflow", ...nvidiaFolders(inRoot(".cache", "tensorflow"))].map(
        (library) => `-Wl,-rpath,$ORIGIN/../tensorflow/${library}`,
      ),
    ],
    { remedy },
  );
  renameSync(`${output}.new`, output);
  for (const unit of all) rmSync(object(unit));
  const script = "process.stdout.write(require(process.argv[1]).instructions)";
  return command(process.execPath, ["-e", script, output], { env: { TF_CPP_MIN_LOG_LEVEL: "3", ...env }, remedy });
}
