#!/usr/bin/env node
// In: a Jupyter connection file. Out: a TypeScript kernel on tslab's converter, in which `rewardbook` is up to date.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import util from "node:util";
import { keepHooksOff } from "./kernel/callStorage.mjs";
import { Stops } from "./kernel/control.mjs";
import { describeBuild } from "./kernel/errors.mjs";
import { createExecutor, ALWAYS_THERE } from "./kernel/executor.mjs";
import { createTidying } from "./kernel/idle.mjs";
import { createLanguage } from "./kernel/language.mjs";
import { createCellModules } from "./kernel/modules.mjs";
import { installObserver } from "./kernel/observer.mjs";
import { createShow } from "./kernel/results.mjs";
import { serve } from "./kernel/server.mjs";
import { followCells } from "./kernel/stacks.mjs";
import { adaptTypeScript } from "./kernel/typescript.mjs";
import { compiledLibrary } from "./setup/compiled.mjs";
import { selfLink } from "./setup/selfLink.mjs";
import { inRoot, isInPlace, root, writeStamp } from "./setup/steps.mjs";

// Cells resolve `rewardbook` and read files from the project's root, wherever the notebook lies.
process.chdir(root);
process.env.TF_CPP_MIN_LOG_LEVEL ??= "3";
/** @type {any} */ (util).isNullOrUndefined ??= (x) => x === null || x === undefined; // Node 23 removed it; tfjs-node calls it
selfLink();
keepHooksOff();
const require = createRequire(inRoot("package.json"));
const tslabRequire = createRequire(require.resolve("tslab/dist/jupyter"));
const buildError = await buildLibrary();

const modules = createCellModules({ root, tslab: () => require("tslab") });
const compiler = adaptTypeScript(tslabRequire, modules);
const jupyter = require("tslab/dist/jupyter");
const { isCompleteCode, createConverter } = require("tslab/dist/converter");
const { getCodeMetadata: metadata } = require("tslab/dist/metadata");
const { printQuickInfo } = require("tslab/dist/inspect");
const converter = createConverter({ isJS: false });
const follower = followCells();
const stops = (globalThis[Symbol.for("rewardbook.stops")] = new Stops());
const show = createShow((data, update) => jupyter.lastWriteDisplayData(data, update));
const executor = createExecutor({ compiler, converter, modules, metadata, follower, show, stops });
const language = createLanguage({ compiler, converter, printQuickInfo, declarations: executor.declarations });
const tidying = createTidying();
let count = 0;

/** A cell: its writes and displays go to `io` from here on, later ones of its timers too. */
async function execute({ code, silent = false }, { write, announce, display }) {
  if (buildError) return { status: "error", execution_count: count, ...buildError };
  if (!silent) announce(code, ++count);
  process.stdout.write = writer("stdout", write);
  process.stderr.write = writer("stderr", write);
  jupyter.lastWriteDisplayData = display;
  tidying.busy();
  const error = await executor.execute(code, count);
  tidying.idle();
  return { status: error ? "error" : "ok", execution_count: count, ...error };
}

const writer = (name, write) => (chunk, encoding, done) => {
  write(name, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString());
  const called = typeof encoding === "function" ? encoding : done;
  called?.();
  return true;
};

const languageInfo = {
  name: "typescript",
  version: compiler.ts.version,
  mimetype: "text/typescript",
  file_extension: ".ts",
  codemirror_mode: { mode: "typescript", name: "javascript", typescript: true },
};
const kernel = {
  info: () => ({
    status: "ok",
    protocol_version: "5.3",
    implementation: "rewardbook",
    implementation_version: require("./package.json").version,
    banner: `Rewardbook: TypeScript ${compiler.ts.version} on Node ${process.version}`,
    language_info: languageInfo,
  }),
  execute,
  complete: language.complete,
  inspect: language.inspect,
  isComplete(code) {
    const { completed, indent } = isCompleteCode(code);
    return completed ? { status: "complete" } : { status: "incomplete", indent };
  },
  interrupt,
  shutdown: () => server.close(),
};

// An interrupt stops the loops that lib/interrupt.ts registered here, after their step. A second interrupt, or
// one without such a loop, breaks the cell. The cells behind it are not run.
function interrupt() {
  server.interrupted();
  const running = [...stops].filter((controller) => !controller.signal.aborted);
  if (running.length === 0) executor.interrupt();
  for (const controller of running) controller.abort();
}
process.on("SIGINT", interrupt);
process.on("uncaughtException", (error) => console.error("uncaught:", error));
process.on("unhandledRejection", (error) => console.error("unhandled rejection:", error));
installObserver(() => require(inRoot("dist/lib/notebooks/progressBar.js")).createProgressBar);

tidying.idle();

// JupyterLab waits a second for a completion: a kernel that says it is ready has read the library's types for its first Tab.
converter.complete(ALWAYS_THERE, "Math.", 5);
const connection = JSON.parse(readFileSync(process.argv[2], "utf8"));
const server = await serve({ connection, zeromq: tslabRequire.resolve("zeromq"), kernel, stops });

/** @returns null, or the error that every cell answers with until the library compiles */
async function buildLibrary() {
  if (isInPlace(compiledLibrary)) return null;
  try {
    await compiledLibrary.run();
    writeStamp(compiledLibrary);
    return null;
  } catch (error) {
    return describeBuild(error);
  }
}
