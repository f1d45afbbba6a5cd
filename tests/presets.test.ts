// Every field of every preset against its source: equal, said in `differs`, or left open by the source.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { presetNames, readPreset, resolveConfig, trainingSchema, type TrainingConfig } from "../lib/config";
import { InputError } from "../lib/errors";

type Field = keyof TrainingConfig;

/** Files, names, and how a run is kept: no source and no number of the model speaks of them. */
const KEEPING: readonly Field[] = [
  ...(["pairs", "val", "run", "preset", "resume", "overwrite", "skip_bad_rows", "ignore_fields"] as const),
  ...(["category_field", "minimum_gap", "tokens_per_batch", "gate_min_pairs", "gate_p_value"] as const),
];

/** What PyTorch's AdamW and a loop without anything further do. */
const BARE: Partial<TrainingConfig> = {
  ...{ adam_beta1: 0.9, adam_beta2: 0.999, adam_epsilon: 1e-8, weight_decay: 0.01 },
  ...{ gradient_accumulation: 1, max_steps: 0, eval_steps: 0, linked_pairs: 1, patience: 0, gate: "off" },
  ...{ warmup_ratio: 0, schedule: "constant", grad_clip: 0, precision: "f32", dropout: true, freeze: "none" },
  ...{ loss: "bradley-terry", beta: 0, margin: 0, label_smoothing: 0, centering: 0, test_ratio: 0 },
  ...{ architecture: "separate", lora_rank: 0, truncation: "right", drop_weak: false },
};

interface Source {
  readonly states: Partial<TrainingConfig>;
  /** Fields that the source leaves open: it has no such number, or takes it from a configuration that it does not show. */
  readonly open: readonly Field[];
  /** Fields whose value is another, each with the words that say so. */
  readonly told: Partial<Record<Field, RegExp>>;
}
const ADAPTERS: readonly Field[] = ["lora_alpha", "lora_dropout", "lora_targets"];
const GATE: readonly Field[] = ["gate_train_accuracy", "gate_val_accuracy", "gate_gap"];
const gate = /quality gate .* source has none/;
const precision = /bf16 .* source computes in f32/;

const SOURCES: Record<string, Source> = {
  original: {
    states: {
      ...BARE,
      ...{ model: "meta-llama/Llama-3.2-3B-Instruct", template: "Question:\n{prompt}\n\nAnswer:\n{response}" },
      ...{ train_ratio: 0.9, val_ratio: 0.1, keep_ties: true, max_length: 1024, beta: 3, batch_size: 2, epochs: 5 },
      ...{ grad_clip: 1, learning_rate: 2e-5, weight_decay: 0, patience: 2, seed: 42, head: "auto" },
      // the configuration of Llama 3.2 has no dropout
      dropout: false,
    },
    open: [...ADAPTERS, ...GATE, "warmup_steps", "save_steps"],
    told: { gate, precision: /bf16 or f32 instead of fp16/ },
  },
  "bert-pairwise": {
    states: {
      ...BARE,
      ...{ model: "bert-base-uncased", template: "{prompt}{response}", train_ratio: 0.9, val_ratio: 0.1 },
      ...{ max_length: 256, batch_size: 8, epochs: 5, learning_rate: 5e-5, head: "auto" },
    },
    open: [...ADAPTERS, ...GATE, "warmup_steps", "save_steps", "seed", "keep_ties"],
    told: { gate, precision },
  },
  "distilbert-course": {
    states: {
      ...BARE,
      ...{ model: "distilbert-base-uncased", template: "{prompt} {response}", max_length: 128, batch_size: 32 },
      ...{ epochs: 3, learning_rate: 1e-4, schedule: "linear", warmup_steps: 100, freeze: "head-only", head: "cls" },
    },
    open: [...ADAPTERS, ...GATE, "train_ratio", "val_ratio", "warmup_ratio", "save_steps", "seed", "keep_ties"],
    told: { gate, precision: /bf16 or f32 instead of fp16/ },
  },
  "margin-teaching": {
    states: {
      ...BARE,
      ...{ batch_size: 4, epochs: 1, learning_rate: 1e-5, schedule: "linear", warmup_steps: 100, grad_clip: 1 },
      ...{ gradient_accumulation: 4, head: "value" },
    },
    open: [
      ...[...ADAPTERS, ...GATE],
      ...(["model", "template", "max_length", "train_ratio", "val_ratio"] as const),
      ...(["warmup_ratio", "save_steps", "seed", "keep_ties"] as const),
    ],
    told: { gate, precision },
  },
  stage3: {
    states: {
      ...BARE,
      ...{ template: "{prompt} {response}", train_ratio: 0.8, val_ratio: 0.2, eval_steps: 100, save_steps: 100 },
      ...{ schedule: "linear", grad_clip: 1, weight_decay: 0, seed: 42, head: "auto" },
      ...{ gate: "enforce", gate_train_accuracy: 0.7, gate_val_accuracy: 0.7, gate_gap: 0.1 },
    },
    open: [
      ...ADAPTERS,
      ...(["model", "max_length", "learning_rate", "batch_size", "epochs", "warmup_steps", "keep_ties"] as const),
    ],
    told: { precision, warmup_ratio: /warms up over a tenth .* Trainer's own default is none/ },
  },
};

const differences = (preset: string): string[] =>
  JSON.parse(readFileSync(join(__dirname, "..", "presets", `${preset}.json`), "utf8")).differs;

describe.each(presetNames())("preset %s", (preset) => {
  const config = resolveConfig({ preset });
  const { states, open, told } = SOURCES[preset];
  const fields = (Object.keys(trainingSchema.shape) as Field[]).filter((field) => !KEEPING.includes(field));

  test("accounts for every field once", () => {
    const stated = Object.keys(states) as Field[];
    expect([...new Set([...stated, ...open])].sort()).toEqual([...fields].sort());
  });

  test("has its source's value, or says that it differs", () => {
    const other = fields.filter((field) => field in states && !open.includes(field) && config[field] !== states[field]);
    expect(other.sort()).toEqual(Object.keys(told).sort());
    for (const words of Object.values(told)) expect(differences(preset).join("\n")).toMatch(words);
  });

  test("says what no field shows: decay, the end of a text, the loss, the best checkpoint", () => {
    const said = differences(preset).join("\n");
    if (config.weight_decay > 0 || preset === "stage3") expect(said).toMatch(/weight decay.* spares/);
    if (!/bert/.test(config.model ?? "")) expect(said).toContain("an end-of-sequence token closes");
    if (preset === "original") expect(said).toContain("1e-8 inside the logarithm");
    if (/stage3|margin/.test(preset)) expect(said).toContain("equal accuracy");
  });
});

test("a damaged preset is an error that names its file", () => {
  const folder = mkdtempSync(join(tmpdir(), "presets-"));
  const path = join(folder, "mine.json");
  for (const [content, said] of [
    ["{", /mine\.json: expected JSON/],
    ["[]", /mine\.json: expected fields of a configuration/],
    ['{"epochs": "three"}', /mine\.json: expected fields of a configuration, got epochs/],
    ['{"epoch": 3}', /mine\.json: expected fields of a configuration/],
  ] as const) {
    writeFileSync(path, content);
    expect(() => readPreset("mine", folder)).toThrow(said);
    expect(() => readPreset("mine", folder)).toThrow(InputError);
  }
  writeFileSync(path, '{"about": "mine", "epochs": 3}');
  expect(readPreset("mine", folder)).toEqual({ epochs: 3 });
  rmSync(folder, { recursive: true });
});
