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

/** Compiles the kernels and loads them once, in a process of its own. */
export async function buildKernels(compiler) {
  const tensorflow = inRoot(".cache", "tensorflow", "tensorflow");
  const output = inRoot(kernelsFile);
  const folder = path.dirname(output);
  mkdirSync(folder, { recursive: true });
  const x86 = process.arch === "x64";
  const flags = [
    ...[
      "-std=c++17",
      "-O3",
      "-fPIC",
      "-fvisibility=hidden",
      "-fno-math-errno",
      "-fno-trapping-math",
      "-w",
      "-DNAPI_VERSION=8",
    ],
    ...(x86 ? ["-DREWARDBOOK_X86"] : []),
    ...["-I", inRoot("node_modules", "node-api-headers", "include"), "-I", path.join(tensorflow, "include")],
  ];
  const remedy = "install g++ 11 or clang++ 14, or newer, or set CXX to one; RB_KERNELS=0 goes on without the kernels";
  const object = (name) => path.join(folder, `${name}.o`);
  const compileOne = (name, source, more) =>
    command(compiler.program, [...flags, ...more, "-c", path.join(sources, source), "-o", object(name)], { remedy });
  const names = x86 ? Object.keys(INSTRUCTIONS) : ["baseline"];
  await Promise.all([
    compileOne("operations", "operations.cc", []),
    ...names.map((name) => compileOne(name, "arithmetic.cc", [...INSTRUCTIONS[name], `-DREWARDBOOK_VARIANT=${name}`])),
  ]);
  await command(
    compiler.program,
    [
      // The baseline comes first: of a template's copies in several objects the linker keeps the first.
      ...["-shared", "-pthread", "-o", `${output}.new`, object("operations"), ...names.map(object)],
      ...["-L", tensorflow, ...LIBRARIES.map((name) => `-l:${name}`)],
      ...["tensorflow", ...nvidiaFolders(inRoot(".cache", "tensorflow"))].map(
        (folder) => `-Wl,-rpath,$ORIGIN/../tensorflow/${folder}`,
      ),
    ],
    { remedy },
  );
  renameSync(`${output}.new`, output);
  for (const name of ["operations", ...names]) rmSync(object(name));
  const script = "process.stdout.write(require(process.argv[1]).instructions)";
  return command(process.execPath, ["-e", script, output], { env: { TF_CPP_MIN_LOG_LEVEL: "3" }, remedy });
}
