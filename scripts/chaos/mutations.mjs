// In: a run. Out: files of every kind damaged one at a time; whoever reads them must name the file, or find nothing wrong and give the same.
import { spawn } from "node:child_process";
import path from "node:path";
import { createInterface } from "node:readline";
import { inRoot } from "../setup/steps.mjs";
import { writeKinds } from "./kindFiles.mjs";

/** Nothing that is read here is large. */
const LIMIT_MS = 120_000;
const TOLD = 500;

/**
 * Mutations from a number on, in processes of their own; one that dies or hangs is a failure, and another goes on behind it.
 *
 * The same numbers are the same damage.
 */
export async function checkMutations({ input, inputs, straight, attempt, count }, { from, to, seed }) {
  const home = path.dirname(straight.dir);
  const sound = path.join(home, "sound");
  await writeKinds(sound, { straight, inputs });
  for (let next = from; next < to;) {
    const words = [sound, path.join(home, "damaged"), input.run, seed, next, to].map(String);
    next = await watchWorker(words, async ({ number, what, made, wrong }) => {
      if (made) count.mutations++;
      if (wrong) await attempt(what, () => Promise.reject(new Error(wrong)));
      if ((number + 1) % TOLD === 0)
        console.log(`  ${number + 1} mutations; go on from here with --from ${number + 1}`);
    });
  }
}

/** @returns the number of the mutation that comes after the last one */
async function watchWorker(words, onDone) {
  const child = spawn(process.execPath, [inRoot("scripts", "chaos", "mutationWorker.mjs"), ...words], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (text) => (said = (said + text).slice(-1500)));
  const ended = new Promise((resolve) => child.on("close", (code, signal) => resolve(code ?? signal)));
  let timer;
  let last = null;
  const begin = () => {
    clearTimeout(timer);
    timer = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  };
  begin();
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith("@ ")) continue;
    begin();
    last = JSON.parse(line.slice(2));
    if (last.done) await onDone(last);
  }
  const code = await ended;
  clearTimeout(timer);
  if (last === null) throw new Error(`expected a process that damages files, got ${code}: ${said}`);
  if (!last.done) await onDone({ ...last, made: true, wrong: `the reader ended with ${code} or did not end: ${said}` });
  return last.number + 1;
}
