import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { attachLora } from "../../lib/models/lora";
import { scoreInputs } from "../../lib/models/rewardModel";
import { loadRewardModel, saveRewardModel, verifyCheckpoint, type LoadedModel } from "../../lib/checkpoints/checkpoint";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import { FAMILIES } from "../models/golden";
import { makeModelDirectory } from "./modelDirectory";

const root = mkdtempSync(join(tmpdir(), "checkpoint-"));
let dir: string;
beforeAll(async () => void (await initBackend()));
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => (dir = join(mkdtempSync(join(root, "case-")), "model")));

const json = (...parts: string[]) => JSON.parse(readFileSync(join(...parts), "utf8"));
const values = (loaded: LoadedModel) =>
  new Map([...loaded.model.parameters].map(([name, variable]) => [name, variable.dataSync()]));
async function scores({ model, tokenizer, settings }: LoadedModel): Promise<number[]> {
  const [{ ids }] = await tokenizer.encode([{ prompt: "The dog?", response: "jumps over" }], {
    template: settings.template,
    maxLength: 20,
    truncation: "right",
  });
  return tf.tidy(() => [
    ...scoreInputs(model, {
      ids: tf.tensor2d([...ids], [1, ids.length], "int32"),
      segmentIds: tf.ones([1, ids.length]),
    }).dataSync(),
  ]);
}

describe("saving and loading again", () => {
  it.each(FAMILIES)("%s keeps every weight, and the files Python needs", async (family) => {
    await makeModelDirectory(dir, family);
    const loaded = await loadRewardModel(dir);
    await saveRewardModel(`${dir}-saved`, { loaded, settings: { ...loaded.settings, temperature: 1.5, run_id: "x" } });
    const again = await loadRewardModel(`${dir}-saved`);
    expect(values(again)).toEqual(values(loaded));
    expect(again.settings).toEqual({ ...loaded.settings, temperature: 1.5, run_id: "x" });
    expect(again.model.freshHead).toBe(false);
    expect(readdirSync(`${dir}-saved`)).toEqual(
      expect.arrayContaining([
        "README.md",
        "config.json",
        "manifest.json",
        "model.safetensors",
        "rewardbook.json",
        "special_tokens_map.json",
        "tokenizer.json",
        "tokenizer_config.json",
      ]),
    );
    const config = json(`${dir}-saved`, "config.json");
    expect(config).toMatchObject({
      num_labels: 1,
      architectures: [expect.stringMatching(/ForSequenceClassification$/)],
      pad_token_id: expect.any(Number),
    });
    // Python reads a decoder's score before this token, so it stays what the head was trained with
    expect(config.pad_token_id).toBe(json(dir, "config.json").pad_token_id);
    expect(await verifyCheckpoint(`${dir}-saved`)).toBeNull();
    [loaded, again].forEach(({ model }) => model.dispose());
  });

  it("rounds to bfloat16 on request, and says so in the configuration", async () => {
    await makeModelDirectory(dir, "bert");
    const loaded = await loadRewardModel(dir);
    await saveRewardModel(`${dir}-saved`, { loaded, settings: loaded.settings, dtype: "BF16" });
    const saved = await readSafetensors(`${dir}-saved`);
    expect([...new Set([...saved.values()].map(({ dtype }) => dtype))]).toEqual(["BF16"]);
    expect(json(`${dir}-saved`, "config.json").torch_dtype).toBe("bfloat16");
  });

  it("writes over the directory it was loaded from, with the files of `extra` under the manifest", async () => {
    await makeModelDirectory(dir, "bert");
    const loaded = await loadRewardModel(dir);
    await saveRewardModel(dir, {
      loaded,
      settings: loaded.settings,
      modelCard: "# card",
      extra: async (d) => writeFileSync(join(d, "training_state.json"), "{}"),
    });
    expect(Object.keys(json(dir, "manifest.json").files)).toContain("training_state.json");
    expect(readFileSync(join(dir, "README.md"), "utf8")).toBe("# card");
    expect(readdirSync(join(dir, ".."))).toEqual(["model"]);
  });

  it("folds low-rank updates into what is written: the same scores without them", async () => {
    await makeModelDirectory(dir, "llama");
    const loaded = await loadRewardModel(dir);
    attachLora(loaded.model, { rank: 2, alpha: 8, seed: 1 });
    for (const [name, variable] of loaded.model.parameters)
      if (/lora_B/.test(name)) variable.assign(tf.randomNormal(variable.shape, 0, 0.3, "float32", 4));
    await saveRewardModel(`${dir}-saved`, { loaded, settings: loaded.settings });
    const again = await loadRewardModel(`${dir}-saved`);
    expect(again.model.lora).toBeNull();
    const [before, after] = [await scores(loaded), await scores(again)];
    expect(Math.abs(before[0] - after[0])).toBeLessThan(1e-5);
  });

  it("takes padding and truncation out of tokenizer.json, and writes special_tokens_map.json where there was none", async () => {
    await makeModelDirectory(dir, "bert");
    writeFileSync(
      join(dir, "tokenizer.json"),
      JSON.stringify({
        ...json(dir, "tokenizer.json"),
        truncation: { max_length: 5, strategy: "LongestFirst", stride: 0, direction: "Right" },
      }),
    );
    rmSync(join(dir, "special_tokens_map.json"));
    const loaded = await loadRewardModel(dir);
    const [{ ids }] = await loaded.tokenizer.encode([{ prompt: "", response: "the dog jumps over the fox" }], {
      template: "{response}",
      maxLength: 99,
      truncation: "right",
    });
    expect(ids.length).toBeGreaterThan(5);
    await saveRewardModel(`${dir}-saved`, { loaded, settings: { ...loaded.settings, truncation: "left" } });
    expect(json(`${dir}-saved`, "tokenizer.json").truncation).toBeNull();
    expect(json(`${dir}-saved`, "special_tokens_map.json")).toMatchObject({ pad_token: "[PAD]", cls_token: "[CLS]" });
    expect(json(`${dir}-saved`, "tokenizer_config.json").truncation_side).toBe("left");
  });
});

