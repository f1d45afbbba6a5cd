// In: a run that was never stopped. Out: the same run stopped at its writes and at random moments, gone on with, and compared.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "../setup/steps.mjs";
import { firstDifference } from "./compare.mjs";
import { startTraining, trainToEnd } from "./process.mjs";

const require = createRequire(import.meta.url);
const { trainRewardModel } = require(inRoot("dist", "lib", "training.js"));
const { parseSeeds, trainSeeds } = require(inRoot("dist", "lib", "training", "seeds.js"));

export function requireSame(straight, dir) {
  const difference = firstDifference(straight.dir, dir);
  if (difference)
    throw new Error(`expected the files of the run that was never stopped, got another ${difference} in ${dir}`);
}

/** Goes on with a run in this process: a process a stop would take most of the time to start. */
async function resumeHere(dir, { seeds, ...input }) {
  const back = process.cwd();
  process.chdir(dir);
  try {
    const request = { ...input, resume: true };
    if (seeds === undefined) await trainRewardModel(request);
    else await trainSeeds(request, parseSeeds(String(seeds), input.seed));
  } finally {
    process.chdir(back);
  }
}

/**
 * Which writes to stop before. All: of the writes between two visible changes one, since they differ in a folder that has no name yet
 * and is taken away. Else some by chance, and always those of the run's end.
 */
function choose(random, { writes, changed }, wanted) {
  if (wanted === "all")
    return changed.map((from, i) => from + Math.floor(random() * ((changed[i + 1] ?? writes + 1) - from)));
  const at = new Set([writes - 1, writes].slice(-Math.ceil(wanted / 4)));
  while (at.size < Math.min(wanted, writes)) at.add(1 + Math.floor(random() * writes));
  return [...at].sort((a, b) => a - b);
}

/**
 * Stops before each chosen write: one process keeps what a SIGKILL at each would leave; each is gone on with.
 * Of them the k-th, (k + n)-th … where `share` is `[k, n]`.
 */
export async function killAtWrites({ name, input, straight, random, attempt, count, share }, wanted) {
  const [k, n] = share;
  const dir = path.join(path.dirname(straight.dir), "recorded");
  const snapshots = path.join(dir, "snapshots");
  const at = choose(random, straight, wanted).filter((_, i) => i % n === k - 1);
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

/** Kills of one run before it may end. */
const KILLS_A_RUN = 4;

/** SIGKILLs processes at random moments of their work, up to four a run, lets the last one end, and begins another run. */
export async function killAtMoments(context, wanted) {
  const { name, straight, attempt, count } = context;
  for (let [done, number] = [0, 1]; done < wanted; number++) {
    const dir = path.join(path.dirname(straight.dir), `killed-${number}`);
    const before = count.moments;
    mkdirSync(dir, { recursive: true });
    await attempt(`${name}, killed at random moments, run ${number}`, async () => {
      await killOneRun(context, dir, Math.min(KILLS_A_RUN, wanted - done));
      requireSame(straight, dir);
      rmSync(dir, { recursive: true });
    });
    // A run that fails before its first kill counts too, else this would not end.
    done += Math.max(1, count.moments - before);
  }
}

/**
 * A moment of a process: while it loads, between its steps, or after the last one; each is then as long as it was before.
 * The first two kills of a run come before its end, which would leave no steps to be killed between.
 */
async function randomMoment({ input, straight, random }, { dir, child, early }) {
  const all = stepsIn(straight.dir, input.run);
  const before = stepsIn(dir, input.run);
  const living = () => child.exitCode === null;
  // Until it holds the run a process only reads: from then on its files are at stake.
  while (!holds(dir, input.run, child.pid) && living()) await wait(5);
  const kind = random() * (early ? 0.7 : 1);
  if (kind < 0.2) return wait(random() * straight.loading);
  if (kind < 0.7) {
    while (stepsIn(dir, input.run) <= Math.min(before, all - 1) && living()) await wait(2);
    return wait(random() * straight.stepping);
  }
  while (stepsIn(dir, input.run) < all && living()) await wait(2);
  return wait(random() * straight.finishing);
}

/** Counts the kills that hit, each with what the run was at. */
async function killOneRun(context, dir, wanted) {
  const { input, straight, count } = context;
  for (let i = 0; i < wanted; i++) {
    const extra = existsSync(path.join(dir, "metrics")) ? ["--resume"] : [];
    const { child, ended } = startTraining(dir, input, { extra });
    await randomMoment(context, { dir, child, early: i < 2 });
    child.kill("SIGKILL");
    const { code, signal, said } = await ended;
    if (code === 0) return;
    if (signal !== "SIGKILL") throw new Error(`expected a process that works or is killed, got ${code}: ${said}`);
    const steps = stepsIn(dir, input.run);
    count[steps === 0 ? "beginning" : steps < stepsIn(straight.dir, input.run) ? "mid" : "finishing"]++;
    count.moments++;
  }
  await trainToEnd(dir, input, { extra: ["--resume"] });
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Whether a process has the lock of a run. */
export function holds(dir, run, pid) {
  try {
    return JSON.parse(readFileSync(path.join(dir, "checkpoints", `.${run}.lock`), "utf8")).pid === pid;
  } catch {
    return false; // not there yet, or being written
  }
}

/** Logs of a run's steps: its own, or those of its seeds, of which it gets a copy at its end. */
export function stepLogs(dir, run) {
  const metrics = path.join(dir, "metrics");
  const names = existsSync(metrics) ? readdirSync(metrics) : [];
  const seeds = names.filter((name) => name.startsWith(`${run}-seed`));
  const logs = (seeds.length > 0 ? seeds : [run]).map((name) => path.join(metrics, name, "train_steps.jsonl"));
  return logs.filter((log) => existsSync(log));
}

/** Steps that the logs of a run tell of. */
export const stepsIn = (dir, run) =>
  stepLogs(dir, run).reduce((sum, log) => sum + readFileSync(log, "utf8").split("\n").length - 1, 0);

export const copyRun = (from, to) => {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const dir of ["metrics", "checkpoints"]) cpSync(path.join(from, dir), path.join(to, dir), { recursive: true });
};
