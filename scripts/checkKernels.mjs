#!/usr/bin/env node
// The gate of the C++ kernels: no warning in any instruction set; and their tests under AddressSanitizer and UBSan.
//
//   node scripts/checkKernels.mjs              warnings only, seconds
//   node scripts/checkKernels.mjs --sanitize   a build with both sanitizers, and tests/engine/fused*.test.ts on it
import { execFileSync, spawnSync } from "node:child_process";
import { setupOrExit } from "./setup.mjs";
import { buildKernels, units } from "./setup/kernels.mjs";
import { findCompiler } from "./setup/machine.mjs";
import { command, inRoot } from "./setup/steps.mjs";

await setupOrExit();
const compiler = findCompiler();
if (!compiler) {
  console.error("kernels: expected a C++ compiler, found none; install g++ or set CXX");
  process.exit(1);
}

/** A template that is no use to an instruction set is an error as much as a sign that is compared with none. */
async function refuseWarnings() {
  const remedy = "mend the lines named above";
  for (const { name, source, flags } of units()) {
    await command(compiler.program, [...flags, "-Werror", "-fsyntax-only", source], { remedy });
    console.log(`kernels: no warning in ${name}`);
  }
}

/** The library is loaded into a Node that was built without sanitizers, so their runtime comes first. */
async function sanitize() {
  const runtime = execFileSync(compiler.program, ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();
  const env = {
    LD_PRELOAD: runtime,
    // TensorFlow and V8 keep what they allocate for the life of the process; the binding deletes [] without [].
    ASAN_OPTIONS: "detect_leaks=0:verify_asan_link_order=0:alloc_dealloc_mismatch=0",
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
  };
  const output = inRoot(".cache", "kernels-sanitized", "rewardbook_kernels.node");
  const extra = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
  console.log(`kernels: built with sanitizers, ${await buildKernels(compiler, { output, extra, env })}`);
  const vitest = [inRoot("node_modules", "vitest", "vitest.mjs"), "run", "tests/engine/fused"];
  const { status } = spawnSync(process.execPath, vitest, {
    cwd: inRoot(),
    stdio: "inherit",
    env: { ...process.env, ...env, RB_KERNELS_FILE: output },
  });
  process.exitCode = status ?? 1;
}

try {
  await (process.argv.includes("--sanitize") ? sanitize() : refuseWarnings());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
