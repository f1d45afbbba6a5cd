// In: a reward model and the projections to adapt. Out: the same model with low-rank updates, to keep apart or fold in.

import * as tf from "@tensorflow/tfjs-core";
import { UsageError } from "../errors";
import { createRandom, hashSeed } from "../random";
import { isDecoder, type ModelConfig, type ModelType } from "./config";
import type { NamedTensor } from "./createModel";
import { trunkShapes } from "./families";
import { variableOf } from "./filledVariable";
import { rowPieces, sliceRows, widen } from "./halfStorage";
import { loraScale, type LoraSettings, type RewardModel } from "./rewardModel";

export interface LoraOptions {
  readonly rank: number;
  /** The update is scaled by alpha/rank. Default 16. */
  readonly alpha?: number;
  /** Of the update's input, while training. Default 0. */
  readonly dropout?: number;
  /** Last parts of module names, or `all-linear`. Default: the query and value projections. */
  readonly targets?: readonly string[];
  readonly seed?: number;
}

const DOWN = ".lora_A.weight";
const UP = ".lora_B.weight";

/** Query and value projections, as in the paper. */
export function defaultTargets(modelType: ModelType): string[] {
  if (isDecoder({ modelType })) return ["q_proj", "v_proj"];
  return modelType === "distilbert" ? ["q_lin", "v_lin"] : ["query", "value"];
}

/** Names of the trunk's linear layers, without `.weight`: every matrix but the embedding tables. */
function linearModules(config: ModelConfig): string[] {
  return [...trunkShapes(config)]
    .filter(([name, shape]) => shape.length === 2 && !/embed/.test(name))
    .map(([name]) => name.slice(0, -".weight".length));
}

/** The modules a list of targets means. @throws UsageError naming a target that is in no layer */
export function targetModules(config: ModelConfig, targets: readonly string[]): string[] {
  const modules = linearModules(config);
  if (targets.includes("all-linear")) return modules;
  const matches = (module: string, target: string) => module === target || module.endsWith(`.${target}`);
  const unknown = targets.find((target) => !modules.some((module) => matches(module, target)));
  if (unknown !== undefined || targets.length === 0) {
    const names = [...new Set(modules.map((module) => module.split(".").pop()!))];
    throw new UsageError(
      `lora_targets: expected all-linear or some of ${names.join(", ")}, got ${JSON.stringify(unknown ?? "")}; choose among them`,
    );
  }
  return modules.filter((module) => targets.some((target) => matches(module, target)));
}

/**
 * Adds to each target W an update B·A·alpha/rank: A [rank, in] uniform in ±1/√in (Kaiming with a = √5, as in PEFT),
 * B [out, rank] zero, so that scores are unchanged at first. `trainableNames` then yields these matrices and the head.
 *
 * @throws UsageError when a target is unknown or the model has an adapter already
 * Reference: Hu et al. (2021), LoRA, arXiv 2106.09685.
 * @example
 * ```ts
 * attachLora(model, { rank: 8 });
 * console.log(trainableNames(model, "none").size);
 * ```
 */
export function attachLora(
  model: RewardModel,
  { rank, alpha = 16, dropout = 0, targets, seed = 0 }: LoraOptions,
): void {
  const chosen = targets ?? defaultTargets(model.config.modelType);
  const tensors = new Map<string, NamedTensor>();
  for (const module of targetModules(model.config, chosen)) {
    const [out, into] = model.parameters.get(`${module}.weight`)!.shape as [number, number];
    const random = createRandom(seed ^ hashSeed(module));
    const bound = 1 / Math.sqrt(into);
    const down = Float32Array.from({ length: rank * into }, () => (2 * random.next() - 1) * bound);
    tensors.set(module + DOWN, { shape: [rank, into], data: down });
    tensors.set(module + UP, { shape: [out, rank], data: new Float32Array(out * rank) });
  }
  attachAdapter(model, { settings: { rank, alpha, dropout, targets: [...chosen] }, tensors });
}

/** The low-rank matrices of a model, by name, with what they mean. */
export interface Adapter {
  readonly settings: LoraSettings;
  readonly tensors: ReadonlyMap<string, NamedTensor>;
}

