// In: the files of every kind that Rewardbook reads. Out: which of them are damaged, and the reader of each.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "../setup/steps.mjs";
import { TOKENIZERS } from "./kindFiles.mjs";

const require = createRequire(import.meta.url);
const lib = (name) => require(inRoot("dist", "lib", `${name}.js`));

/**
 * @typedef {object} Kind
 * @property {string} dir folder whose files are damaged
 * @property {(name: string) => boolean} [only] which of them; default all
 * @property {(dir: string, file: string) => unknown} read throws, or returns what was read as far as it must not change
 * @property {"throw" | "same"} [must] damage must be found, or what is read be the same: checksums cover the files
 */

const TEXTS = [
  { prompt: "question 1?", response: "the the no 1" },
  { prompt: "question 2?", response: "no the" },
];
const round = (numbers) => Array.from(numbers, (number) => Number(number.toPrecision(6)));

/** Scores of two texts by a model or an ensemble. */
async function scoresOf(dir) {
  const { openScoring } = lib("scoring/members");
  const scoring = await openScoring(dir);
  try {
    return (await scoring.scoreTexts(TEXTS, { precision: "f32" })).map(round);
  } finally {
    scoring.dispose();
  }
}

async function readPairsTwice(file) {
  const { loadPairs } = lib("pairs/read");
  const { checkPairs } = lib("check/check");
  const { checkHtml } = lib("report/pages/check");
  const { report } = await checkPairs(file);
  checkHtml(report);
  await loadPairs(file);
  return null;
}

/** A run's folder is read from above it. */
async function within(dir, work) {
  const back = process.cwd();
  process.chdir(dir);
  try {
    return await work();
  } finally {
    process.chdir(back);
  }
}

function readCache(dir) {
  const { openEncoderCache } = lib("checkpoints/encoderCache");
  const cache = openEncoderCache({ dir, key: "a".repeat(64), width: 8 });
  try {
    for (let i = 0; i < 40; i++) {
      const row = cache.row(String.fromCharCode(i + 1).repeat(32));
      if (row === undefined) continue;
      const vector = new Float32Array(8);
      cache.read([row], vector);
      if (vector.some((number) => number !== i + 0.5)) throw new Error(`vector ${i} is ${vector}`);
    }
    return null;
  } finally {
    cache.close();
  }
}

async function readRows(_dir, file) {
  if (path.basename(file) === "candidates.jsonl") await lib("reranking/rerankRows").readRerankRows(file);
  else if ((await lib("pairs/responses").readResponses(file)) === null) await lib("pairs/read").loadPairs(file);
  for await (const _prompt of lib("pairs/prompts").readPrompts(file));
  return null;
}

const readLogs = async (dir) => {
  const { readRun, readScoreLines } = lib("runs/runFiles");
  const run = readRun(dir);
  const scores = path.join(dir, "val_scores.jsonl");
  if (statSync(scores, { throwIfNoEntry: false })) readScoreLines(scores);
  lib("report/pages/report").reportHtml(run);
  return null;
};

async function readTokenizer(dir) {
  const tokenizer = lib("text/tokenizer").openTokenizer(dir);
  const how = { template: "{prompt} {response}", maxLength: 24, truncation: "right" };
  for (const { ids } of await tokenizer.encode(TEXTS, how))
    if (ids.length > 24) throw new Error(`expected at most 24 ids, got ${ids.length}`);
  return null;
}

const isTokenizerFile = (name) => /^(tokenizer|special_tokens|chat_template|vocab|merges)/.test(name);

/** @returns {Record<string, Kind>} what `writeKinds` wrote, by what it is */
export function kindsIn(folder, run) {
  const at = (...names) => path.join(folder, ...names);
  const { findStates } = lib("training/checkpoints");
  const { InputError } = lib("errors");
  const model = (dir) => scoresOf(dir);
  const listed = (dir) => {
    const { files } = JSON.parse(readFileSync(path.join(dir, "manifest.json"), "utf8"));
    return (name) => name === "manifest.json" || name in files;
  };
  const last = at("run", "checkpoints", run, "last");
  const best = at("run", "checkpoints", run, "best");
  return {
    state: {
      dir: last,
      only: listed(last),
      must: "throw",
      // A damaged state is passed over for the one before it, and named.
      read: () =>
        within(at("run"), async () => {
          const { newest, damaged } = await findStates(run);
          if (damaged.length) throw new InputError(damaged.map(({ dir, why }) => `${dir}: ${why}`).join());
          return newest;
        }),
    },
    checkpoint: { dir: best, only: lib("checkpoints/verify").decidesScores, must: "throw", read: model },
    "list of checksums": { dir: best, only: (name) => name === "manifest.json", must: "same", read: model },
    "encoder of others": { dir: at("foreign", "encoder"), read: model },
    "decoder of others": { dir: at("foreign", "decoder"), read: model },
    ensemble: {
      dir: at("seeds", "checkpoints", "two", "ensemble"),
      must: "same",
      only: (name) => /^(ensemble\.json|heads\.safetensors)$/.test(name),
      read: model,
    },
    "seeds of a run": {
      dir: at("seeds", "metrics", "two"),
      only: (name) => /\.(json|jsonl|csv)$/.test(name),
      read: readLogs,
    },
    logs: { dir: at("run", "metrics", run), only: (name) => !name.endsWith(".png"), read: readLogs },
    pairs: { dir: at("pairs"), only: (name) => !name.endsWith(".parquet"), read: (_dir, file) => readPairsTwice(file) },
    parquet: {
      dir: at("pairs"),
      only: (name) => name.endsWith(".parquet"),
      read: (_dir, file) => readPairsTwice(file),
    },
    split: {
      dir: at("split"),
      only: (name) => !name.endsWith("stats.json"),
      read: (_dir, file) => readPairsTwice(file),
    },
    rows: { dir: at("rows"), read: readRows },
    ...Object.fromEntries(
      TOKENIZERS.map((name) => [
        `tokenizer, ${name}`,
        { dir: at("text", name), only: isTokenizerFile, read: readTokenizer },
      ]),
    ),
    presets: {
      dir: at("presets"),
      read: (dir, file) => lib("config").readPreset(path.basename(file, ".json"), dir) && null,
    },
    "encoder cache": { dir: at("cache"), only: (name) => name.endsWith(".vectors"), must: "same", read: readCache },
  };
}

/** The files of a kind, sorted. @param {Kind} kind */
export function filesOf({ dir, only }) {
  return readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(path.join(dir, name)).isFile() && (only?.(name) ?? true))
    .sort();
}
