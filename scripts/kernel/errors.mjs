// In: what a cell threw, or what the type checker found in it. Out: `{ename, evalue, traceback}`, as Jupyter wants it.
import { inspect } from "node:util";
import { cellName, excerpt } from "./stacks.mjs";

/** Errors of which the message says all; a stack through the library would bury it. */
const ABOUT_INPUT = ["InputError", "UsageError"];

/** A cell that the user stopped. */
export class Interrupted extends Error {
  /** @override */
  name = "Interrupted";
}

const wasInterrupted = (thrown) => thrown instanceof Interrupted || thrown?.code === "ERR_SCRIPT_EXECUTION_INTERRUPTED";

/** @param follower names the line of a stack's first cell */
export function describeThrown(thrown, follower) {
  if (wasInterrupted(thrown)) {
    const evalue = "the cell was stopped; what it had defined is kept";
    return { ename: "Interrupted", evalue, traceback: [`Interrupted: ${evalue}`] };
  }
  if (!(thrown instanceof Error) && typeof thrown?.stack !== "string") {
    const evalue = typeof thrown === "string" ? thrown : inspect(thrown);
    return { ename: "Thrown", evalue, traceback: [`Thrown: ${evalue}`] };
  }
  const evalue = String(thrown.message ?? thrown);
  const ename = thrown.name || "Error";
  if (ename === "Interrupted") return { ename, evalue, traceback: [`Interrupted: ${evalue}`] };
  const stack = String(thrown.stack ?? evalue);
  const frames = stack.split("\n").filter((line) => /^\s+at .*(:\d+\)?|\(native\)|<anonymous>\)?)$/.test(line));
  const where = follower.excerptOf(stack);
  const shown = ABOUT_INPUT.includes(ename) ? frames.filter((line) => line.includes(cellName("").slice(0, 6))) : frames;
  const cause = thrown.cause === undefined ? [] : [`caused by ${thrown.cause?.stack ?? inspect(thrown.cause)}`];
  return {
    ename,
    evalue,
    traceback: [`${ename}: ${evalue}`, ...shown, ...(where ? ["", ...where.split("\n")] : []), ...cause],
  };
}

/** Each finding with its line; TypeScript's chains of reasons come as several findings of one place. */
export function describeFindings(findings, { number, source }) {
  const lines = [];
  let last = null;
  for (const { fileName, start, end, messageText, code } of findings) {
    const place = `${fileName ?? cellName(number)}:${start.line + 1}:${start.character + 1}`;
    if (place === last) {
      lines.splice(-2, 0, `  ${messageText}`);
      continue;
    }
    last = place;
    const sameLine = start.line === end.line;
    const length = sameLine ? end.character - start.character : Infinity;
    const marked = fileName ? null : excerpt(source, { line: start.line + 1, from: start.character + 1, length });
    lines.push(`${place} - ${messageText} (TS${code})`, ...(marked ?? "\n").split("\n"));
  }
  return { ename: "TypeScriptError", evalue: lines[0], traceback: lines };
}

/** Why no cell runs: the library does not compile. */
export function describeBuild(error) {
  const lines = [
    "The library does not compile; mend it and restart the kernel.",
    ...error.message.split("\n").map((line) => line.trimStart()),
  ];
  return { ename: "BuildError", evalue: lines[2] ?? lines[1], traceback: lines };
}
