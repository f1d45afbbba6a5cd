#!/usr/bin/env node
// All tests: sets up (which type-checks and compiles the library), then runs vitest, the notebooks included.
// Arguments go to vitest: npm test -- tests/scripts
import { spawnSync } from "node:child_process";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

process.env.RB_ONNX = "1"; // exported models are run
await setupOrExit();
const vitest = inRoot("node_modules", "vitest", "vitest.mjs");
const { status } = spawnSync(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: inRoot(),
  stdio: "inherit",
});
process.exitCode = status ?? 1;
