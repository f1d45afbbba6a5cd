// In: a model with low-rank updates. Out: a PEFT adapter directory that Python's `peft` loads; and back.
// Format: peft 0.21, `adapter_config.json` and `adapter_model.safetensors`; the head goes along as `modules_to_save`.

import * as tf from "@tensorflow/tfjs-core";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../errors";
import { writeDirectoryAtomically } from "../files/directory";
import { openTensors, readSafetensors, writeSafetensors } from "../files/safetensors";
import type { NamedTensor } from "../models/createModel";
import { headShapes } from "../models/heads";
import { rowPieces } from "../models/halfStorage";
import { attachAdapter, loraParameters } from "../models/lora";
import type { LoraSettings, RewardModel } from "../models/rewardModel";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";
/** What PEFT puts before the names of the wrapped model. */
const PREFIX = "base_model.model.";
/** PEFT's word for an adapter without low-rank updates: only the modules to save. */
const NO_TARGETS = "dummy-target-modules";

/** The head's parameters, saved whole: all but those of a layer that has a low-rank update itself. */
function headNames(model: RewardModel): string[] {
  return [...headShapes(model.config).keys()].filter(
    (name) => !model.parameters.has(name.replace(/\.(weight|bias)$/, ".lora_A.weight")),
  );
}

/** Their modules, as PEFT names them: `pooler` for `bert.pooler.dense`, else the first part. */
function headModules(model: RewardModel): string[] {
  return [
    ...new Set(headNames(model).map((name) => (name.startsWith("bert.pooler.") ? "pooler" : name.split(".")[0]))),
  ];
}

export interface WriteAdapterOptions {
  /** Name or path of the base model, which Python's AutoPeftModel loads first. */
  readonly baseModel?: string;
  readonly dtype?: "F32" | "BF16";
  /** Writes further files before the manifest. */
  readonly extra?: (dir: string) => Promise<void>;
}

/**
 * Saves the low-rank updates and the head, without the trunk. Without updates, the head alone: policy and reward model
 * can then share one trunk on disk.
 */
export async function writeAdapter(dir: string, model: RewardModel, options: WriteAdapterOptions = {}): Promise<void> {
  const names = [...loraParameters(model).keys(), ...headNames(model)];
  const entries = names.map((name) => {
    const variable = model.parameters.get(name)!;
    return [PREFIX + name, { shape: variable.shape, pieces: () => rowPieces(variable) }] as const;
  });
  await writeDirectoryAtomically(dir, async (temporary) => {
    await writeSafetensors(join(temporary, WEIGHTS_FILE), entries, { dtype: options.dtype });
    const config = adapterConfig(model, options.baseModel ?? null);
    await writeFile(join(temporary, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
    await options.extra?.(temporary);
  });
}

function adapterConfig(model: RewardModel, baseModel: string | null): Record<string, unknown> {
  const { rank, alpha, dropout, targets } = model.lora ?? { rank: 8, alpha: 8, dropout: 0, targets: [] };
  const adapted = [...loraParameters(model).keys()].map((name) => name.replace(/\.lora_[AB]\.weight$/, ""));
  // PEFT matches by suffix over the whole model: a word that also names a layer of the head would adapt that too
  const ambiguous = targets.some((target) => target === "all-linear" || /^(dense|out_proj)$/.test(target));
  return {
    peft_type: "LORA",
    task_type: "SEQ_CLS",
    base_model_name_or_path: baseModel,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: adapted.length === 0 ? NO_TARGETS : ambiguous ? [...new Set(adapted)] : targets,
    modules_to_save: headModules(model),
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    use_rslora: false,
    use_dora: false,
    ...(model.config.head === "classification" ? {} : { rewardbook_head: model.config.head }),
  };
}

const configSchema = z.looseObject({
  peft_type: z.literal("LORA"),
  r: z.number().int().positive(),
  lora_alpha: z.number().positive(),
  lora_dropout: z.number().min(0).max(0.999).default(0),
  target_modules: z.union([z.string(), z.array(z.string())]).nullish(),
  bias: z.literal("none").default("none"),
  use_rslora: z.boolean().default(false),
  use_dora: z.literal(false).default(false),
  lora_bias: z.literal(false).default(false),
  fan_in_fan_out: z.literal(false).default(false),
  rank_pattern: z.record(z.string(), z.never()).nullish(),
  alpha_pattern: z.record(z.string(), z.never()).nullish(),
});

async function readSettings(dir: string): Promise<LoraSettings> {
  const path = join(dir, CONFIG_FILE);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new InputError(
      `${path}: expected a PEFT adapter's configuration, got ${(error as Error).message}; give the adapter's directory`,
    );
  }
  const result = configSchema.safeParse(json);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new InputError(
      `${path}: ${issue.path.join(".") || "top level"}: ${issue.message}; merge the adapter in Python (merge_and_unload) and load the whole model`,
    );
  }
  const { r: rank, lora_alpha, lora_dropout: dropout, use_rslora, target_modules: targets } = result.data;
  const alpha = use_rslora ? lora_alpha * Math.sqrt(rank) : lora_alpha; // so that alpha/rank is its scale
  return { rank, alpha, dropout, targets: Array.isArray(targets) ? targets : [] };
}

