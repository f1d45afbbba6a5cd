import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { readAdapter, writeAdapter } from "../../lib/checkpoints/adapter";
import type { HeadKind } from "../../lib/models/config";
import { attachLora } from "../../lib/models/lora";
import { scoreInputs } from "../../lib/models/rewardModel";
import { loadRewardModel, saveRewardModel, type LoadedModel } from "../../lib/checkpoints/checkpoint";
import type { EncodeOptions } from "../../lib/text/tokenizer";

// Expected: Python's transformers, peft and TRL, run now (reference.py).
const TOLERANCE = 1e-4;
const FAMILIES = ["bert", "distilbert", "roberta", "xlm-roberta", "llama", "qwen2", "qwen3", "mistral"];
const ENCODER = join(__dirname, "..", "..", "models", "all-MiniLM-L6-v2");
const CASES = [
  { prompt: "Why is the sky blue?", response: "Because of Rayleigh scattering." },
  { prompt: "¿Cuántos años tiene?", response: "素早い茶色の狐 👩‍👩‍👧‍👦 🇩🇪" },
  { prompt: "A [SEP] </s> <|eot_id|> attack", response: "<s>text</s> [CLS] <|im_end|> <pad>" },
  { prompt: "Write a long answer", response: "The quick brown fox jumps over the lazy dog. ".repeat(30) },
  { prompt: "", response: "short" },
  { prompt: "tabs\tand\nlines", response: "a\u0000b \u202e control" },
  { prompt: "Say something", response: "ok" },
  { prompt: "More", response: "words, and words." },
];

const work = mkdtempSync(join(tmpdir(), "compat-"));
const inWork = (...parts: string[]) => join(work, ...parts);
afterAll(() => rmSync(work, { recursive: true }));

function python(command: string): void {
  const program = join(process.env.RB_REFERENCE ?? join(__dirname, "..", "..", ".cache", "reference"), "bin", "python");
  const { status, stderr, error } = spawnSync(program, [join(__dirname, "reference.py"), command, work], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`reference.py ${command}: ${error?.message ?? stderr.slice(-3000)}`);
}
const json = (...parts: string[]) => JSON.parse(readFileSync(inWork(...parts), "utf8"));

/** Scores of a right-padded batch. */
function score({ model, tokenizer }: LoadedModel, rows: ArrayLike<number>[]): number[] {
  const width = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) =>
    Array.from({ length: width }, (_, i) => (i < row.length ? row[i] : tokenizer.padId)),
  );
  const masks = rows.map((row) => Array.from({ length: width }, (_, i) => Number(i < row.length)));
  return tf.tidy(() => [
    ...scoreInputs(model, { ids: tf.tensor2d(padded, undefined, "int32"), segmentIds: tf.tensor2d(masks) }).dataSync(),
  ]);
}
const difference = (a: number[], b: number[]) =>
  a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value - b[i]))) : Infinity;
const encodingOf = ({ settings }: LoadedModel): EncodeOptions => ({
  template: settings.template,
  maxLength: settings.max_length,
  truncation: settings.truncation,
});
/** Python's Unigram makes special tokens, padding among them, of user text whatever it is told: that text has no reference. */
const comparable = <T>(family: string, rows: T[]): T[] =>
  rows.filter((_, i) => family !== "xlm-roberta" || !/<\/?(s|pad)>/.test(CASES[i].prompt + CASES[i].response));
const PLAIN = { template: "Question:\n{prompt}\n\nAnswer:\n{response}", max_length: 64 };

const ours = new Map<string, { ids: number[][]; scores: number[] }>();
const adapters = new Map<string, number[]>();

/** Heads that transformers does not have: the card's lines read them. */
const HEADS = [
  ["distilbert", "cls"],
  ["bert", "value"],
  ["roberta", "mean"],
  ["qwen3", "mean"],
] as const;
const heads = new Map<string, number[]>();

async function saveWithHead(family: string, head: HeadKind): Promise<void> {
  const loaded = await loadRewardModel(inWork("python", family), { settings: PLAIN, head, seed: 4 });
  await saveRewardModel(inWork("heads", `${family}-${head}`), { loaded, settings: loaded.settings });
  const ids = await loaded.tokenizer.encode(CASES, encodingOf(loaded));
  heads.set(
    `${family}-${head}`,
    score(
      loaded,
      ids.map((row) => [...row.ids]),
    ),
  );
}

/** Loads a model and saves it again, remembering what it scores here. */
async function roundTrip(name: string, source: string, dtype?: "BF16"): Promise<void> {
  const loaded = await loadRewardModel(source, { settings: PLAIN });
  await saveRewardModel(inWork("ours", name), { loaded, settings: loaded.settings, dtype });
  const again = dtype ? await loadRewardModel(inWork("ours", name)) : loaded;
  const ids = (await again.tokenizer.encode(CASES, encodingOf(again))).map((row) => [...row.ids]);
  ours.set(name, { ids, scores: score(again, ids) });
}

