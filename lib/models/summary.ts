// In: a reward model and a text length. Out: its layers as a table: what each is, gives out and weighs.

import type * as tf from "@tensorflow/tfjs-core";
import { isHalf } from "./halfStorage";
import { headShapes } from "./heads";
import { trainableNames } from "./freeze";
import type { RewardModel } from "./rewardModel";

/** One layer of the architecture table. */
export interface ArchitectureRow {
  /** Path of the module, as Python names it. */
  readonly layer: string;
  readonly type: "Embedding" | "Linear" | "LoRA" | "LayerNorm" | "RMSNorm";
  /** For a batch of one text, as in `(1, 64, 384)`. */
  readonly outputShape: string;
  readonly parameters: number;
  /** Parameters that are trained. */
  readonly trainable: number;
  /** Of the parameters as they are kept, f32 or bf16; 2²⁰ bytes. */
  readonly megabytes: number;
}

const bytesOf = (parameter: tf.Variable): number => parameter.size * (isHalf(parameter) ? 2 : 4);

/**
 * The layers of a model in the order of its parameters.
 *
 * @param T       length of the text, tokens
 * @param trained names of the trained parameters; all of them when absent
 * @example
 * ```ts
 * createTable(architectureTable(model, 512, trainableNames(model, "head-only")).map((row) => ({ ...row })));
 * ```
 */
export function architectureTable(
  model: RewardModel,
  T: number,
  trained = trainableNames(model, "none"),
): ArchitectureRow[] {
  const head = headShapes(model.config);
  const modules = new Map<string, string[]>();
  for (const name of model.parameters.keys()) {
    const module = name.replace(/\.(lora_[AB]\.)?(weight|bias)$/, (_, low) => (low ? ".lora" : ""));
    modules.set(module, [...(modules.get(module) ?? []), name]);
  }
  return [...modules].map(([layer, names]) => {
    const size = (list: string[]) => list.reduce((sum, name) => sum + model.parameters.get(name)!.size, 0);
    const parameters = size(names);
    const rows = names.some((name) => head.has(name)) ? "" : `${T}, `;
    return {
      layer,
      type: typeOf(model, layer, names),
      outputShape: `(1, ${rows}${widthOf(model, layer, names)})`,
      parameters,
      trainable: size(names.filter((name) => trained.has(name))),
      megabytes: names.reduce((sum, name) => sum + bytesOf(model.parameters.get(name)!), 0) / 2 ** 20,
    };
  });
}

function typeOf(model: RewardModel, layer: string, names: string[]): ArchitectureRow["type"] {
  if (layer.endsWith(".lora")) return "LoRA";
  if (model.parameters.get(names[0])!.rank === 1) return names.length === 2 ? "LayerNorm" : "RMSNorm";
  return /embed/.test(layer) ? "Embedding" : "Linear";
}

/** Last axis of what the layer gives out: an embedding's columns, a linear layer's rows. */
function widthOf(model: RewardModel, layer: string, names: string[]): number {
  const { shape } = model.parameters.get(names[names.length - 1])!;
  const [weight] = names.map((name) => model.parameters.get(name)!.shape);
  if (layer.endsWith(".lora")) return shape[0]; // B comes after A
  return typeOf(model, layer, names) === "Embedding" ? weight[1]! : weight[0];
}

/**
 * Sums of a table.
 *
 * @example
 * ```ts
 * const { parameters, frozen } = architectureTotals(architectureTable(model, 512));
 * console.log(parameters, frozen);
 * ```
 */
export function architectureTotals(rows: readonly ArchitectureRow[]): {
  parameters: number;
  trainable: number;
  frozen: number;
  megabytes: number;
} {
  const sum = (key: "parameters" | "trainable" | "megabytes") => rows.reduce((total, row) => total + row[key], 0);
  const [parameters, trainable] = [sum("parameters"), sum("trainable")];
  return { parameters, trainable, frozen: parameters - trainable, megabytes: sum("megabytes") };
}
