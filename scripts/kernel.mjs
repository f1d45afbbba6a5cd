#!/usr/bin/env node
// In: a Jupyter connection file. Out: a TypeScript kernel (tslab, with its defects mended) in which `rewardbook` is up to date.
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import util from "node:util";
import { queueSends } from "./kernel/sockets.mjs";
import { mendReplies } from "./kernel/replies.mjs";
import { errorRecorder, printResult } from "./kernel/results.mjs";
import { selfLink } from "./setup/selfLink.mjs";
import { inRoot, root } from "./setup/steps.mjs";

// Cells resolve `rewardbook` and read files from the project's root, wherever the notebook lies.
process.chdir(root);
process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
/** @type {any} */ (util).isNullOrUndefined ??= (x) => x === null || x === undefined; // Node 23 removed it; tfjs-node calls it
selfLink();
const require = createRequire(inRoot("package.json"));
const tslabRequire = createRequire(require.resolve("tslab/dist/jupyter"));

const build = spawnSync(process.execPath, [inRoot("node_modules/typescript/bin/tsc"), "-b"], { encoding: "utf8" });
const buildError = build.status === 0 ? null : build.stdout + build.stderr;

// tslab watches every file it type-checks; after a rebuild of the library each later cell would fail. A changed library
// needs a new kernel anyway: Node keeps the loaded one.
const { sys } = tslabRequire("@tslab/typescript-for-tslab");
sys.watchFile = sys.watchDirectory = () => ({ close() {} });

const jupyter = require("tslab/dist/jupyter");
const { createExecutor } = require("tslab/dist/executor");
const { createConverter } = require("tslab/dist/converter");
const { Publisher, Router } = tslabRequire("zeromq");

const errors = errorRecorder();
const converter = createConverter({ isJS: false });
const converters = { node: converter, browser: converter, close: () => converter.close() };
const executor = createExecutor(root, converters, { log: printResult(jupyter), error: errors.record });
const handler = new jupyter.JupyterHandlerImpl(executor, false);

queueSends({ server: jupyter.ZmqServer, Publisher, Router });
mendReplies({ server: jupyter.ZmqServer, handler, errors, buildError });

// An interrupt stops the loops that lib/interrupt.ts registered here, after their step. A second interrupt, or
// one without such a loop, breaks the cell.
const stops = (globalThis[Symbol.for("rewardbook.stops")] = new Set());
process.on("SIGINT", () => {
  const running = [...stops].filter((controller) => !controller.signal.aborted);
  if (running.length === 0) executor.interrupt();
  for (const controller of running) controller.abort();
});
process.on("uncaughtException", (error) => console.error("uncaught:", error));
process.on("unhandledRejection", (error) => console.error("unhandled rejection:", error));

new jupyter.ZmqServer(handler, process.argv[2]).init();
