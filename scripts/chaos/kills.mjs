// In: a run that was never stopped. Out: the same run stopped at its writes and at random moments, gone on with, and compared.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "../setup/steps.mjs";
import { firstDifference } from "./compare.mjs";
import { startTraining, trainToEnd } from "./process.mjs";

const require = createRequire(import.meta.url);
const { trainRewardModel } = require(inRoot("dist", "lib", "training.js"));

export function requireSame(straight, dir) {
  const difference = firstDifference(straight.dir, dir);
  if (difference)
    throw new Error(`expected the files of the run that was never stopped, got another ${difference} in ${dir}`);
}

/** Goes on with a run in this process: a process a stop would take most of the time to start. */
async function resumeHere(dir, input) {
  const back = process.cwd();
  process.chdir(dir);
  try {
    await trainRewardModel({ ...input, resume: true });
  } finally {
    process.chdir(back);
  }
}

/** Writes of the run, spread over it by chance; those of its end are always among them. */
function choose(random, writes, wanted) {
  const last = [writes - 1, writes].slice(-Math.ceil(wanted / 4));
  const at = new Set(last);
  while (at.size < Math.min(wanted, writes)) at.add(1 + Math.floor(random() * writes));
  return [...at].sort((a, b) => a - b);
}

/** Stops before each chosen write: one process keeps what a SIGKILL at each would leave; each is gone on with. */
export async function killAtWrites({ name, input, straight, random, attempt, count }, wanted) {
  const dir = path.join(path.dirname(straight.dir), "recorded");
  const snapshots = path.join(dir, "snapshots");
  const at = choose(random, straight.writes, wanted);
  mkdirSync(snapshots, { recursive: true });
  for (const number of at) mkdirSync(path.join(snapshots, String(number)));
  await attempt(`${name}, recorded`, () =>
    trainToEnd(dir, input, { environment: { CHAOS_SNAPSHOTS: snapshots, CHAOS_AT: at.join(",") } }),
  );
  await attempt(`${name}, repeated`, () => requireSame(straight, dir));
  for (const number of at) {
    const stopped = path.join(snapshots, String(number));
    // The process that held the lock lives no longer.
    await attempt(`${name}, stopped before write ${number} of ${straight.writes}`, async () => {
      await resumeHere(stopped, input);
      requireSame(straight, stopped);
      rmSync(stopped, { recursive: true });
    });
    count.writes++;
  }
}

/** SIGKILLs a process at random moments, again and again, and lets the last one end. */
export async function killAtMoments({ name, input, straight, random, attempt, count }, wanted) {
  const dir = path.join(path.dirname(straight.dir), "killed");
  mkdirSync(dir, { recursive: true });
  await attempt(`${name}, killed at ${wanted} random moments`, async () => {
    for (let i = 0; i < wanted; i++) {
      const { child, ended } = startTraining(dir, input, {
        extra: existsSync(path.join(dir, "metrics")) ? ["--resume"] : [],
      });
      // Until the log begins a process only loads: from then on its files are at stake.
      const until = performance.now() + straight.ms;
      while (!hasBegun(dir, input.run) && performance.now() < until && child.exitCode === null) await wait(20);
      await wait(random() * straight.ms * 0.4);
      child.kill("SIGKILL");
      await ended;
      count.moments++;
    }
    await trainToEnd(dir, input, { extra: ["--resume"] });
    requireSame(straight, dir);
  });
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const hasBegun = (dir, run) => {
  const log = path.join(dir, "metrics", run);
  return existsSync(log) && readdirSync(log).includes("train_steps.jsonl");
};

export const copyRun = (from, to) => {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const dir of ["metrics", "checkpoints"]) cpSync(path.join(from, dir), path.join(to, dir), { recursive: true });
};