/** Puts low-rank matrices made elsewhere on a model. */
export function attachAdapter(model: RewardModel, { settings, tensors }: Adapter): void {
  if (model.lora)
    throw new UsageError("attachLora: expected a model without adapter, got one with; merge it first (mergeLora)");
  for (const [name, { shape, data }] of tensors) model.parameters.set(name, variableOf(shape, data));
  model.lora = settings;
}

/** Takes the low-rank matrices off a model. */
export function detachLora(model: RewardModel): Adapter {
  if (!model.lora)
    throw new UsageError(
      "detachLora: expected a model with an adapter, got one without; attach one first (attachLora)",
    );
  const tensors = new Map<string, NamedTensor>();
  for (const [name, variable] of loraParameters(model)) {
    tensors.set(name, { shape: variable.shape, data: variable.dataSync() as Float32Array });
    variable.dispose();
    model.parameters.delete(name);
  }
  const adapter = { settings: model.lora, tensors };
  model.lora = null;
  return adapter;
}

/** The model's low-rank matrices, by name. */
export function loraParameters(model: Pick<RewardModel, "parameters">): Map<string, tf.Variable> {
  return new Map([...model.parameters].filter(([name]) => name.endsWith(DOWN) || name.endsWith(UP)));
}

/** B·A·alpha/rank of a module, in the shape of its weight. */
function update({ parameters, lora }: RewardModel, module: string): tf.Tensor {
  const [up, down] = [parameters.get(module + UP)!, parameters.get(module + DOWN)!] as tf.Variable<tf.Rank.R2>[];
  return tf.mul(tf.matMul(up, down), loraScale(lora!));
}

/** Adds `sign` times every update to its weight. */
function fold(model: RewardModel, sign: 1 | -1): void {
  for (const name of loraParameters(model).keys()) {
    if (!name.endsWith(DOWN)) continue;
    const module = name.slice(0, -DOWN.length);
    const weight = model.parameters.get(`${module}.weight`)!;
    tf.tidy(() => weight.assign(tf.add(widen(weight), tf.mul(update(model, module), sign))));
  }
}

/**
 * Folds the updates into the weights: a plain model of the same scores. @returns the adapter, for `unmergeLora`
 *
 * @example
 * ```ts
 * const adapter = mergeLora(model); // one product a layer while the model only scores
 * unmergeLora(model, adapter);
 * ```
 */
export function mergeLora(model: RewardModel): Adapter {
  fold(model, 1);
  return detachLora(model);
}

/**
 * Undoes `mergeLora`, up to rounding.
 *
 * @example
 * ```ts
 * unmergeLora(model, mergeLora(model));
 * ```
 */
export function unmergeLora(model: RewardModel, adapter: Adapter): void {
  attachAdapter(model, adapter);
  fold(model, -1);
}

/** A parameter whose numbers come when they are asked for, some whole rows at a time. */
export interface MergedParameter {
  readonly shape: readonly number[];
  readonly pieces: () => Iterable<Float32Array>;
}

/**
 * The parameters of the plain model of the same scores, the model left as it is: what a checkpoint holds.
 * No more than a few rows are copied at a time, and one update.
 */
export function mergedParameters(model: RewardModel): [name: string, parameter: MergedParameter][] {
  const low = loraParameters(model);
  return [...model.parameters]
    .filter(([name]) => !low.has(name))
    .map(([name, variable]) => {
      const module = name.slice(0, -".weight".length);
      const pieces = () => (low.has(module + DOWN) ? mergedPieces(model, module) : rowPieces(variable));
      return [name, { shape: variable.shape, pieces }];
    });
}

/** A weight with its update added. The update is one product, as in `mergeLora`: products of fewer rows might round otherwise. */
function* mergedPieces(model: RewardModel, module: string): Generator<Float32Array> {
  const added = tf.tidy(() => update(model, module));
  try {
    yield* rowPieces(model.parameters.get(`${module}.weight`)!, (rows, from, to) =>
      tf.add(rows, sliceRows(added, from, to)),
    );
  } finally {
    added.dispose();
  }
}
