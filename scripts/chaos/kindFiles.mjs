// In: a finished run and an empty folder. Out: files of every kind that Rewardbook reads, to be damaged.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { inRoot } from "../setup/steps.mjs";
import { startTraining } from "./process.mjs";

const require = createRequire(import.meta.url);
const lib = (name) => require(inRoot("dist", "lib", `${name}.js`));
const goldens = (...names) => inRoot("tests", "goldens", ...names);

export const TOKENIZERS = ["wordpiece", "bpe-llama", "bpe-roberta", "bpe-metaspace", "unigram"];

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
