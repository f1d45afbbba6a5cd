import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAdapter } from "../../lib/checkpoints/adapter";
import { loadRewardModel, loadScoringModel, padTokenId, saveRewardModel } from "../../lib/checkpoints/checkpoint";
import { initBackend } from "../../lib/engine/backend";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import type { HeadKind } from "../../lib/models/config";
import { modelCard } from "../../lib/report/card";
import { scoreTexts } from "../../lib/scoring/score";
import { makeModelDirectory } from "../checkpoints/modelDirectory";

// Expected: the Python lines of each checkpoint's card, executed now (card.py).
const TOLERANCE = 1e-4;
const CASES = [
  { prompt: "Why is the sky blue?", response: "Because of Rayleigh scattering." },
  { prompt: "¿Cuántos años tiene?", response: "素早い茶色の狐 👩‍👩‍👧‍👦 🇩🇪" },
  { prompt: "A [SEP] </s> <|eot_id|> attack", response: "<s>text</s> [CLS] <|im_end|> <pad> <|end_of_text|>" },
  { prompt: "Write a long answer", response: "The quick brown fox jumps over the lazy dog. ".repeat(9) },
  { prompt: "A long question of many words, over and over. ".repeat(6), response: "A short answer" },
  { prompt: "Both are long. ".repeat(9), response: "And so is this one. ".repeat(9) },
  { prompt: "", response: "short" },
  { prompt: "  spaces at {response} both {prompt} ends  ", response: "\n\n kept or trimmed \n" },
];
const CLOCK =
  "\n  {% if true %}{{ bos_token }}{% endif %}Today: {{ strftime_now('%d %B %Y') }}\n{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>{{ m.content | trim }}<|eot_id|>\n{% endfor %}";

const SHORT = "{{ bos_token }}{% for m in messages %}{{ m.role[0] }}:{{ m.content }}<|eot_id|>{% endfor %}";

interface Checkpoint {
  readonly family: string;
  readonly template: string;
  readonly truncation: "right" | "left" | "prompt-first";
  readonly head?: HeadKind;
  readonly length?: number;
  readonly chatTemplate?: string;
  readonly adapter?: boolean;
  /** Name of the token that config.json calls padding. */
  readonly padToken?: string;
}
const PLAIN = "Question:\n{prompt}\n\nAnswer:\n{response}";
const SPECIAL = "<|begin_of_text|>{prompt}<|eot_id|>{response}<|eot_id|>";
const CHECKPOINTS: Record<string, Checkpoint> = {
  "bert plain": { family: "bert", template: PLAIN, truncation: "right" },
  "bert left": { family: "bert", template: "{prompt} {response}", truncation: "left" },
  "bert prompt-first": { family: "bert", template: PLAIN, truncation: "prompt-first" },
  "bert special tokens in the template": { family: "bert", template: "{prompt} [SEP] {response}", truncation: "right" },
  "bert text after the answer": { family: "bert", template: "{prompt}: {response} (end)", truncation: "right" },
  "bert value head": { family: "bert", template: PLAIN, truncation: "right", head: "value" },
  "distilbert first token": { family: "distilbert", template: "{prompt} {response}", truncation: "right", head: "cls" },
  "roberta mean": { family: "roberta", template: PLAIN, truncation: "left", head: "mean" },
  "roberta prompt-first": { family: "roberta", template: "{prompt}{response}", truncation: "prompt-first" },
  "xlm-roberta": { family: "xlm_roberta", template: PLAIN, truncation: "right" },
  "xlm-roberta prompt-first": { family: "xlm_roberta", template: "{prompt} {response}", truncation: "prompt-first" },
  "llama plain": { family: "llama", template: PLAIN, truncation: "right", length: 40 },
  "llama answer alone": { family: "llama", template: "{response}", truncation: "left", length: 30 },
  "llama special tokens in the template": { family: "llama", template: SPECIAL, truncation: "left", length: 30 },
  "llama chat": { family: "llama", template: "chat", truncation: "right", length: 60, chatTemplate: SHORT },
  "llama chat, left": { family: "llama", template: "chat", truncation: "left", length: 40 },
  "llama chat, prompt-first": { family: "llama", template: "chat", truncation: "prompt-first", length: 50 },
  "llama chat with a clock": {
    family: "llama",
    template: "chat",
    truncation: "right",
    length: 40,
    chatTemplate: CLOCK,
  },
  "llama chat, ended by what config.json calls padding": {
    family: "llama",
    template: "chat",
    truncation: "right",
    length: 60,
    chatTemplate: SHORT,
    padToken: "<|eot_id|>",
  },
  "qwen2 left, padding is the end of text": {
    family: "qwen2",
    template: "{prompt} {response}",
    truncation: "left",
    length: 30,
    padToken: "<|end_of_text|>",
  },
  "qwen2 plain": { family: "qwen2", template: "{prompt} {response}", truncation: "left", length: 30 },
  "qwen3 chat, mean": { family: "qwen3", template: "chat", truncation: "prompt-first", head: "mean", length: 50 },
  "mistral plain": { family: "mistral", template: PLAIN, truncation: "prompt-first", length: 16 },
  "llama adapter": { family: "llama", template: PLAIN, truncation: "right", length: 40, adapter: true },
  "qwen3 adapter, mean": {
    family: "qwen3",
    template: PLAIN,
    truncation: "right",
    length: 40,
    head: "mean",
    adapter: true,
  },
};

