// Configurations, freezing and the architecture table against literal values of Hugging Face's published models.

import { beforeAll, describe, expect, test } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { parseModelConfig } from "../../lib/models/config";
import { gradualFreeze, trainableNames } from "../../lib/models/freeze";
import { attachLora } from "../../lib/models/lora";
import { createRewardModel } from "../../lib/models/createModel";
import { checkpointConfig, countParameters, parameterShapes } from "../../lib/models/rewardModel";
import { architectureTable, architectureTotals } from "../../lib/models/summary";
import { FAMILIES, modelOf, readGolden, unpackAll } from "./golden";

beforeAll(async () => {
  await initBackend();
});

const BERT_BASE = {
  model_type: "bert",
  vocab_size: 30522,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
};
const LLAMA_3B = {
  model_type: "llama",
  architectures: ["LlamaForCausalLM"],
  vocab_size: 128256,
  hidden_size: 3072,
  num_hidden_layers: 28,
  num_attention_heads: 24,
  num_key_value_heads: 8,
  head_dim: 128,
  intermediate_size: 8192,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  rope_scaling: {
    factor: 32,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
    rope_type: "llama3",
  },
  tie_word_embeddings: true,
  max_position_embeddings: 131072,
};
const size = (shapes: Map<string, number[]>) =>
  [...shapes.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);

describe("parameterShapes", () => {
  // sum(p.numel()) of AutoModelForSequenceClassification(num_labels=1): 109,483,009 and 66,954,241;
  // Llama-3.2-3B has 3,212,749,824, plus a head of 3,072.
  test.each([
    [BERT_BASE, 109_483_009],
    [{ model_type: "distilbert", vocab_size: 30522 }, 66_954_241],
    [LLAMA_3B, 3_212_752_896],
  ])("adds up to the published number of parameters", (json, expected) => {
    expect(size(parameterShapes(parseModelConfig(json, "config.json")))).toBe(expected);
  });

  test.each(FAMILIES)("names every tensor of %s as Python does", (name) => {
    const { config, tensors } = readGolden(name);
    const expected = Object.entries(tensors)
      .map(([n, { shape }]) => `${n} ${shape}`)
      .sort();
    expect([...parameterShapes(parseModelConfig(config, name))].map(([n, shape]) => `${n} ${shape}`).sort()).toEqual(
      expected,
    );
  });
});

describe("parseModelConfig refuses", () => {
  test.each([
    [{ model_type: "deberta-v2" }, /model_type: expected one of bert, distilbert, roberta, .*, got "deberta-v2"/],
    [{}, /^dir: model_type/],
    [null, /^dir: /],
    [{ ...BERT_BASE, hidden_size: "768" }, /^dir: hidden_size/],
    [{ ...BERT_BASE, num_attention_heads: 7 }, /heads that divide the hidden size, got 7 and 768/],
    [{ ...BERT_BASE, hidden_act: "mish" }, /hidden_act: expected one of gelu/],
    [{ ...BERT_BASE, hidden_act: "toString" }, /hidden_act/],
    [{ ...BERT_BASE, num_labels: 2 }, /expected a head with 1 label, got 2; train a reward model from its base model/],
    [{ ...BERT_BASE, id2label: { 0: "a", 1: "b", 2: "c" } }, /got 3/],
    [{ ...BERT_BASE, position_embedding_type: "relative_key" }, /position_embedding_type/],
    [
      { ...LLAMA_3B, rope_scaling: { rope_type: "yarn", factor: 4 } },
      /rope_scaling: expected default, linear or llama3/,
    ],
    [{ ...LLAMA_3B, num_key_value_heads: 7 }, /key-value heads that divide the heads/],
  ])("%o", (json, message) => {
    expect(() => parseModelConfig(json, "dir")).toThrow(message);
  });

  test("nothing about labels in a directory that has no head", () => {
    expect(parseModelConfig({ ...BERT_BASE, architectures: ["BertForMaskedLM"], num_labels: 2 }, "dir").layers).toBe(
      12,
    );
  });

  test("rotary fields of transformers 5 read like those of 4", () => {
    const { rope_theta, rope_scaling, ...rest } = LLAMA_3B;
    const five = parseModelConfig({ ...rest, rope_parameters: { ...rope_scaling, rope_theta } }, "dir");
    expect(five.rope).toEqual(parseModelConfig(LLAMA_3B, "dir").rope);
  });
});

