// Preloaded into a training (node --require). Counts the writes to the run's folders, and before those of the numbers asked for
// keeps what a SIGKILL there would leave: the folders as they are. At one of them it may send the process a signal.
// On request it tells before which writes the files that have a name to go by are others than before the last one.
"use strict";
const fs = require("node:fs");
const path = require("node:path");

const { CHAOS_SIGNAL, CHAOS_SIGNAL_AT, CHAOS_SNAPSHOTS, CHAOS_AT, CHAOS_COUNT } = process.env;
const root = process.cwd();
const own = ["metrics", "checkpoints"].map((name) => path.join(root, name));
const wanted = new Set((CHAOS_AT ?? "").split(",").filter(Boolean).map(Number));
const original = { ...fs };
let seen = 0;
let busy = false;
/** Writes before which something visible has changed. */
const changed = [];
let before = "";

const isOwn = (name) =>
  typeof name === "string" &&
  own.some((dir) => path.resolve(name) === dir || path.resolve(name).startsWith(dir + path.sep));

/** Weights are written once, in hidden folders: outside of these a link is as good as a copy. */
function keep(from, to) {
  if (original.statSync(from).isDirectory()) {
    original.mkdirSync(to, { recursive: true });
    for (const name of original.readdirSync(from)) keep(path.join(from, name), path.join(to, name));
  } else if (from.endsWith(".safetensors") && !from.includes(`${path.sep}.`)) original.linkSync(from, to);
  else original.copyFileSync(from, to);
}

/** All files by size, time and place on the disk, but those in hidden folders: they are made there and renamed when whole. */
function visible(dir) {
  return original.readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(dir, entry.name);
    if (entry.isDirectory()) return entry.name.startsWith(".") ? [name] : [name, ...visible(name)];
    const { ino, size, mtimeNs } = original.statSync(name, { bigint: true });
    return [`${name} ${ino} ${size} ${mtimeNs}`];
  });
}

function noteChange() {
  const now = own.flatMap((dir) => (original.existsSync(dir) ? visible(dir) : [])).join("\n");
  if (now !== before) changed.push(seen);
  before = now;
}

function boundary() {
  if (busy) return;
  seen++;
  if (CHAOS_COUNT) noteChange();
  if (Number(CHAOS_SIGNAL_AT) === seen) process.kill(process.pid, CHAOS_SIGNAL);
  if (!wanted.has(seen)) return;
  busy = true;
  for (const dir of own)
    if (original.existsSync(dir)) keep(dir, path.join(CHAOS_SNAPSHOTS, String(seen), path.basename(dir)));
  busy = false;
}

/** Calls that change what lies at a path; of two paths either counts. */
const CHANGES = ["appendFile", "copyFile", "link", "mkdir", "rename", "rm", "truncate", "unlink", "writeFile"];
for (const name of CHANGES) {
  for (const [holder, key] of [
    [fs, `${name}Sync`],
    [fs.promises, name],
  ]) {
    const call = holder[key];
    holder[key] = function (...args) {
      if (args.slice(0, 2).some(isOwn)) boundary();
      return call.apply(this, args);
    };
  }
}
/** Files opened for writing, and each write to them. */
const openSync = fs.openSync;
fs.openSync = function (name, flags, ...rest) {
  if (isOwn(name) && flags !== undefined && flags !== "r") boundary();
  return openSync.call(this, name, flags, ...rest);
};
const open = fs.promises.open;
fs.promises.open = async function (name, flags, ...rest) {
  const writes = isOwn(name) && flags !== undefined && flags !== "r";
  if (writes) boundary();
  const handle = await open.call(this, name, flags, ...rest);
  if (writes) {
    for (const key of ["write", "writeFile"]) {
      const call = handle[key];
      handle[key] = function (...args) {
        boundary();
        return call.apply(this, args);
      };
    }
  }
  return handle;
};
process.on("exit", () => {
  if (CHAOS_COUNT) original.writeFileSync(CHAOS_COUNT, JSON.stringify({ writes: seen, changed }));
});
