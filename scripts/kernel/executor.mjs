// In: tslab's converter and the cells' modules. Out: cells run one after another; what each defined is there for the next, also when it threw.
import vm from "node:vm";
import { MessageChannel } from "node:worker_threads";
import { declarationsReached } from "./declarations.mjs";
import { describeFindings, describeThrown, Interrupted } from "./errors.mjs";
import { cellName } from "./stacks.mjs";

/** Kept in every program: the library's types are read once, not anew for the first Tab. */
export const ALWAYS_THERE = 'import "rewardbook";\n';

/**
 * A turn of the event loop in which nothing else waits: a cell that is broken off amid a computation takes everything
 * with it that waits in the same turn.
 */
function ownTurn() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.once("message", () => {
      port1.close();
      resolve();
    });
    port2.postMessage(null);
  });
}

const ARGUMENTS = Symbol.for("rewardbook.cell");

/** Erases `exports.a = exports.b = void 0;`, with which TypeScript begins: a cell that throws would lose earlier values. */
const keepValues = (code) => code.replace(/^(?:exports\.[^\s=]+ = )+void 0;$/m, "");

/** @param show gets the value of a cell's last expression */
export function createExecutor({ compiler, converter, modules, metadata, follower, show, stops }) {
  const values = {};
  let declarations = ALWAYS_THERE;
  let interruptCell = null;

  /** The `exports` of one cell: shared values, and a record of the names it assigned. */
  const exportsOf = (reached) =>
    new Proxy(values, {
      set(target, name, value) {
        reached.add(name);
        target[name] = value;
        return true;
      },
      // TypeScript defines imported names by getters; here they may be assigned anew.
      defineProperty(target, name, { get, value }) {
        if (name === "__esModule") return true;
        reached.add(name);
        target[name] = get ? get() : value;
        return true;
      },
    });

  /** Ends with the cell, or with its interrupt: a cell that is broken off amid a computation never ends by itself. */
  const run = async (number, converted, reached) => {
    let over = false; // an interrupt may come before the first line has run
    const begin = async () => {
      await modules.preload(converted.output);
      await ownTurn();
      if (!over) await runScript(number, converted, reached);
    };
    const stopped = new Promise((_, reject) => (interruptCell = () => reject(new Interrupted())));
    try {
      await Promise.race([begin(), stopped]);
    } finally {
      over = true;
      interruptCell = null;
      stops.setInCell(false);
    }
  };

  const runScript = (number, { output, hasToplevelAwait }, reached) => {
    const kind = hasToplevelAwait ? "async function" : "function";
    globalThis[ARGUMENTS] = [exportsOf(reached), modules.require];
    const script = `(${kind} (exports, require) {\n${keepValues(output)}\n})(...globalThis[Symbol.for("rewardbook.cell")])`;
    stops.setInCell(true);
    const running = vm.runInThisContext(script, { filename: cellName(number), lineOffset: -1, breakOnSigint: true });
    return hasToplevelAwait ? running : undefined; // a cell without await may end in a promise that it does not await
  };

  const showLast = (name) => {
    if (!name) return;
    const value = values[name];
    delete values[name];
    if (value !== undefined && value !== null) show(value);
  };

  return {
    declarations: () => declarations,
    /** Ends the running cell where it waits. */
    interrupt: () => interruptCell?.(),
    /** @returns null, or the error as Jupyter wants it */
    async execute(source, number) {
      const { module } = metadata(source);
      if (module) {
        const findings = converter.addModule(module, source);
        return findings.length ? describeFindings(findings, { number, source }) : null;
      }
      const converted = converter.convert(declarations, source);
      const maps = compiler.takeMaps(converted.output);
      if (converted.sideOutputs) modules.addLocal(converted.sideOutputs);
      if (converted.diagnostics.length) return describeFindings(converted.diagnostics, { number, source });
      const after = ALWAYS_THERE + (converted.declOutput ?? "");
      const reached = new Set();
      follower.add(number, source, { output: converted.output, maps });
      try {
        if (converted.output) await run(number, converted, reached);
        declarations = after;
        showLast(converted.lastExpressionVar);
        return null;
      } catch (thrown) {
        declarations = declarationsReached(compiler.ts, { before: declarations, after, reached });
        return describeThrown(thrown, follower);
      }
    },
  };
}