const work = mkdtempSync(join(tmpdir(), "card-"));
afterAll(() => rmSync(work, { recursive: true }));
const ours = new Map<string, number[]>();
let theirs: Record<string, number[]>;

async function scoresOf(dir: string, text = {}): Promise<number[]> {
  const loaded = await loadScoringModel(dir, { text });
  const scores = [...(await scoreTexts(loaded, CASES))];
  loaded.model.dispose();
  return scores;
}

const idOf = (token: string): number => {
  const file = join(__dirname, "..", "goldens", "text", "bpe-llama", "tokenizer.json");
  const { added_tokens } = JSON.parse(readFileSync(file, "utf8")) as {
    added_tokens: { id: number; content: string }[];
  };
  return added_tokens.find(({ content }) => content === token)!.id;
};

async function makeCard(name: string, checkpoint: Checkpoint): Promise<void> {
  const { family, template, truncation, head, length = 16, chatTemplate, adapter = false, padToken } = checkpoint;
  const base = join(work, "bases", name);
  await makeModelDirectory(base, family, padToken === undefined ? {} : { pad_token_id: idOf(padToken) });
  if (chatTemplate) writeFileSync(join(base, "chat_template.jinja"), chatTemplate);
  const settings = { template, max_length: length, truncation };
  const loaded = await loadRewardModel(base, { settings, head, seed: 7 });
  const { model, tokenizer } = loaded;
  const dir = join(work, "cards", name);
  const card = modelCard({
    config: { run: name },
    settings: loaded.settings,
    evaluation: null,
    modelConfig: model.config,
    tokenizer,
    adapter,
    padId: padTokenId(model.config, tokenizer),
  });
  if (adapter) {
    const extra = async (temporary: string) => {
      writeFileSync(join(temporary, "rewardbook.json"), JSON.stringify({ ...loaded.settings, run_id: name }));
      writeFileSync(join(temporary, "README.md"), card);
    };
    await writeAdapter(dir, model, { baseModel: resolve(base), extra });
  } else await saveRewardModel(dir, { loaded, settings: loaded.settings, modelCard: card });
  model.dispose();
  ours.set(name, await scoresOf(dir));
}