describe("createRewardModel", () => {
  const golden = readGolden("bert");
  const config = parseModelConfig(golden.config, "dir");

  test("names the tensor that is missing, has another shape or too many labels", () => {
    const tensors = unpackAll(golden.tensors);
    const without = new Map([...tensors].filter(([name]) => !name.includes("layer.1.output.dense.weight")));
    expect(() => createRewardModel(config, without, { where: "dir" })).toThrow(
      /^dir: expected the tensor bert.encoder.layer.1.output.dense.weight/,
    );
    const set = (name: string, shape: number[]) =>
      new Map([...tensors, [name, { shape, data: new Float32Array(shape[0] * (shape[1] ?? 1)) }]]);
    expect(() => createRewardModel(config, set("bert.embeddings.LayerNorm.bias", [7]), { where: "dir" })).toThrow(
      /LayerNorm.bias: expected shape \[16\], got \[7\]/,
    );
    expect(() => createRewardModel(config, set("classifier.weight", [2, 16]), { where: "dir" })).toThrow(
      /one label: delete the head's tensors/,
    );
  });

  // The head's std is 1/√17 = 0.2425; the pooler's is the configuration's initializer_range.
  test("draws a fresh head from its seed and says so", () => {
    const trunk = new Map([...unpackAll(golden.tensors)].filter(([name]) => !/classifier|pooler/.test(name)));
    const [a, b, c] = [1, 1, 2].map((seed) =>
      createRewardModel({ ...config, initializerRange: 0.02 }, trunk, { seed }),
    );
    expect(a.fresh).toEqual([
      "bert.pooler.dense.weight",
      "bert.pooler.dense.bias",
      "classifier.weight",
      "classifier.bias",
    ]);
    const values = (model: typeof a, name: string) => model.parameters.get(name)!.dataSync();
    expect(values(a, "classifier.weight")).toEqual(values(b, "classifier.weight"));
    expect(values(a, "classifier.weight")).not.toEqual(values(c, "classifier.weight"));
    const deviation = (x: ArrayLike<number>) => Math.sqrt(Array.from(x).reduce((sum, v) => sum + v * v, 0) / x.length);
    expect(deviation(values(a, "bert.pooler.dense.weight"))).toBeCloseTo(0.02, 2);
    expect(deviation([a, c].flatMap((m) => [...values(m, "classifier.weight")]))).toBeGreaterThan(0.15);
    expect(deviation([a, c].flatMap((m) => [...values(m, "classifier.weight")]))).toBeLessThan(0.35);
    [a, b, c].forEach((model) => model.dispose());
  });

  test("drops what a reward model has no use for, and lists it", () => {
    const llama = readGolden("llama");
    const tensors = unpackAll(llama.tensors).set("lm_head.weight", { shape: [40, 16], data: new Float32Array(640) });
    tensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", { shape: [2], data: new Float32Array(2) });
    const model = createRewardModel(parseModelConfig(llama.config, "dir"), tensors);
    expect(model.dropped).toEqual(["lm_head.weight"]);
    expect(model.freshHead).toBe(false);
    model.dispose();
  });
});

describe("checkpointConfig", () => {
  test("keeps what was read and names the class and the one label", () => {
    const json = { ...LLAMA_3B, bos_token_id: 128000 };
    expect(checkpointConfig(parseModelConfig(json, "dir"))).toMatchObject({
      bos_token_id: 128000,
      architectures: ["LlamaForSequenceClassification"],
      num_labels: 1,
      rope_scaling: json.rope_scaling,
    });
  });

  test("a head of ours comes back from the saved configuration", () => {
    const config = { ...parseModelConfig(BERT_BASE, "dir"), head: "mean" as const };
    const saved = checkpointConfig(config);
    expect(saved).toMatchObject({ rewardbook_head: "mean", architectures: ["BertModel"] });
    expect(parseModelConfig(saved, "dir").head).toBe("mean");
  });
});

