// In: a folder. Out: tiny models and pairs in it, and the ways of training whose runs are stopped and compared.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { inRoot } from "../setup/steps.mjs";

const require = createRequire(import.meta.url);
const lib = (name) => require(inRoot("dist", "lib", `${name}.js`));

const SHARED = { vocab_size: 500, hidden_size: 32, intermediate_size: 64, num_attention_heads: 4, pad_token_id: 0 };
const MODELS = {
  encoder: {
    ...SHARED,
    model_type: "bert",
    architectures: ["BertModel"],
    num_hidden_layers: 2,
    max_position_embeddings: 64,
    type_vocab_size: 2,
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
  },
  decoder: {
    ...SHARED,
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    num_hidden_layers: 2,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-6,
    attention_dropout: 0.1,
  },
};

/** Flags of `rewardbook train` beside those of all; `seeds` trains so many and their ensemble. */
export const VARIANTS = {
  "encoder, dropout, accumulation": { model: "encoder", dropout: true, gradient_accumulation: 2, batch_size: 2 },
  "encoder, bf16, step limit": { model: "encoder", precision: "bf16", max_steps: 8, eval_steps: 3 },
  "encoder, LoRA, dropout": { model: "encoder", lora_rank: 2, lora_dropout: 0.1, dropout: true },
  "encoder, frozen": { model: "encoder", freeze: "head-only" },
  "encoder, early stopping": { model: "encoder", epochs: 4, patience: 1, learning_rate: 1e-9 },
  "encoder, gradual": { model: "encoder", freeze: "gradual", epochs: 3 },
  "encoder, seeds": { model: "encoder", seeds: 2, epochs: 1 },
  "encoder, frozen, seeds": { model: "encoder", seeds: 2, epochs: 1, freeze: "head-only" },
  "decoder, accumulation": { model: "decoder", gradient_accumulation: 2, batch_size: 2 },
  "decoder, bf16, dropout": { model: "decoder", precision: "bf16", dropout: true, save_steps: 3 },
  "decoder, bf16, LoRA": { model: "decoder", precision: "bf16", lora_rank: 2 },
  "decoder, shared head": { model: "decoder", architecture: "shared", freeze: "head-only" },
};
export const COMMON = {
  run: "chaos",
  seed: 42,
  pairs: "pairs.jsonl",
  max_length: 24,
  epochs: 2,
  batch_size: 4,
  learning_rate: 3e-3,
  precision: "f32",
  train_ratio: 0.75,
  val_ratio: 0.25,
  patience: 0,
  save_steps: 2,
  gate: "report",
};

/** Writes models and pairs; the decoder is a random one, too. */
export async function makeInputs(folder, pairs = 28) {
  const { createRandom } = lib("random");
  const { parseModelConfig } = lib("models/config");
  const { parameterShapes } = lib("models/rewardModel");
  const { createRewardModel } = lib("models/createModel");
  const { saveRewardModel } = lib("checkpoints/checkpoint");
  const { openTokenizer } = lib("text/tokenizer");
  await lib("engine/backend").initBackend();
  mkdirSync(folder, { recursive: true });
  for (const [name, config] of Object.entries(MODELS)) {
    const random = createRandom(11);
    const parsed = parseModelConfig(config, name);
    const tensors = [...parameterShapes(parsed)].map(([parameter, shape]) => {
      const centre = /norm(\.weight)?$|layernorm\.weight$/i.test(parameter) ? 1 : 0;
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1)).map(() => centre + 0.1 * random.normal());
      return /** @type {const} */ ([parameter, { shape, data }]);
    });
    const model = createRewardModel(parsed, new Map(tensors));
    const settings = { template: "{prompt} {response}", max_length: 24, truncation: "right" };
    const tokenizer = openTokenizer(inRoot("tests", "goldens", "text", "wordpiece"));
    const dir = path.join(folder, name);
    await saveRewardModel(dir, { loaded: { model, tokenizer }, settings });
    model.dispose();
    if (name === "decoder") await callItLanguageModel(dir);
  }
  const random = createRandom(3);
  const answer = (good) =>
    Array.from({ length: 2 + random.integer(6) }, () => (random.next() < (good ? 0.9 : 0.1) ? "the" : "no")).join(" ");
  const rows = Array.from({ length: pairs }, (_, i) => ({
    question_id: `q${i}`,
    prompt: `question ${i}?`,
    chosen: `${answer(true)} ${i}`,
    rejected: `${answer(false)} ${i}`,
    risk_level: i % 3 ? "Low" : "High",
  }));
  writeFileSync(path.join(folder, "pairs.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
}

/** A shared trunk is a policy's: its directory says so. */
async function callItLanguageModel(dir) {
  const file = path.join(dir, "config.json");
  const config = JSON.parse(readFileSync(file, "utf8"));
  writeFileSync(file, JSON.stringify({ ...config, architectures: ["LlamaForCausalLM"] }));
  await lib("files/atomic").writeManifest(dir);
}

/** The configuration of a variant, its files under `inputs`. */
export function inputOf(name, inputs) {
  const { model, ...rest } = VARIANTS[name];
  return { ...COMMON, ...rest, model: path.join(inputs, model), pairs: path.join(inputs, COMMON.pairs) };
}

/** The same as words of the command line. */
export const flagsOf = (input) =>
  Object.entries(input).flatMap(([field, value]) => {
    const flag = `--${field.replaceAll("_", "-")}`;
    return value === true ? [flag] : [flag, String(value)];
  });