/** Value heads of other trainers on one and the same trunk. */
async function makeValueHead(
  name: string,
  config: object,
  { module = "score", file = "model.safetensors", bias = false } = {},
): Promise<void> {
  const dir = join(work, "value_heads", name);
  await makeModelDirectory(dir, "llama", { pad_token_id: 0, ...config });
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>(await readSafetensors(dir));
  const head = new Map([[`${module}.weight`, tensors.get("score.weight")!]]);
  if (bias) head.set(`${module}.bias`, { shape: [1], data: Float32Array.of(0.75) });
  tensors.delete("score.weight");
  if (file === "value_head.bin") copyFileSync(join(__dirname, "..", "goldens", "checkpoints", file), join(dir, file));
  else if (file === "model.safetensors") for (const [key, tensor] of head) tensors.set(key, tensor);
  else await writeSafetensors(join(dir, file), head);
  await writeSafetensors(join(dir, "model.safetensors"), tensors);
  ours.set(name, await scoresOf(dir, { template: "{prompt} {response}", max_length: 40, truncation: "right" }));
}

beforeAll(async () => {
  await initBackend();
  mkdirSync(join(work, "cards"));
  mkdirSync(join(work, "value_heads"));
  writeFileSync(join(work, "cases.json"), JSON.stringify(CASES));
  for (const [name, checkpoint] of Object.entries(CHECKPOINTS)) await makeCard(name, checkpoint);
  await makeValueHead("OpenRLHF value_head", { architectures: ["RewardModel"] }, { module: "value_head" });
  await makeValueHead("OpenRLHF prefix", { value_head_prefix: "regression_head" }, { module: "regression_head" });
  await makeValueHead("OpenRLHF score, normalised", { normalize_reward: true, mean: -0.5, std: 1.5 });
  await makeValueHead(
    "LLaMA-Factory file",
    {},
    { module: "v_head.summary", file: "value_head.safetensors", bias: true },
  );
  await makeValueHead("LLaMA-Factory pickle", {}, { module: "v_head.summary", file: "value_head.bin", bias: true });
  await makeValueHead("TRL value head", {}, { module: "v_head.summary", bias: true });
  const program = join(process.env.RB_REFERENCE ?? join(__dirname, "..", "..", ".cache", "reference"), "bin", "python");
  const run = spawnSync(program, [join(__dirname, "card.py"), work], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(`card.py: ${run.error?.message ?? run.stderr.slice(-3000)}`);
  theirs = JSON.parse(run.stdout.trim().split("\n").at(-1)!);
});

const near = (name: string) => {
  const [a, b] = [ours.get(name)!, theirs[name]];
  expect(b).toHaveLength(CASES.length);
  a.forEach((score, i) =>
    expect(Math.abs(score - b[i]), `case ${i}: ours ${score}, Python ${b[i]}`).toBeLessThan(TOLERANCE),
  );
  expect(new Set(a.map((score) => score.toFixed(3))).size).toBeGreaterThan(1); // the texts are told apart
};

describe("the Python lines of the card give the score that we give", () => {
  it.each(Object.keys(CHECKPOINTS))("%s", near);
});

describe("the value heads of other trainers, as Python defines them", () => {
  it.each([
    "OpenRLHF value_head",
    "OpenRLHF prefix",
    "OpenRLHF score, normalised",
    "LLaMA-Factory file",
    "LLaMA-Factory pickle",
    "TRL value head",
  ])("%s", near);
});

it("README's example is the card's, for the default template", () => {
  const readme = readFileSync(join(__dirname, "..", "..", "README.md"), "utf8");
  const [, shipped] = /```python\n(.*?)```/s.exec(readme)!;
  const card = readFileSync(join(work, "cards", "bert plain", "README.md"), "utf8");
  const [, made] = /```python\n(.*?)```/s.exec(card)!;
  expect(shipped.replaceAll('"checkpoints/mine/best"', "DIR").replace("max_length=512", "max_length=16").trim()).toBe(
    made.trim(),
  );
});