/** Name of a tensor in the model: PEFT's prefix and the wrappers of old versions taken off. */
function modelName(name: string): string {
  return name
    .replace(PREFIX, "")
    .replace(/\.modules_to_save(\.default)?\./, ".")
    .replace(/\.lora_([AB])\.default\./, ".lora_$1.");
}

/**
 * Loads a PEFT adapter onto its base model: low-rank updates are attached, the head's tensors replace the model's.
 *
 * @throws InputError for another kind of adapter, or a tensor that does not fit the model
 */
export async function readAdapter(dir: string, model: RewardModel): Promise<void> {
  const settings = await readSettings(dir);
  const path = join(dir, WEIGHTS_FILE);
  const updates = new Map<string, NamedTensor>();
  const head: [string, NamedTensor][] = [];
  for (const [stored, tensor] of await readSafetensors(path)) {
    const name = modelName(stored);
    const expected = expectedShape(model, name, settings.rank);
    if (!expected || String(expected) !== String(tensor.shape)) {
      throw new InputError(
        `${path}: ${stored}: expected ${expected ? `shape [${expected}]` : "a tensor of the model"}, got [${tensor.shape}]; take the base model the adapter was trained on`,
      );
    }
    if (/\.lora_[AB]\.weight$/.test(name)) updates.set(name, tensor);
    else head.push([name, tensor]);
  }
  checkPairs(updates, path);
  if (updates.size > 0) attachAdapter(model, { settings, tensors: updates });
  for (const [name, { shape, data }] of head) {
    const fresh = tf.tensor(data, [...shape]);
    model.parameters.get(name)!.assign(fresh);
    fresh.dispose();
  }
  const brought = new Set(head.map(([name]) => name));
  model.fresh = model.fresh.filter((name) => !brought.has(name));
}

/** Whether an adapter has embeddings of its own (PEFT's `modules_to_save`). */
export const bringsEmbeddings = async (dir: string): Promise<boolean> =>
  [...(await openTensors(join(dir, WEIGHTS_FILE))).names].some((name) => /embed/.test(name));

function expectedShape(model: RewardModel, name: string, rank: number): number[] | null {
  const low = /^(.*)\.lora_([AB])\.weight$/.exec(name);
  const weight = model.parameters.get(low ? `${low[1]}.weight` : name);
  if (!weight) return null;
  if (!low) return weight.shape;
  return low[2] === "A" ? [rank, weight.shape[1]!] : [weight.shape[0]!, rank];
}

function checkPairs(updates: ReadonlyMap<string, NamedTensor>, path: string): void {
  for (const name of updates.keys()) {
    const other = name.replace(/lora_([AB])/, (_, side) => `lora_${side === "A" ? "B" : "A"}`);
    if (!updates.has(other))
      throw new InputError(
        `${path}: expected the tensor ${PREFIX}${other} beside its other half, got none; save the adapter again`,
      );
  }
}
