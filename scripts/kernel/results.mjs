// In: what a cell returned or threw. Out: a rich display, or the error as Jupyter wants it.
import { randomBytes } from "node:crypto";
import { formatWithOptions } from "node:util";

/** Shows the value of a cell's last expression: through its toMimeBundle() where it has one, else as text. */
export const printResult = (jupyter) => (value) => {
  const data = typeof value?.toMimeBundle === "function" ? value.toMimeBundle() : null;
  if (!data) return console.log(value);
  jupyter.lastWriteDisplayData(
    { data, metadata: {}, transient: { display_id: randomBytes(8).toString("hex") } },
    false,
  );
};

const isForeignFrame = (line) => /^\s+at .*(node:internal|node:vm|node_modules\/tslab|scripts\/kernel)/.test(line);
const isInterrupt = (message) =>
  message === "Interrupted asynchronously" || message.startsWith("Script execution was interrupted");

/** Collects what tslab prints as an error: thrown values, and the type checker's findings. */
export function errorRecorder() {
  let recorded = [];
  return {
    record: (...parts) => recorded.push(parts),
    /** The error of the cell that just ended, `{ename, evalue, traceback}`, and a clean slate. */
    take() {
      const parts = recorded;
      recorded = [];
      const thrown = parts.map(([first]) => first).find((value) => value instanceof Error || value?.stack);
      if (thrown) {
        const evalue = String(thrown.message ?? thrown);
        if (isInterrupt(evalue))
          return {
            ename: "Interrupted",
            evalue: "the cell was interrupted",
            traceback: ["Interrupted: the cell was interrupted"],
          };
        const stack = String(thrown.stack ?? evalue).split("\n");
        return { ename: thrown.name || "Error", evalue, traceback: stack.filter((line) => !isForeignFrame(line)) };
      }
      const lines = parts.map((args) => formatWithOptions({ colors: false }, ...args));
      const found = lines.some((line) => /^(\S+ )?\d+:\d+ - /.test(line));
      return {
        ename: found ? "TypeScriptError" : "Error",
        evalue: lines[0] ?? "the cell failed without a message",
        traceback: lines,
      };
    },
  };
}
