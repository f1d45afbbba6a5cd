// In: presets, JSON and command-line flags. Out: the one resolved, validated configuration of a run.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { inheritedSettings } from "./checkpoints/inherit";
import { InputError, UsageError } from "./errors";
import { readJsonFile } from "./files/json";
import { projectPath } from "./files/paths";
import { DEFAULT_TEMPLATE } from "./text/template";

const fraction = z.number().min(0).max(1);
const count = z.number().int().min(0);
/** Larger factors of a loss run out of the range of 32-bit floating point sooner or later. */
const LARGEST = 1e6;

/** What the quality gate asks for (`checkQualityGate`). */
export const GATE_LIMITS = { trainAccuracy: 0.7, valAccuracy: 0.7, gap: 0.1, pValue: 0.01 } as const;

/** Every field of a training run; a command-line flag is the field's name with dashes. */
export const trainingSchema = z.strictObject({
  pairs: z
    .string()
    .describe("file of preference pairs (.jsonl, .json, .jsonl.gz, .parquet, .csv); required (default: none)")
    .optional(),
  val: z.string().describe("file of validation pairs (default: none, the pairs are split by question)").optional(),
  model: z.string().describe("model directory or name under models/ (default: the default encoder)").optional(),
  run: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "letters, digits, '.', '_' and '-' only")
    .default("default")
    .describe("name of the run: metrics/RUN and checkpoints/RUN"),
  preset: z.string().describe("defaults of one of the source systems, by name (default: none)").optional(),
  resume: z.boolean().default(false).describe("go on from the newest verified checkpoint of the run"),
  overwrite: z
    .boolean()
    .default(false)
    .describe(
      "begin anew where a run of that name has written; with resume: only if nothing saved can be gone on with",
    ),

  seed: count.default(42).describe("seed of the split, the data order, fresh heads and dropout"),
  skip_bad_rows: z.boolean().default(false).describe("leave out rows that cannot be read instead of stopping"),
  ignore_fields: z
    .string()
    .describe(
      "fields to read as if they were not there, separated by commas; a field with context that the format does not read stops the command otherwise (default: none)",
    )
    .optional(),
  category_field: z
    .string()
    .describe("field that holds the category, such as topic or meta.topic (default: category)")
    .optional(),
  minimum_gap: z
    .number()
    .positive()
    .default(1)
    .describe("least difference that makes a pair of two rated answers, in points of the ratings' scale"),
  keep_ties: z
    .boolean()
    .describe(
      "keep pairs whose two scores are equal (default: in the original notebook's schema, which keeps them; not in others)",
    )
    .optional(),
  drop_weak: z.boolean().default(false).describe("leave out pairs without score difference or with both ratings 1"),
  train_ratio: fraction.default(0.9).describe("share of questions for training"),
  val_ratio: fraction.default(0.1).describe("share of questions for validation"),
  test_ratio: fraction.default(0).describe("share of questions for testing"),
  template: z
    .string()
    .refine((t) => t === "chat" || t.includes("{response}"), "needs {response}, or 'chat' for the chat template")
    .default(DEFAULT_TEMPLATE)
    .describe("input text with {prompt} and {response}; 'chat' applies the tokenizer's chat template"),
  max_length: z.number().int().min(8).default(512).describe("longest input, tokens"),
  truncation: z.enum(["right", "left", "prompt-first"]).default("right").describe("which end of a long input is cut"),

  epochs: z.number().int().min(1).default(2).describe("passes over the training pairs"),
  max_steps: count.default(0).describe("stop after so many optimizer steps; 0: no limit"),
  batch_size: z.number().int().min(1).default(16).describe("pairs of one batch"),
  gradient_accumulation: z.number().int().min(1).default(1).describe("batches of one optimizer step"),
  tokens_per_batch: z.number().int().min(64).default(8192).describe("most padded tokens of one graph run (memory)"),
  linked_pairs: z
    .number()
    .int()
    .min(1)
    .describe(
      "most pairs that go side by side because they share an answer, which is then read once; 1: purely random batches (default: a quarter of an update's, at most 4)",
    )
    .optional(),
  learning_rate: z.number().positive().default(5e-5).describe("peak learning rate"),
  schedule: z.enum(["linear", "cosine", "constant"]).default("linear").describe("learning rate after the warm-up"),
  warmup_ratio: fraction.default(0.1).describe("share of the steps that warm up linearly"),
  warmup_steps: count.describe("warm-up in steps; takes the place of the ratio (default: none)").optional(),
  weight_decay: z.number().min(0).default(0.01).describe("decoupled decay (none on biases and norms)"),
  adam_beta1: fraction.default(0.9).describe("AdamW β1"),
  adam_beta2: fraction.default(0.999).describe("AdamW β2"),
  adam_epsilon: z.number().positive().default(1e-8).describe("AdamW ε"),
  grad_clip: z.number().min(0).default(1).describe("largest global gradient norm; 0: no clipping"),
  loss: z.enum(["bradley-terry", "scaled"]).default("bradley-terry").describe("what a margin does to the loss"),
  beta: z.number().min(0).max(LARGEST).default(3).describe("weight of a pair: 1 + beta · confidence_penalty"),
  margin: z.number().min(0).max(LARGEST).default(0).describe("margin of pairs that carry none"),
  label_smoothing: z.number().min(0).max(0.499).default(0).describe("share of labels taken to be flipped"),
  centering: z
    .number()
    .min(0)
    .max(LARGEST)
    .default(0)
    .describe("λ of λ(r_chosen + r_rejected)²; 0.01 stops rewards from drifting"),
  dropout: z.boolean().default(false).describe("dropout at the model's own rates while training"),
  freeze: z
    .string()
    .default("none")
    .describe("none, head-only, top-N, embeddings, pattern:REGEX; gradual: one more layer from the top each epoch"),
  head: z
    .enum(["auto", "classification", "cls", "value", "mean"])
    .default("auto")
    .describe(
      "classification: as transformers has it; cls: a linear layer on the first token; value: dropout and a linear layer on the last token; mean: on the mean token",
    ),
  architecture: z
    .enum(["separate", "shared"])
    .default("separate")
    .describe(
      "shared: the head sits on the policy's own language model; with a frozen trunk only head or adapter is saved",
    ),
  lora_rank: count.default(0).describe("rank of LoRA adapters; 0: none"),
  lora_alpha: z.number().positive().default(16).describe("LoRA scale: alpha / rank"),
  lora_dropout: fraction.default(0).describe("dropout before the LoRA projections, share of their inputs"),
  lora_targets: z.string().default("auto").describe("projections that get an adapter, by name, comma-separated"),
  precision: z
    .enum(["auto", "bf16", "f32"])
    .default("auto")
    .describe("matrix products; auto: bf16 where the processor has it"),

  patience: count.default(2).describe("validations without a better (accuracy, −ECE) before stopping; 0: never"),
  eval_steps: count.default(0).describe("validate every so many steps as well; 0: by epoch only"),
  save_steps: count
    .default(100)
    .describe(
      "save the training state every so many steps (a head on a frozen encoder: at least ten seconds apart); 0: by epoch only",
    ),
  gate: z
    .enum(["auto", "enforce", "report", "off"])
    .default("auto")
    .describe("quality gate; auto: enforced from gate_min_pairs on"),
  gate_min_pairs: count.default(100).describe("fewest validation pairs on which the gate is judged"),
  gate_train_accuracy: fraction.default(GATE_LIMITS.trainAccuracy).describe("least training accuracy"),
  gate_val_accuracy: fraction.default(GATE_LIMITS.valAccuracy).describe("least validation accuracy"),
  gate_gap: fraction.default(GATE_LIMITS.gap).describe("largest training minus validation accuracy"),
  gate_p_value: fraction.default(GATE_LIMITS.pValue).describe("largest p of being no better than chance"),
});

