import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadRewardModel, loadScoringModel, saveRewardModel } from "../../lib/checkpoints/checkpoint";
import { initBackend } from "../../lib/engine/backend";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import { scoreTexts } from "../../lib/scoring/score";
import { makeModelDirectory } from "./modelDirectory";

// Scores are compared with those of transformers' own head on the same trunk, and with arithmetic on them.
const GOLDENS = join(__dirname, "..", "goldens", "checkpoints");
const root = mkdtempSync(join(tmpdir(), "heads-"));
let dir: string;
beforeAll(async () => void (await initBackend()));
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => (dir = join(mkdtempSync(join(root, "case-")), "model")));

const ITEMS = [
  { prompt: "The dog?", response: "jumps over" },
  { prompt: "Why", response: "The quick brown fox" },
];
const TEXT = { template: "{prompt} {response}", max_length: 16 };

async function scores(from: string): Promise<number[]> {
  const loaded = await loadScoringModel(from, { text: TEXT });
  try {
    return [...(await scoreTexts(loaded, ITEMS))];
  } finally {
    loaded.model.dispose();
  }
}

/** Changes the tensors of a directory: a new name, a new tensor, or none. */
async function change(edit: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void) {
  const path = join(dir, "model.safetensors");
  const tensors = new Map<string, { shape: readonly number[]; data: Float32Array }>(await readSafetensors(path));
  edit(tensors);
  await writeSafetensors(path, tensors);
}
function configure(fields: object): void {
  const path = join(dir, "config.json");
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...fields }));
}
const rename = (from: string, to: string) =>
  change((tensors) => {
    tensors.set(to, tensors.get(from)!);
    tensors.delete(from);
  });
const near = (actual: readonly number[], expected: readonly number[]) =>
  actual.forEach((value, i) => expect(value).toBeCloseTo(expected[i], 4));

describe("a head that is not whole stops", () => {
  it.each([
    ["llama", "score.weight"],
    ["bert", "classifier.weight"],
    ["bert", "classifier.bias"],
    ["bert", "bert.pooler.dense.weight"],
    ["bert", "bert.pooler.dense.bias"],
    ["distilbert", "pre_classifier.bias"],
    ["roberta", "classifier.dense.weight"],
    ["roberta", "classifier.out_proj.bias"],
  ])("%s without %s", async (family, name) => {
    await makeModelDirectory(dir, family);
    await change((tensors) => tensors.delete(name));
    await expect(scores(dir)).rejects.toThrow(
      new RegExp(`expected a reward model with its trained head, got none of ${name.replaceAll(".", "\\.")}`),
    );
    expect((await loadRewardModel(dir)).model.freshHead).toBe(true); // training may go on from it
  });

  it("names the tensors that it found instead", async () => {
    await makeModelDirectory(dir, "llama");
    await rename("score.weight", "score.0.weight");
    await expect(scores(dir)).rejects.toThrow(/none of score\.weight \(not used: score\.0\.weight\)/);
  });

  it("an adapter without a head, on a language model", async () => {
    const base = `${dir}-base`;
    await makeModelDirectory(base, "llama");
    const tensors = await readSafetensors(join(base, "model.safetensors"));
    tensors.delete("score.weight");
    await writeSafetensors(join(base, "model.safetensors"), tensors);
    mkdirSync(dir);
    const config = { peft_type: "LORA", r: 1, lora_alpha: 1, base_model_name_or_path: base };
    writeFileSync(join(dir, "adapter_config.json"), JSON.stringify(config));
    const [rows, columns] = tensors.get("model.layers.0.self_attn.q_proj.weight")!.shape;
    const prefix = "base_model.model.model.layers.0.self_attn.q_proj";
    const low = (shape: number[]) => ({ shape, data: new Float32Array(shape[0] * shape[1]).fill(0.1) });
    const updates: [string, { shape: number[]; data: Float32Array }][] = [
      [`${prefix}.lora_A.weight`, low([1, columns])],
      [`${prefix}.lora_B.weight`, low([rows, 1])],
    ];
    await writeSafetensors(join(dir, "adapter_model.safetensors"), updates);
    await expect(scores(dir)).rejects.toThrow(/got none of score\.weight/);
    // with its head beside it, as LLaMA-Factory leaves it, it scores
    copyFileSync(join(GOLDENS, "value_head.bin"), join(dir, "value_head.bin"));
    expect((await scores(dir)).every(Number.isFinite)).toBe(true);
  });

  it("unused tensors beside a whole head are named", async () => {
    await makeModelDirectory(dir, "llama");
    await change((tensors) => {
      tensors.set("score.bias", { shape: [1], data: Float32Array.of(1) });
      tensors.set("lm_head.weight", { shape: [1], data: Float32Array.of(1) });
    });
    const said: string[] = [];
    (await loadScoringModel(dir, { onMessage: (text) => said.push(text) })).model.dispose();
    expect(said.join("\n")).toMatch(/tensors that are not used: score\.bias$/m);
  });
});

