// In: a configuration and the tensors of a checkpoint. Out: a reward model: named variables and the function from token ids to scores.

import * as tf from "@tensorflow/tfjs-core";
import { nativeBackend } from "../engine/binding";
import { InputError } from "../errors";
import { createRandom, hashSeed } from "../random";
import { isDecoder, type HeadKind, type ModelConfig } from "./config";
import { className, hiddenStates, trunkPrefix, trunkShapes } from "./families";
import { headShapes, meanOverTokens, outputModule, rowRead, scorePooledRows } from "./heads";
import { halfVariable } from "./halfStorage";
import { createDropout, layoutOf, type Forward } from "./layers";
import { activationBytes, RECOMPUTE_ABOVE } from "./memory";

export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** Last parts of module names, such as `query` or `q_proj`. */
  readonly targets: readonly string[];
}

/** What an update B·A is multiplied by. */
export const loraScale = ({ rank, alpha }: LoraSettings): number => alpha / rank;

export interface RewardModel {
  readonly config: ModelConfig;
  /** Hugging Face tensor name, as the …ForSequenceClassification class saves it, → variable in Hugging Face orientation. */
  readonly parameters: Map<string, tf.Variable>;
  /** Whether the output layer was drawn anew; an adapter that is read afterwards brings its own. */
  freshHead: boolean;
  /** Parameters that the checkpoint lacked and that were drawn anew: the head's. */
  readonly fresh: readonly string[];
  /** Tensors of the checkpoint that a reward model has no use for (`lm_head.weight`, …). */
  readonly dropped: readonly string[];
  /** Set while low-rank updates are attached; see lora.ts. */
  lora: LoraSettings | null;
  dispose(): void;
}

export interface ModelInputs {
  readonly ids: tf.Tensor2D; // [B, T] int32
  readonly mask: tf.Tensor2D; // [B, T] float32, 1 = token
}

export interface ScoreOptions {
  /** int32 [2]: turns dropout on. */
  readonly dropoutSeed?: tf.Tensor1D;
  /** Computes all rows of the last layer, for measurements: scores are the same. */
  readonly fullLastLayer?: boolean;
  /**
   * Saves memory in training: each layer is computed again in the backward pass. Same scores and gradients.
   * Default: where a batch of this shape would keep too much; see memory.ts.
   */
  readonly recompute?: boolean;
}

/** One tensor of a checkpoint. */
export interface NamedTensor { readonly shape: readonly number[]; readonly data: Float32Array }

/** The same, or in bfloat16 (the upper halves of float32 numbers) for weights that are not trained. */
export interface CheckpointTensor { readonly shape: readonly number[]; readonly data: Float32Array | Uint16Array }

export interface CreateOptions {
  /** Seed of a fresh head. */
  readonly seed?: number;
  /** Another head than the configuration names. */
  readonly head?: HeadKind;
  /** Path of the checkpoint, for messages. */
  readonly where?: string;
}

/** Name → shape of every parameter of a reward model: trunk, then head. */
export function parameterShapes(config: ModelConfig): Map<string, number[]> {
  return new Map([...trunkShapes(config), ...headShapes(config)]);
}

/**
 * The name a tensor has in memory: `gamma` and `beta` of old BERT checkpoints become `weight` and `bias`,
 * and a base model's tensors get the prefix that transformers' sequence classifier gives them.
 */
export function canonicalName(config: ModelConfig, name: string): string {
  const modern = name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");
  const prefix = trunkPrefix(config);
  const isTrunk = /^(embeddings|encoder|pooler|transformer|embed_tokens|layers|norm)\./.test(modern);
  return isTrunk ? prefix + modern : modern;
}

/** Tensors that are no parameters: position counters and frequencies that old versions of transformers saved. */
const BUFFER = /\.(position_ids|token_type_ids|inv_freq)$/;

/**
 * Makes a reward model from a checkpoint's tensors. A base model or causal language model gets a fresh head: output layer
 * normal with std 1/√(H+1), a missing pooler or dense layer normal with the model's initializer_range, biases 0.
 *
 * @throws InputError naming the tensor that is missing from the trunk, has another shape, or has two or more labels
 */
export function createRewardModel(
  config: ModelConfig, tensors: Iterable<readonly [name: string, tensor: CheckpointTensor]>, options: CreateOptions = {},
): RewardModel {
  const builder = startModel(config, options);
  try {
    for (const [name, tensor] of tensors) builder.add(name, tensor);
    return builder.finish();
  } catch (error) {
    builder.dispose();
    throw error;
  }
}

/** The same from tensors that arrive one by one: only the one at hand is in memory twice. */
export async function streamRewardModel(
  config: ModelConfig, tensors: AsyncIterable<readonly [name: string, tensor: CheckpointTensor]>, options: CreateOptions = {},
): Promise<RewardModel> {
  const builder = startModel(config, options);
  try {
    for await (const [name, tensor] of tensors) builder.add(name, tensor);
    return builder.finish();
  } catch (error) {
    builder.dispose();
    throw error;
  }
}

interface ModelBuilder {
  add(name: string, tensor: CheckpointTensor): void;
  finish(): RewardModel;
  dispose(): void;
}

