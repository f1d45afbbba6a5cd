// In: a run. Out: its files damaged one at a time; whoever reads them must name the file, or find nothing wrong and give the same.
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "../setup/steps.mjs";
import { copyRun } from "./kills.mjs";

const require = createRequire(import.meta.url);
const lib = (name) => require(inRoot("dist", "lib", `${name}.js`));

/** Ways in which a file is damaged; each gives bytes that differ from the ones it gets, or null where it cannot. */
const DAMAGES = {
  "a bit flipped": (bytes, random) => {
    if (!bytes.length) return null;
    const copy = Buffer.from(bytes);
    copy[Math.floor(random() * copy.length)] ^= 1 << Math.floor(random() * 8);
    return copy;
  },
  "cut off": (bytes, random) => (bytes.length ? bytes.subarray(0, Math.floor(random() * bytes.length)) : null),
  "zeroes in it": (bytes, random) => {
    const copy = Buffer.from(bytes);
    const from = Math.floor(random() * copy.length);
    copy.fill(0, from, Math.min(from + 512, copy.length));
    return copy.equals(bytes) ? null : copy;
  },
  "a piece twice": (bytes, random) => {
    const from = Math.floor(random() * bytes.length);
    return bytes.length ? Buffer.concat([bytes.subarray(0, from + 1), bytes.subarray(from)]) : null;
  },
  emptied: (bytes) => (bytes.length ? Buffer.alloc(0) : null),
  removed: () => "removed",
};

/** Files that somebody reads again: of a checkpoint those that its list of checksums names, and the list. */
function filesIn(root, dir) {
  const list = path.join(root, dir, "manifest.json");
  if (existsSync(list))
    return ["manifest.json", ...Object.keys(JSON.parse(readFileSync(list, "utf8")).files)].map((name) =>
      path.join(dir, name),
    );
  return readdirSync(path.join(root, dir), { recursive: true })
    .map((name) => path.join(dir, name))
    .filter((name) => statSync(path.join(root, name)).isFile() && !name.endsWith(".png"));
}

/**
 * Readers of what a run leaves: each throws, or returns what must then be as it was.
 *
 * @returns {[folder: string, read: () => Promise<unknown>][]}
 */
function readersOf(dir, input) {
  const { InputError } = lib("errors");
  const { findStates } = lib("training/checkpoints");
  const { verifyCheckpoint } = lib("checkpoints/checkpoint");
  const { readRun } = lib("runs/runFiles");
  const run = input.run;
  const here = (read) => async () => {
    const back = process.cwd();
    process.chdir(dir);
    try {
      return await read();
    } finally {
      process.chdir(back);
    }
  };
  return [
    // A damaged state is passed over for the one before it, and named.
    [
      path.join("checkpoints", run, "last"),
      here(async () => {
        const { newest, damaged } = await findStates(run);
        if (damaged.length) throw new InputError(damaged.map(({ dir: at, why }) => `${at}: ${why}`).join());
        return newest;
      }),
    ],
    [
      path.join("checkpoints", run, "best"),
      here(async () => {
        const why = await verifyCheckpoint(path.join("checkpoints", run, "best"));
        if (why) throw new InputError(why);
        return "whole";
      }),
    ],
    // A log carries no checksum: it reads, or the reader names file and line.
    [
      path.join("metrics", run),
      here(async () => {
        readRun(path.join("metrics", run));
        return null;
      }),
    ],
  ];
}

export async function checkMutations({ name, input, straight, random, attempt, count }, wanted) {
  const { InputError } = lib("errors");
  const dir = path.join(path.dirname(straight.dir), "damaged");
  copyRun(straight.dir, dir);
  const readers = readersOf(dir, input);
  const kept = path.join(path.dirname(dir), "kept");
  for (let i = 0; i < wanted; i++) {
    const [folder, read] = readers[i % readers.length];
    const files = filesIn(dir, folder);
    const file = path.join(dir, files[Math.floor(random() * files.length)]);
    const kinds = Object.keys(DAMAGES);
    const kind = kinds[Math.floor(random() * kinds.length)];
    const bytes = readFileSync(file);
    const damaged = DAMAGES[kind](bytes, random);
    if (damaged === null) continue;
    const listed = path.basename(file) === "manifest.json";
    copyFileSync(file, kept);
    if (damaged === "removed") rmSync(file);
    else writeFileSync(file, damaged);
    await attempt(`${name}, ${path.relative(dir, file)} ${kind} (number ${i})`, async () => {
      let found = null;
      try {
        found = await read();
      } catch (error) {
        if (!(error instanceof InputError)) throw new Error(`expected an error of the input, got ${error.stack}`);
        const shown = path.basename(file);
        // A damaged list of checksums shows as a file that does not fit it.
        if (!listed && !error.message.includes(shown) && !error.message.includes("manifest.json"))
          throw new Error(`expected an error that names ${shown}, got ${error.message}`);
        return;
      }
      if (found !== null && !listed) throw new Error("expected the damage to be found, got none");
    });
    copyFileSync(kept, file);
    count.mutations++;
  }
}