/** The resolved configuration of a run, as it is written to `config.json`. */
export type TrainingConfig = z.output<typeof trainingSchema>;
/** What a caller may give: every field has a default. */
export type TrainingInput = z.input<typeof trainingSchema>;

/**
 * Names of the presets shipped with Rewardbook.
 *
 * @example
 * ```ts
 * presetNames().includes("original"); // → true
 * ```
 */
export const presetNames = (): string[] => namesIn(projectPath("presets"));

const namesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((f) => f.endsWith(".json"))
    .map((f) => f.slice(0, -5))
    .sort();

/**
 * @param folder where presets lie; default: those shipped with Rewardbook
 * @throws UsageError when there is no preset of that name
 * @throws InputError when its file is damaged
 */
export function readPreset(name: string, folder = projectPath("presets")): Partial<TrainingInput> {
  const names = namesIn(folder);
  if (!names.includes(name)) {
    throw new UsageError(
      `--preset: expected one of ${names.join(", ")}, got ${JSON.stringify(name)}; choose one of them`,
    );
  }
  const path = join(folder, `${name}.json`);
  const parsed = z.record(z.string(), z.unknown()).safeParse(readJsonFile(path));
  // Beside some fields of a configuration it says what it is and how it differs from its source.
  const { about: _about, differs: _differs, ...fields } = parsed.data ?? {};
  const fault = (parsed.error ?? trainingSchema.partial().safeParse(fields).error)?.issues[0];
  if (fault)
    throw new InputError(
      `${path}: expected fields of a configuration, got ${fault.path.join(".") || "something else"} (${fault.message}); restore the file`,
    );
  return fields;
}

/**
 * The configuration of a run: what the caller gave, over the preset, over what the model was trained with, over the defaults.
 *
 * @throws UsageError naming every field at fault
 * @example
 * ```ts
 * resolveConfig({ pairs: "pairs.jsonl", epochs: 1 }).learning_rate; // → 0.00005
 * ```
 */
export function resolveConfig(input: TrainingInput = {}): TrainingConfig {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const preset = input.preset === undefined ? {} : readPreset(input.preset);
  const inherited = inheritedSettings(input.model);
  const parsed = trainingSchema.safeParse({ ...inherited, ...preset, ...given });
  if (!parsed.success) {
    const lines = parsed.error.issues.flatMap((issue) => faultsOf(issue, given));
    throw new UsageError(`configuration: ${lines.join("; ")}; see rewardbook train --help`);
  }
  const config = parsed.data;
  const sum = config.train_ratio + config.val_ratio + config.test_ratio;
  if (Math.abs(sum - 1) > 1e-6) {
    throw new UsageError(
      `configuration: expected train_ratio + val_ratio + test_ratio = 1, got ${sum}; change one of the three`,
    );
  }
  return config;
}

function faultsOf(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string[] {
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const meant = fieldLike(key);
      return `expected a field of the configuration, got ${JSON.stringify(key)}${meant ? `, which is written ${meant}` : ""}`;
    });
  const field = issue.path.join(".");
  const expected = issue.message.replace(/^Invalid \w+: /, "").replace(/, received .*$/, "");
  return [`${field || "fields"}: ${expected}, got ${JSON.stringify(given[String(issue.path[0])])}`];
}

/** The field that is spelled alike but for capitals, dashes and underscores, or is longer by its plural. */
function fieldLike(key: string): string | undefined {
  const bare = (name: string) => name.replace(/[-_]/g, "").toLowerCase().replace(/s$/, "");
  return Object.keys(trainingSchema.shape).find((name) => bare(name) === bare(key));
}