// Each remedy is one a user can follow.
describe("refused with the cause and the remedy", () => {
  const change = (name: string, edit: (value: Record<string, any>) => object) =>
    writeFileSync(join(dir, name), JSON.stringify(edit(json(dir, name))));
  const remove = (name: string) => rmSync(join(dir, name));
  it.each<[string, () => unknown, RegExp]>([
    [
      "no directory",
      () => rmSync(dir, { recursive: true }),
      /model: expected a model directory, got nothing of that name; .*rewardbook pull NAME/,
    ],
    [
      "a file",
      () => {
        rmSync(dir, { recursive: true });
        writeFileSync(dir, "");
      },
      /expected a model directory, got a file/,
    ],
    [
      "no config.json",
      () => remove("config.json"),
      /config\.json: expected the model's configuration, got no such file; it gets written by rewardbook train/,
    ],
    [
      "an adapter of no model",
      () => renameSync(join(dir, "config.json"), join(dir, "adapter_config.json")),
      /adapter_config\.json: base_model_name_or_path: expected the base model's name or path, got undefined/,
    ],
    [
      "broken config.json",
      () => writeFileSync(join(dir, "config.json"), "{"),
      /config\.json: expected JSON, got .*; fetch or save/,
    ],
    [
      "a type that is not supported",
      () => change("config.json", (c) => ({ ...c, model_type: "t5" })),
      /model_type: expected one of bert, .*got "t5"/,
    ],
    [
      "two labels",
      () => change("config.json", (c) => ({ ...c, num_labels: 2, id2label: { 0: "a", 1: "b" } })),
      /expected a head with 1 label, got 2; train a reward model from its base model/,
    ],
    [
      "a pickle",
      () => renameSync(join(dir, "model.safetensors"), join(dir, "pytorch_model.bin")),
      /pytorch_model\.bin: expected safetensors weights, got a Python pickle, which can run any code.*safe_serialization=True/,
    ],
    [
      "no weights",
      () => remove("model.safetensors"),
      /expected model\.safetensors or model\.safetensors\.index\.json, got neither/,
    ],
    [
      "cut weights",
      () => writeFileSync(join(dir, "model.safetensors"), readFileSync(join(dir, "model.safetensors")).subarray(0, -4)),
      /model\.safetensors: expected \d+ bytes of data .*cut short/,
    ],
    [
      "no tokenizer",
      () => remove("tokenizer.json"),
      /tokenizer\.json: expected the tokenizer, got no such file; in Python, AutoTokenizer/,
    ],
    [
      "a broken tokenizer",
      () => change("tokenizer.json", (t) => ({ ...t, model: { ...t.model, type: "What" } })),
      /tokenizer\.json: expected a tokenizer of Hugging Face's tokenizers, got/,
    ],
    [
      "no padding token",
      () => {
        remove("special_tokens_map.json");
        writeFileSync(join(dir, "tokenizer_config.json"), "{}");
        change("tokenizer.json", (t) => ({
          ...t,
          added_tokens: t.added_tokens.filter(({ content }: { content: string }) => content !== "[PAD]"),
        }));
      },
      /expected a tokenizer with a padding or an end-of-sequence token, got neither; name one/,
    ],
    [
      "a tokenizer of another model",
      () => change("config.json", (c) => ({ ...c, vocab_size: 100 })),
      /expected a tokenizer of at most 100 tokens .*got \d+/,
    ],
    [
      "settings that are no settings",
      () => writeFileSync(join(dir, "rewardbook.json"), '{"template":1}'),
      /rewardbook\.json: template: /,
    ],
    [
      "a length beyond the positions",
      () =>
        writeFileSync(
          join(dir, "rewardbook.json"),
          '{"template":"{response}","max_length":99999,"truncation":"right"}',
        ),
      /max_length: expected at most the model's \d+ positions, got 99999/,
    ],
  ])("%s", async (_, damage, message) => {
    await makeModelDirectory(dir, "bert");
    damage();
    await expect(loadRewardModel(dir)).rejects.toThrow(message);
    await expect(loadRewardModel(dir)).rejects.toMatchObject({ name: "InputError" });
  });

  it.each([
    [NaN, "NaN"],
    [Infinity, "Infinity"],
  ])("a weight that is %s", async (value, shown) => {
    await makeModelDirectory(dir, "bert");
    const tensors = await readSafetensors(dir);
    tensors.get("classifier.weight")!.data[3] = value;
    await writeSafetensors(join(dir, "model.safetensors"), tensors);
    await expect(loadRewardModel(dir)).rejects.toThrow(
      `tensor "classifier.weight": expected finite numbers, got ${shown} at position 3`,
    );
  });
});

describe("without rewardbook.json", () => {
  it("a tokenizer with a chat template is asked for chats, others for the notebook's template", async () => {
    await makeModelDirectory(dir, "llama");
    await makeModelDirectory(`${dir}-bert`, "bert");
    expect((await loadRewardModel(dir)).settings).toMatchObject({ template: "chat", truncation: "right" });
    expect((await loadRewardModel(`${dir}-bert`)).settings.template).toBe("Question:\n{prompt}\n\nAnswer:\n{response}");
  });

  it("what the caller wants goes before what the checkpoint says", async () => {
    await makeModelDirectory(dir, "bert");
    writeFileSync(join(dir, "rewardbook.json"), '{"template":"{response}","max_length":20,"truncation":"left"}');
    expect((await loadRewardModel(dir, { settings: { max_length: 10 } })).settings).toMatchObject({
      template: "{response}",
      max_length: 10,
      truncation: "left",
    });
  });
});
