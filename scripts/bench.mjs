#!/usr/bin/env node
// The side-by-side measurements: compiles the library and runs bench/main.ts. npm run bench -- --help lists the flags.
import { spawnSync } from "node:child_process";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

await setupOrExit(); // compiles too
const { status } = spawnSync(process.execPath, [inRoot("dist", "bench", "main.js"), ...process.argv.slice(2)], {
  cwd: inRoot(),
  stdio: "inherit",
});
process.exitCode = status ?? 1;