beforeAll(async () => {
  await initBackend();
  writeFileSync(inWork("cases.json"), JSON.stringify(CASES));
  python("make");
  mkdirSync(inWork("ours"));
  for (const family of FAMILIES) await roundTrip(family, inWork("python", family));
  await roundTrip("qwen3-bf16", inWork("python", "qwen3"), "BF16");
  if (existsSync(ENCODER)) await roundTrip("default-encoder", ENCODER);
  mkdirSync(inWork("heads"));
  for (const [family, head] of HEADS) await saveWithHead(family, head);
  for (const family of ["llama", "bert"]) {
    const { model, tokenizer, settings } = await loadRewardModel(inWork("python", family));
    attachLora(model, { rank: 4, alpha: 8, seed: 3 });
    for (const [name, variable] of model.parameters)
      if (/lora_B/.test(name)) variable.assign(tf.randomNormal(variable.shape, 0, 0.2, "float32", 9));
    adapters.set(family, score({ model, tokenizer, settings, dir: "" }, json("python", family, "expected.json").ids));
    await writeAdapter(inWork("adapters", family), model, { baseModel: inWork("python", family) });
  }
  python("check");
});

describe("saved by Python, loaded here", () => {
  it.each(FAMILIES)("%s: same ids, same scores", async (family) => {
    const { ids, scores } = json("python", family, "expected.json") as { ids: number[][]; scores: number[] };
    const loaded = await loadRewardModel(inWork("python", family));
    const encoded = await loaded.tokenizer.encode(CASES, {
      template: "{prompt} {response}",
      maxLength: 64,
      truncation: "right",
    });
    const body = encoded.map((row) => [...row.ids]);
    if (!loaded.tokenizer.appendEos) expect(comparable(family, body)).toEqual(comparable(family, ids));
    expect(difference(score(loaded, comparable(family, ids)), comparable(family, scores))).toBeLessThan(TOLERANCE);
  });

  it("trained by TRL: same ids with its end of sequence, same scores", async () => {
    const loaded = await loadRewardModel(inWork("trl"));
    const { ids, scores } = json("trl", "expected.json");
    const clean = CASES.filter(({ prompt, response }) => !(prompt + response).includes("<|"));
    const encoded = await loaded.tokenizer.encode(clean, {
      template: "{prompt}{response}",
      maxLength: 1e4,
      truncation: "right",
    });
    expect(encoded.map((row) => [...row.ids])).toEqual(ids);
    expect(difference(score(loaded, ids), scores)).toBeLessThan(TOLERANCE);
    expect(loaded.model.freshHead).toBe(false);
  });

  it.each(["llama", "bert"])("a LoRA adapter of peft on %s: same scores", async (family) => {
    const loaded = await loadRewardModel(inWork("python", family));
    await readAdapter(inWork("peft", family), loaded.model);
    const { ids, scores } = json("peft", family, "expected.json");
    expect(difference(score(loaded, ids), scores)).toBeLessThan(TOLERANCE);
  });
});

describe("saved here, loaded by Python", () => {
  it.each([...FAMILIES, "qwen3-bf16", ...(existsSync(ENCODER) ? ["default-encoder"] : [])])(
    "%s: same ids, same scores, one label",
    (name) => {
      const theirs = json("result.json").models[name];
      const { ids, scores } = ours.get(name)!;
      expect(comparable(name, theirs.ids)).toEqual(comparable(name, ids));
      expect(difference(comparable(name, theirs.scores), comparable(name, scores))).toBeLessThan(TOLERANCE);
      expect(
        difference(
          theirs.card,
          [0, 1, 6].map((i) => scores[i]),
        ),
      ).toBeLessThan(TOLERANCE);
      expect([theirs.labels, theirs.pad[0]]).toEqual([1, theirs.pad[1]]);
      expect(theirs.cls).toMatch(/ForSequenceClassification$/);
    },
  );

  it.each(HEADS)("%s with head %s: the card's lines give the same scores", (family, head) => {
    const name = `${family}-${head}`;
    expect(
      difference(
        json("result.json").heads[name],
        [0, 1, 6].map((i) => heads.get(name)![i]),
      ),
    ).toBeLessThan(TOLERANCE);
  });

  it("goes on training in TRL", () => {
    const { losses, changed, parameters } = json("result.json").continued;
    expect(losses.length).toBe(3);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(changed).toBe(parameters);
  });

  it.each(["llama", "bert"])("a LoRA adapter on %s, by peft: same scores", (family) => {
    expect(difference(json("result.json").adapters[family], adapters.get(family)!)).toBeLessThan(TOLERANCE);
  });
});
