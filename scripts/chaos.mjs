#!/usr/bin/env node
// Stops trainings in every way that a machine knows and compares what they come to with one that was never stopped: the same bytes of
// weights, optimizer and every log. npm run chaos -- --help lists the flags.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { createChoice } from "./chaos/damages.mjs";
import { checkFullDisk } from "./chaos/fullDisk.mjs";
import { holds, killAtWrites, killAtMoments, stepLogs, stepsIn } from "./chaos/kills.mjs";
import { checkMutations } from "./chaos/mutations.mjs";
import { checkSignals } from "./chaos/signals.mjs";
import { makeInputs, inputOf, VARIANTS } from "./chaos/variants.mjs";
import { startTraining } from "./chaos/process.mjs";

const HELP = `npm run chaos -- [flags]
  --seed N        of the moments, writes and mutations that are chosen (default 1)
  --writes N      writes before which each way of training is stopped (default: all that leave other files to be found)
  --share K/N     the K-th of N shares of those writes, where one call would take too long (default 1/1)
  --moments N     SIGKILLs of each at random moments (default 22)
  --mutations N   damaged files in all, of every kind that is read (default 10000)
  --from N        number of the first of them, to go on where another call ended (default 0)
  --pairs N       pairs of each training (default 28): fewer make shorter runs with fewer writes
  --only TEXT     ways of training whose name contains it
  --parts LIST    of writes, moments, signals, disk, mutations (default: all)
  --short         little of each, as the tests run it`;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    writes: { type: "string" },
    share: { type: "string", default: "1/1" },
    moments: { type: "string" },
    mutations: { type: "string" },
    from: { type: "string", default: "0" },
    pairs: { type: "string", default: "28" },
    only: { type: "string", default: "" },
    parts: { type: "string", default: "writes,moments,signals,disk,mutations" },
    short: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const amount = (name, short, long) => {
  const given = values[name] ?? (values.short ? short : long);
  return given === "all" ? given : Number(given);
};
const [writes, moments, mutations] = [
  amount("writes", 5, "all"),
  amount("moments", 2, 22),
  amount("mutations", 160, 10_000),
];
const share = values.share.split("/").map(Number);
const parts = values.parts.split(",");
const names = Object.keys(VARIANTS).filter((name) => name.includes(values.only));
process.env.CHROMIUM = "/bin/false";
process.env.TF_CPP_MIN_LOG_LEVEL = "3";

const home = mkdtempSync(path.join(tmpdir(), "rewardbook-chaos-"));
const failures = [];
const count = { writes: 0, moments: 0, beginning: 0, mid: 0, finishing: 0, signals: 0, disk: 0, mutations: 0 };

async function attempt(what, run) {
  try {
    await run();
  } catch (error) {
    failures.push(`${what}: ${error.message}`);
    console.log(`  ✗ ${what}: ${error.message}`);
  }
}

/** The run that is never stopped: the writes it made, those before which its files had changed, and how long (ms) its parts took. */
async function straightRun(name, inputs) {
  const dir = path.join(home, name.replaceAll(/\W+/g, "-"), "straight");
  const input = inputOf(name, inputs);
  mkdirSync(dir, { recursive: true });
  const { child, ended } = startTraining(dir, input, { environment: { CHAOS_COUNT: path.join(dir, "count") } });
  let [began, stepped] = [0, 0];
  const watch = setInterval(() => {
    if (began === 0 && holds(dir, input.run, child.pid)) began = Date.now();
    if (stepped === 0 && stepsIn(dir, input.run) > 0) stepped = Date.now();
  }, 2);
  const { code, signal, said } = await ended;
  clearInterval(watch);
  if (code !== 0 || stepped === 0) throw new Error(`expected a training of ${name}, got ${code ?? signal}: ${said}`);
  const stopped = Math.max(...stepLogs(dir, input.run).map((log) => statSync(log).mtimeMs));
  const counted = JSON.parse(readFileSync(path.join(dir, "count"), "utf8"));
  return { dir, ...counted, loading: stepped - began, stepping: stopped - stepped, finishing: Date.now() - stopped };
}

async function main() {
  const inputs = path.join(home, "inputs");
  await makeInputs(inputs, Number(values.pairs));
  const started = performance.now();
  for (const [i, name] of names.entries()) {
    const random = createChoice(Number(values.seed) * 1000 + i);
    const straight = await straightRun(name, inputs);
    const context = { name, inputs, input: inputOf(name, inputs), straight, random, attempt, count, share };
    if (parts.includes("writes")) await killAtWrites(context, writes);
    if (parts.includes("moments")) await killAtMoments(context, moments);
    if (i === 0 && parts.includes("signals")) await checkSignals(context);
    if (i === 0 && parts.includes("disk")) await checkFullDisk(context, values.short ? 1 : Infinity);
    if (i === 0 && parts.includes("mutations")) {
      await checkMutations(context, { from: Number(values.from), to: mutations, seed: Number(values.seed) });
    }
    console.log(`${name}: ${straight.writes} writes; so far ${JSON.stringify(count)}, ${failures.length} failed`);
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(
    `\n${count.writes} stops at a write, ${count.moments} SIGKILLs at random moments ` +
      `(${count.beginning} before the first step, ${count.mid} between steps, ${count.finishing} after the last), ${count.signals} signals, ` +
      `${count.disk} full disks, ${count.mutations} damaged files: ${failures.length} failures, ${seconds} s`,
  );
  for (const failure of failures) console.log(`  ${failure}`);
  if (failures.length === 0) rmSync(home, { recursive: true, force: true });
  else console.log(`kept: ${home}`);
  process.exitCode = failures.length ? 1 : 0;
}

await main();
