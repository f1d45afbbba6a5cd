// In: a folder of sound files, one to damage them in, numbers of mutations. Out: a line before and after each, for who watches: a crash or
// a loop without end is this process's, not the watcher's.
import { copyFileSync, cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "../setup/steps.mjs";
import { createChoice, DAMAGES } from "./damages.mjs";
import { filesOf, kindsIn } from "./fileKinds.mjs";

const require = createRequire(import.meta.url);
const { InputError, UsageError } = require(inRoot("dist", "lib", "errors.js"));
const [sound, folder, run, seed, from, to] = process.argv.slice(2);
const tell = (message) => process.stdout.write(`\n@ ${JSON.stringify(message)}\n`);

/** @returns what is wrong with how the damage was met; null where nothing is */
async function judge({ kind, file, how, expected }) {
  let got;
  try {
    got = await kind.read(kind.dir, path.join(kind.dir, file));
  } catch (error) {
    if (!(error instanceof InputError || error instanceof UsageError))
      return `not an error of the input: ${error?.stack ?? error}`;
    const gone = how === "removed" ? [kind.dir, path.parse(file).name] : [];
    // What is wrong with a list of checksums shows as a file of its folder that does not fit it.
    const listed = file === "manifest.json" ? [path.basename(kind.dir)] : kind.must ? ["manifest.json"] : [];
    // Weights that are numbers, but make none of a score: any of them may be at fault.
    const names = [path.basename(file), ...listed, ...gone, `${kind.dir}: expected a finite score`];
    return names.some((name) => error.message.includes(name)) ? null : `does not name ${names[0]}: ${error.message}`;
  }
  if (kind.must === "throw") return "the damage was not found";
  return kind.must === "same" && JSON.stringify(got) !== expected
    ? `gives ${JSON.stringify(got)}, not ${expected}`
    : null;
}

rmSync(folder, { recursive: true, force: true });
cpSync(sound, folder, { recursive: true });
const kinds = Object.entries(kindsIn(folder, run)).map(([name, kind]) => ({ name, kind, files: filesOf(kind) }));
const expected = new Map();
for (const { name, kind, files } of kinds)
  if (kind.must === "same")
    expected.set(name, JSON.stringify(await kind.read(kind.dir, path.join(kind.dir, files[0]))));
for (let number = Number(from); number < Number(to); number++) {
  const random = createChoice(Number(seed) * 1_000_003 + number * 7919);
  const { name, kind, files } = kinds[number % kinds.length];
  const file = files[Math.floor(random() * files.length)];
  const ways = Object.keys(DAMAGES);
  const how = ways[Math.floor(random() * ways.length)];
  const target = path.join(kind.dir, file);
  const whole = path.join(sound, path.relative(folder, target));
  const damaged = DAMAGES[how](readFileSync(whole), random);
  const what = `${name}: ${file} ${how} (number ${number})`;
  tell({ number, what });
  let wrong = null;
  if (damaged !== null) {
    if (damaged === "removed") rmSync(target);
    else writeFileSync(target, damaged);
    wrong = await judge({ kind, file, how, expected: expected.get(name) });
    copyFileSync(whole, target);
  }
  tell({ number, what, done: true, made: damaged !== null, wrong });
}
