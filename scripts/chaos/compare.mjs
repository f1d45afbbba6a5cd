// In: the folders of two runs. Out: the first file in which they differ, but for clocks and memory; null where there is none.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import path from "node:path";

/** What a clock or the machine's load decides, by key. */
const TIMING =
  /"(ts|train_seconds|tokens_per_second|train_pairs_per_second|train_tokens_per_second|score_pairs_per_second|peak_memory_mb)":\s*[^,}\n]+/g;
/** A way back that depends on where a run was stopped; what names hashes of files with clocks in them; versions; pictures. */
const LEFT_OUT = /^checkpoints\/[^/]+\/last-(previous|damaged)(\/|$)|manifest\.json$|environment\.json$|\.png$/;
/** Bytes of logs with clocks in them. */
const LENGTHS = /"logs":\s*\{[^}]*\}/;
/** How the run was called. */
const CALLED = /"(resume|overwrite)":\s*(true|false)/g;

function filesOf(root) {
  return ["metrics", "checkpoints"]
    .filter((dir) => existsSync(path.join(root, dir)))
    .flatMap((dir) => readdirSync(path.join(root, dir), { recursive: true }).map((name) => path.join(dir, name)))
    .filter((name) => !LEFT_OUT.test(name) && statSync(path.join(root, name)).isFile())
    .sort();
}

const content = (file) => {
  const bytes = readFileSync(file);
  return file.endsWith(".safetensors")
    ? bytes.toString("base64")
    : bytes.toString("utf8").replace(TIMING, "").replace(CALLED, "").replace(LENGTHS, "");
};

export function firstDifference(expected, got) {
  const [left, right] = [filesOf(expected), filesOf(got)];
  const only = left.find((name) => !right.includes(name)) ?? right.find((name) => !left.includes(name));
  if (only) return `${only} is in one of them only`;
  return left.find((name) => content(path.join(expected, name)) !== content(path.join(got, name))) ?? null;
}
