// In: a list of steps that need one another. Out: all of them done, in parallel where they may be, a line each.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
export const inRoot = (...parts) => path.join(root, ...parts);

/**
 * @typedef {object} Step
 * @property {string} name
 * @property {string[]} needs names of steps that come before
 * @property {() => string} inputs what it is made from, as a hash
 * @property {string[]} outputs what it makes
 * @property {() => any} [takeOver] whether outputs that stand already will do
 * @property {() => any} run makes the outputs; may return a word about them
 * @property {boolean} [optional] without it the rest goes on
 */

/** What went wrong in a step and what to do about it. */
export class StepError extends Error {
  constructor(cause, remedy) {
    super(cause);
    this.remedy = remedy;
  }
}

/**
 * Runs a program silently; its output shows only in the error.
 *
 * @throws StepError with the last lines of the output and the caller's remedy
 */
export function command(program, args, { cwd = root, env = {}, remedy = "run the command by hand to see more" } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => (stdout += chunk));
    child.stderr.on("data", (chunk) => (stderr += chunk));
    const failed = (why) => {
      const lines = `${stderr}\n${stdout}`.split("\n").filter((line) => line.trim() && !/notice|npm warn/i.test(line));
      const shown = lines.length > 12 ? [...lines.slice(0, 4), "…", ...lines.slice(-7)] : lines;
      reject(
        new StepError(
          [`${path.basename(program)} ${args.slice(0, 3).join(" ")} ${why}`, ...shown].join("\n    "),
          remedy,
        ),
      );
    };
    child.on("error", (error) => failed(`could not start: ${error.message}`));
    child.on("close", (code, signal) => (code === 0 ? resolve(stdout) : failed(`ended with ${signal ?? code}`)));
  });
}

/** SHA-256 over texts, in order. */
export function digest(parts) {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

const stampFile = (step) => inRoot(".cache", "setup", `${step.name.replaceAll(/\W+/g, "-")}.stamp`);

/** A step is in place when its outputs exist and were made from the same inputs. */
export function isInPlace(step) {
  if (!step.outputs.every((output) => existsSync(inRoot(output)))) return false;
  const stamp = stampFile(step);
  return existsSync(stamp) && readFileSync(stamp, "utf8") === step.inputs();
}

/** Notes that a step's outputs come from its present inputs. */
export function writeStamp(step) {
  mkdirSync(path.dirname(stampFile(step)), { recursive: true });
  writeFileSync(stampFile(step), step.inputs());
}

/**
 * Runs the steps: `{name, needs: names, inputs(): hash, outputs: paths, takeOver?(): boolean, run(): note?, optional?}`.
 *
 * A step without `outputs` runs each time. An optional step that fails costs a warning; what needs it is left out.
 *
 * @returns the names of the steps that failed, were left out, or warned
 */
export async function runSteps(steps, log = console.log) {
  const results = new Map();
  const report = (mark, step, started, note = "") => {
    const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
    log(`  ${mark} ${`${step.name}${note ? `: ${note}` : ""}`.padEnd(70)} ${seconds} s`);
  };
  const runOne = async (step) => {
    const needs = await Promise.all(step.needs.map((name) => results.get(name)));
    const started = Date.now();
    if (!needs.every((need) => need === "done"))
      return needs.includes("failed") && !step.optional ? "failed" : "skipped";
    try {
      if (isInPlace(step)) return "done";
      const taken = step.outputs.every((output) => existsSync(inRoot(output))) && (await step.takeOver?.());
      const note = taken ? "already there" : await step.run();
      writeStamp(step);
      report("✓", step, started, note || "");
      return "done";
    } catch (error) {
      report(step.optional ? "!" : "✗", step, started, step.optional ? "left out" : "failed");
      log(`    cause: ${error.message}`);
      log(`    remedy: ${error.remedy ?? "this is our fault; please report it with the lines above"}`);
      if (!(error instanceof StepError)) log(String(error.stack));
      return step.optional ? "skipped" : "failed";
    }
  };
  for (const step of steps) results.set(step.name, runOne(step));
  const outcome = new Map();
  for (const step of steps) outcome.set(step.name, await results.get(step.name));
  return outcome;
}

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** Runs `work` while no other set-up of this project runs; the lock of a process that died is taken over. */
export async function withLock(work, log = console.log) {
  const lock = inRoot(".cache", "setup.lock");
  mkdirSync(path.dirname(lock), { recursive: true });
  for (let told = false; ;) {
    try {
      const file = openSync(lock, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = Number(existsSync(lock) ? readFileSync(lock, "utf8") : 0);
    if (owner && !alive(owner)) rmSync(lock, { force: true });
    else {
      if (!told) log(`  … another set-up of this folder is running (process ${owner}); waiting for it`);
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
  const release = () => rmSync(lock, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}
