// In: a finished run and an empty folder. Out: files of every kind that Rewardbook reads, and the reader of each.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { inRoot } from "../setup/steps.mjs";
import { startTraining } from "./process.mjs";

const require = createRequire(import.meta.url);
const lib = (name) => require(inRoot("dist", "lib", `${name}.js`));
const goldens = (...names) => inRoot("tests", "goldens", ...names);

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

const rows = (count, row) => Array.from({ length: count }, (_, i) => row(i));
const lines = (items) => items.map((item) => `${JSON.stringify(item)}\n`).join("");

/** Pairs in every container and several formats. */
function writePairs(dir) {
  const plain = rows(24, (i) => ({
    prompt: `What is ${i}?`,
    chosen: `It is ${i}.`,
    rejected: `No, ${i + 1}`,
    margin: 1,
    category: "a",
  }));
  const original = readFileSync(goldens("pairs", "preference_pairs.json"), "utf8");
  const csv = `prompt,chosen,rejected\n${plain.map(({ prompt, chosen, rejected }) => `"${prompt}","${chosen} ""so""",${rejected.replace(",", "")}`).join("\n")}\n`;
  const turns = (answer) =>
    `\n\nHuman: Hello there, how are you?\n\nAssistant: Fine.\n\nHuman: And now?\n\nAssistant: ${answer}`;
  const files = {
    "plain.jsonl": lines(plain),
    "plain.json": JSON.stringify(plain, null, 1),
    "plain.csv": csv,
    "plain.jsonl.gz": gzipSync(lines(plain)),
    "plain.csv.gz": gzipSync(csv),
    "preference_pairs.json": original,
    "hh.jsonl": lines(rows(20, (i) => ({ chosen: turns(`Better ${i}`), rejected: turns(`Worse ${i}`) }))),
    "chats.jsonl": lines(
      rows(20, (i) => ({
        prompt: [{ role: "user", content: `Question ${i}` }],
        chosen: [{ role: "assistant", content: `Good ${i}` }],
        rejected: [{ role: "assistant", content: `Bad ${i}` }],
      })),
    ),
    "helpsteer.jsonl": lines(
      rows(20, (i) => ({
        prompt: `Ask ${i >> 1}`,
        response: `Answer ${i}`,
        helpfulness: i % 5,
        correctness: 1,
        coherence: 2,
        complexity: 1,
        verbosity: 1,
      })),
    ),
    "stage3.jsonl": lines(
      rows(20, (i) => ({ input_chosen: `Question ${i} yes`, input_rejected: `Question ${i} no`, label: 1 })),
    ),
  };
  mkdirSync(dir, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(dir, name), content);
  for (const name of readdirSync(goldens("pairs")))
    if (name.endsWith(".parquet")) cpSync(goldens("pairs", name), path.join(dir, name));
}

async function writeSplits(dir) {
  const { splitPairs } = lib("split");
  const { writeSplit } = lib("pairs/writeSplit");
  const { loadPairs } = lib("pairs/read");
  mkdirSync(dir, { recursive: true });
  const { pairs } = await loadPairs(goldens("pairs", "preference_pairs.json"));
  const split = splitPairs(pairs, { train_ratio: 0.6, val_ratio: 0.2, test_ratio: 0.2, seed: 42 });
  await writeSplit(split, { directory: dir, stem: "preference_pairs", container: "json", withTest: true });
}

/** Models as others leave them: no list of checksums beside them. */
function writeForeign(dir, inputs) {
  for (const name of ["encoder", "decoder"]) {
    cpSync(path.join(inputs, name), path.join(dir, name), { recursive: true });
    for (const own of ["manifest.json", "rewardbook.json", "README.md"])
      rmSync(path.join(dir, name, own), { force: true });
  }
  const config = path.join(dir, "decoder", "config.json");
  const asked = { architectures: ["LlamaForSequenceClassification"], num_labels: 1 };
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), ...asked }));
  const template =
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] | trim }}{% if not loop.last %} {% endif %}{% endfor %}";
  writeFileSync(path.join(dir, "decoder", "chat_template.jinja"), template);
}

/** Two heads on one frozen encoder: an ensemble, and what is written of seeds. */
async function trainEnsemble(dir, inputs) {
  mkdirSync(dir, { recursive: true });
  const input = {
    run: "two",
    pairs: path.join(inputs, "pairs.jsonl"),
    model: path.join(inputs, "encoder"),
    seeds: 2,
    freeze: "head-only",
    epochs: 1,
    max_length: 24,
    precision: "f32",
    train_ratio: 0.75,
    val_ratio: 0.25,
    gate: "report",
  };
  const { code, said } = await startTraining(dir, input).ended;
  if (code !== 0) throw new Error(`expected two seeds, got ${code}: ${said}`);
}

function writeCache(dir) {
  const { openEncoderCache } = lib("checkpoints/encoderCache");
  const cache = openEncoderCache({ dir, key: "a".repeat(64), width: 8 });
  for (let i = 0; i < 40; i++) cache.put(String.fromCharCode(i + 1).repeat(32), new Float32Array(8).fill(i + 0.5));
  cache.close();
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

/** The lines that `score`, `evaluate` and `rerank` read beside pairs. */
function writeRows(dir) {
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    path.join(dir, "candidates.jsonl"),
    lines(
      rows(16, (i) => ({
        prompt: `Ask ${i}`,
        candidates: [
          { text: `one ${i}`, quality: 1 },
          { text: `two ${i}`, quality: 0.5 },
        ],
        best: 0,
      })),
    ),
  );
  writeFileSync(
    path.join(dir, "responses.jsonl"),
    lines(rows(16, (i) => ({ prompt: `Ask ${i}`, response: `Say ${i}` }))),
  );
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

const TOKENIZERS = ["wordpiece", "bpe-llama", "bpe-roberta", "bpe-metaspace", "unigram"];

/** Writes files of every kind; `straight` is a run, `inputs` what it was trained with. */
export async function writeKinds(folder, { straight, inputs }) {
  const at = (...names) => path.join(folder, ...names);
  for (const name of ["metrics", "checkpoints"])
    cpSync(path.join(straight.dir, name), at("run", name), { recursive: true });
  writePairs(at("pairs"));
  await writeSplits(at("split"));
  writeForeign(at("foreign"), inputs);
  await trainEnsemble(at("seeds"), inputs);
  writeCache(at("cache"));
  writeRows(at("rows"));
  cpSync(inRoot("presets"), at("presets"), { recursive: true });
  for (const name of TOKENIZERS) cpSync(goldens("text", name), at("text", name), { recursive: true });
}

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