function startModel(baseConfig: ModelConfig, { seed = 0, head, where = "checkpoint" }: CreateOptions): ModelBuilder {
  const config = head && head !== baseConfig.head ? { ...baseConfig, head } : baseConfig;
  const headNames = new Set(headShapes(config).keys());
  const shapes = parameterShapes(config);
  const found = new Map<string, tf.Variable>();
  const dropped: string[] = [];

  const add: ModelBuilder["add"] = (stored, { shape, data }) => {
    const name = canonicalName(config, stored);
    const expected = shapes.get(name);
    if (!expected) {
      if (!BUFFER.test(name)) dropped.push(name);
      return;
    }
    checkShape({ name, shape: expected, found: shape, isHead: headNames.has(name), where });
    found.get(name)?.dispose();
    found.set(name, variableOf(shape, data));
  };

  const finish = (): RewardModel => {
    const fresh: string[] = [];
    for (const [name, shape] of shapes) {
      if (found.has(name)) continue;
      if (!headNames.has(name)) {
        throw new InputError(`${where}: expected the tensor ${name} of a ${config.modelType} model, got none; the checkpoint is incomplete or of another model`);
      }
      found.set(name, variableOf(shape, freshParameter(config, name, shape, seed).data));
      fresh.push(name);
    }
    const parameters = new Map([...shapes.keys()].map((name) => [name, found.get(name)!]));
    return {
      config, parameters, fresh, dropped, lora: null,
      freshHead: fresh.includes(`${outputModule(config)}.weight`),
      dispose: () => parameters.forEach((variable) => variable.dispose()),
    };
  };
  return { add, finish, dispose: () => found.forEach((variable) => variable.dispose()) };
}

function checkShape({ name, shape, found, isHead, where }: { name: string; shape: number[]; found: readonly number[]; isHead: boolean; where: string }): void {
  if (shape.length === found.length && shape.every((size, i) => size === found[i])) return;
  const labels = isHead && shape[0] === 1 && found[0] > 1;
  const remedy = labels
    ? `a reward model has one label: delete the head's tensors and set num_labels to 1 for a fresh head, or train from the base model`
    : "config.json and the tensors belong to different models";
  throw new InputError(`${where}: ${name}: expected shape [${shape}], got [${found}]; ${remedy}`);
}

function freshParameter(config: ModelConfig, name: string, shape: number[], seed: number): NamedTensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  if (name.endsWith(".bias")) return { shape, data };
  const isOutput = name === `${outputModule(config)}.weight`;
  const deviation = isOutput ? 1 / Math.sqrt(config.hiddenSize + 1) : config.initializerRange;
  const random = createRandom(seed ^ hashSeed(name));
  return { shape, data: data.map(() => deviation * random.normal()) };
}

/** A variable, copied to the backend at once where there is one to copy to, so that the array can go. */
export function variableOf(shape: readonly number[], data: Float32Array | Uint16Array): tf.Variable {
  if (data instanceof Uint16Array) return halfVariable(shape, data);
  const variable = tf.tidy(() => tf.variable(tf.tensor(data, [...shape])));
  nativeBackend()?.getInputTensorIds([variable]);
  return variable;
}

/** What scoring needs of a model: also with plain tensors in place of variables. */
export interface ScorableModel {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  readonly lora: LoraSettings | null;
}

function forwardOf({ config, parameters, lora }: ScorableModel, shape: readonly number[], options: ScoreOptions): Forward {
  const { dropoutSeed, fullLastLayer = false, recompute = activationBytes(config, shape) > RECOMPUTE_ABOVE } = options;
  return {
    config, parameters, fullLastLayer, recompute, dropout: createDropout(dropoutSeed),
    lora: lora && { scale: loraScale(lora), dropout: lora.dropout },
  };
}

function pool(forward: Forward, { ids, mask }: ModelInputs): tf.Tensor2D {
  const layout = layoutOf(mask);
  const hidden = hiddenStates(forward, ids, mask, layout, rowRead(forward.config, layout));
  return forward.config.head === "mean" ? meanOverTokens(hidden, mask) : hidden;
}

/**
 * Scores of a batch, [B]. Left and right padding give the same; a row of padding alone gives a number, not NaN.
 * Differentiable, and traceable: no value is read, no shape depends on data.
 */
export function scoreInputs(model: ScorableModel, inputs: ModelInputs, options: ScoreOptions = {}): tf.Tensor1D {
  const forward = forwardOf(model, inputs.ids.shape, options);
  return scorePooledRows(forward, pool(forward, inputs));
}

/** What the head reads of each text, [B, H]: with a frozen trunk it can be kept, and `scorePooled` goes on from it. */
export function poolInputs(model: ScorableModel, inputs: ModelInputs, options: ScoreOptions = {}): tf.Tensor2D {
  return pool(forwardOf(model, inputs.ids.shape, options), inputs);
}

/** Scores [B] of pooled hidden states [B, H]: `scoreInputs` is this after `poolInputs`. */
export function scorePooled(model: ScorableModel, pooled: tf.Tensor2D, options: ScoreOptions = {}): tf.Tensor1D {
  return scorePooledRows(forwardOf(model, [0, 0], options), pooled);
}

/** Numbers in embedding tables, of which a token meets one row. */
export function embeddingSize(model: RewardModel): number {
  let count = 0;
  for (const [name, variable] of model.parameters) if (/embed/.test(name) && variable.rank === 2) count += variable.size;
  return count;
}

export function countParameters(model: RewardModel): number {
  let count = 0;
  for (const variable of model.parameters.values()) count += variable.size;
  return count;
}

/**
 * The config.json to save with the model: what was read, with the class and the single label of a reward model.
 * A head that transformers does not know is named in `rewardbook_head`, and the class is the base model's.
 */
export function checkpointConfig(config: ModelConfig): Record<string, unknown> {
  const known = config.head === "classification" || (config.head === "value" && isDecoder(config));
  const { rewardbook_head: _, ...raw } = config.raw;
  return {
    ...raw,
    ...(config.head === "classification" ? {} : { rewardbook_head: config.head }),
    architectures: [className(config) + (known ? "ForSequenceClassification" : "Model")],
    num_labels: 1, id2label: { 0: "LABEL_0" }, label2id: { LABEL_0: 0 },
    pad_token_id: config.padTokenId,
  };
}