describe("value heads of other trainers", () => {
  let plain: number[];
  beforeEach(async () => {
    await makeModelDirectory(dir, "llama", { pad_token_id: 1023 });
    plain = await scores(dir);
  });

  it.each([
    ["value_head", {}],
    ["regression_head", { value_head_prefix: "regression_head" }],
  ])("OpenRLHF's %s.weight", async (name, config) => {
    await rename("score.weight", `${name}.weight`);
    configure({ architectures: ["RewardModel"], ...config });
    near(await scores(dir), plain);
  });

  it("OpenRLHF's normalisation: (r − mean) / std", async () => {
    configure({ normalize_reward: true, mean: 0.25, std: 2 });
    near(
      await scores(dir),
      plain.map((score) => (score - 0.25) / 2),
    );
  });

  it.each(["model.safetensors", "value_head.safetensors"])("LLaMA-Factory's v_head.summary in %s", async (file) => {
    const weight = (await readSafetensors(join(dir, "model.safetensors"))).get("score.weight")!;
    const head = new Map<string, { shape: readonly number[]; data: Float32Array }>([
      ["v_head.summary.weight", weight],
      ["v_head.summary.bias", { shape: [1], data: Float32Array.of(0.5) }],
    ]);
    await change((tensors) => {
      tensors.delete("score.weight");
      if (file === "model.safetensors") for (const [name, tensor] of head) tensors.set(name, tensor);
    });
    if (file !== "model.safetensors") await writeSafetensors(join(dir, file), head);
    near(
      await scores(dir),
      plain.map((score) => score + 0.5),
    );
    // saved here, the bias goes along
    const loaded = await loadRewardModel(dir, { settings: TEXT });
    await saveRewardModel(`${dir}-saved`, { loaded, settings: loaded.settings });
    near(
      await scores(`${dir}-saved`),
      plain.map((score) => score + 0.5),
    );
    expect(readFileSync(join(`${dir}-saved`, "README.md"), "utf8")).toContain('head["score.bias"]');
  });

  it("LLaMA-Factory's value_head.bin, read without Python", async () => {
    await change((tensors) => tensors.delete("score.weight"));
    copyFileSync(join(GOLDENS, "value_head.bin"), join(dir, "value_head.bin"));
    const loaded = await loadScoringModel(dir);
    const expected = JSON.parse(readFileSync(join(GOLDENS, "value_head.json"), "utf8"));
    const value = (name: string) => [...(loaded.model.parameters.get(name) as tf.Variable).dataSync()];
    near(value("score.weight"), expected["v_head.summary.weight"]);
    near(value("score.bias"), expected["v_head.summary.bias"]);
    loaded.model.dispose();
  });

  it.each([
    ["value_head_object.bin", /a pathlib Posix|pickle operation|no tensor|a call of/],
    ["value_head.json", /expected a zip archive as torch\.save writes it/],
  ])("%s as value_head.bin is refused", async (file, message) => {
    copyFileSync(join(GOLDENS, file), join(dir, "value_head.bin"));
    await expect(scores(dir)).rejects.toThrow(message);
    expect(existsSync(join(dir, "value_head.bin"))).toBe(true);
  });
});

describe("the last token that is read", () => {
  it("is transformers': the last that is not config.pad_token_id, and a real one that falls away is said", async () => {
    await makeModelDirectory(dir, "llama");
    const { tokenizer, model } = await loadRewardModel(dir, { settings: TEXT });
    model.dispose();
    const [{ ids }] = await tokenizer.encode([ITEMS[0]], { ...TEXT, maxLength: 16, truncation: "right" });
    const real = ids.at(-2)!; // the last one is the end of the sequence that is added
    configure({ pad_token_id: real });
    const settings = { ...TEXT, truncation: "right", append_eos: false };
    writeFileSync(join(dir, "rewardbook.json"), JSON.stringify(settings));
    const said: string[] = [];
    const dropping = await loadScoringModel(dir, { text: TEXT });
    const [score] = await scoreTexts(dropping, [ITEMS[0]], { onMessage: (text) => said.push(text) });
    dropping.model.dispose();
    expect(said.join()).toMatch(
      /1 of 1 texts end with .* makes padding: as in transformers, the score is read before it/,
    );
    expect(Number.isFinite(score)).toBe(true);
    const [encoded] = await dropping.tokenizer.encode([ITEMS[0]], { ...TEXT, maxLength: 16, truncation: "right" });
    expect([...encoded.ids]).toEqual([...ids].slice(0, ids.length - 2));
  });

  it("is the very last where config.json names no padding", async () => {
    await makeModelDirectory(dir, "llama", { pad_token_id: null });
    const loaded = await loadScoringModel(dir, { text: TEXT });
    expect(loaded.tokenizer.unreadId).toBe(null);
    loaded.model.dispose();
  });
});