describe("trainableNames", () => {
  const bert = modelOfLater("bert");
  const llama = modelOfLater("llama");
  const HEAD = ["bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"];

  test("none trains everything, head-only the head, embeddings all but the embeddings", () => {
    expect(trainableNames(bert(), "none").size).toBe(bert().parameters.size);
    expect([...trainableNames(bert(), "head-only")].sort()).toEqual([...HEAD].sort());
    expect(bert().parameters.size - trainableNames(bert(), "embeddings").size).toBe(5);
    expect([...trainableNames(llama(), "head-only")]).toEqual(["score.weight"]);
  });

  test("top-1 trains the last layer and the head, and a decoder's final norm", () => {
    const layers = (names: Set<string>) =>
      [...names].filter((n) => !n.includes("layer.1.") && !n.includes("layers.1."));
    expect(layers(trainableNames(bert(), "top-1")).sort()).toEqual([...HEAD].sort());
    expect(layers(trainableNames(llama(), "top-1")).sort()).toEqual(["model.norm.weight", "score.weight"]);
    expect(trainableNames(bert(), "top-2").size).toBe(bert().parameters.size - 5);
  });

  test("a pattern freezes what it matches; rules that make no sense are refused", () => {
    expect([...trainableNames(llama(), "pattern:^model\\.")]).toEqual(["score.weight"]);
    expect(() => trainableNames(llama(), "pattern:.")).toThrow(/something left to train/);
    expect(() => trainableNames(llama(), "pattern:(")).toThrow(/regular expression/);
    expect(() => trainableNames(llama(), "all")).toThrow(/none, head-only, top-N/);
  });

  test("gradual unfreezing goes down one layer an epoch, then to the embeddings", () => {
    expect([1, 2, 3, 4].map((epoch) => gradualFreeze(bert().config, epoch))).toEqual([
      "head-only",
      "top-1",
      "top-2",
      "none",
    ]);
  });
});

describe("architectureTable", () => {
  test("lists each layer with its shape, parameters and what of them trains", () => {
    const model = modelOf(readGolden("bert"));
    const rows = architectureTable(model, 9, trainableNames(model, "head-only"));
    expect(rows[0]).toEqual({
      layer: "bert.embeddings.word_embeddings",
      type: "Embedding",
      outputShape: "(1, 9, 16)",
      parameters: 640,
      trainable: 0,
      megabytes: 2560 / 2 ** 20,
    });
    expect(rows.find((row) => row.layer === "bert.encoder.layer.1.intermediate.dense")).toMatchObject({
      type: "Linear",
      outputShape: "(1, 9, 24)",
      parameters: 408,
    });
    expect(rows.find((row) => row.layer === "bert.encoder.layer.0.output.LayerNorm")).toMatchObject({
      type: "LayerNorm",
      outputShape: "(1, 9, 16)",
      parameters: 32,
    });
    expect(rows[rows.length - 1]).toMatchObject({
      layer: "classifier",
      outputShape: "(1, 1)",
      parameters: 17,
      trainable: 17,
    });
    const totals = architectureTotals(rows);
    expect(totals).toMatchObject({ parameters: countParameters(model), trainable: 16 * 17 + 17 });
    model.dispose();
  });

  test("shows low-rank updates as layers of their own", () => {
    const model = modelOf(readGolden("llama"));
    attachLora(model, { rank: 2 });
    const rows = architectureTable(model, 9);
    expect(rows.filter((row) => row.type === "LoRA")).toHaveLength(4);
    expect(rows.find((row) => row.layer === "model.layers.0.self_attn.v_proj.lora")).toMatchObject({
      outputShape: "(1, 9, 8)",
      parameters: 2 * 16 + 8 * 2,
      trainable: 48,
    });
    expect(architectureTotals(rows).trainable).toBe(2 * (64 + 48) + 16);
    model.dispose();
  });
});

/** Models need the backend, which starts after the tests are listed. */
function modelOfLater(name: string): () => ReturnType<typeof modelOf> {
  let model: ReturnType<typeof modelOf> | null = null;
  return () => (model ??= modelOf(readGolden(name)));
}
