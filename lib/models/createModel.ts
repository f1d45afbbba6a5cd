// In: a configuration and the tensors of a checkpoint. Out: a reward model.

import { elementCount } from "../files/pieces";
import type * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors";
import type { RowsOnFile } from "../files/rowsOnFile";
import { createRandom, hashSeed } from "../random";
import type { HeadKind, ModelConfig } from "./config";
import { trunkPrefix } from "./families";
import { filledVariable, variableOf, type VariablePieces } from "./filledVariable";
import { headShapes, outputModule } from "./heads";
import { parameterShapes, type RewardModel, type WordTable } from "./rewardModel";

/** One tensor of a checkpoint. */
export interface NamedTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The same, or in bfloat16 (the upper halves of float32 numbers) for weights that are not trained. */
export interface CheckpointTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Uint16Array;
}

/** The same, whose numbers arrive some rows at a time. */
export interface ArrivingTensor {
  readonly shape: readonly number[];
  readonly pieces: VariablePieces;
}

/** A matrix that stays in its file. */
export interface TensorOnFile {
  readonly shape: readonly number[];
  readonly rows: () => RowsOnFile;
}

export interface CreateOptions {
  /** Seed of a fresh head. */
  readonly seed?: number;
  /** Another head than the configuration names. */
  readonly head?: HeadKind;
  /** Path of the checkpoint, for messages. */
  readonly where?: string;
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
 * @example
 * ```ts
 * const fresh = createRewardModel(
 *   loaded.model.config,
 *   [...parameterShapes(loaded.model.config)].map(
 *     ([name, shape]) => [name, { shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }] as const,
 *   ),
 * );
 * console.log(countParameters(fresh));
 * ```
 */
export function createRewardModel(
  config: ModelConfig,
  tensors: Iterable<readonly [name: string, tensor: CheckpointTensor]>,
  options: CreateOptions = {},
): RewardModel {
  const builder = startModel(config, options);
  try {
    for (const [stored, { shape, data }] of tensors) {
      const name = builder.accept(stored, shape);
      if (name !== null) builder.put(name, variableOf(shape, data));
    }
    return builder.finish();
  } catch (error) {
    builder.dispose();
    throw error;
  }
}

/**
 * The same from tensors that arrive one by one, large ones in pieces: only the piece at hand is in memory twice. The table of
 * word embeddings may stay in its file.
 */
export async function streamRewardModel(
  config: ModelConfig,
  tensors: AsyncIterable<readonly [name: string, tensor: CheckpointTensor | ArrivingTensor | TensorOnFile]>,
  options: CreateOptions = {},
): Promise<RewardModel> {
  const builder = startModel(config, options);
  try {
    for await (const [stored, tensor] of tensors) {
      const name = builder.accept(stored, tensor.shape);
      if (name === null) continue;
      if ("rows" in tensor) builder.leave(name, tensor.rows());
      else if ("pieces" in tensor) builder.put(name, await filledVariable(tensor.shape, tensor.pieces));
      else builder.put(name, variableOf(tensor.shape, tensor.data));
    }
    return builder.finish();
  } catch (error) {
    builder.dispose();
    throw error;
  }
}

interface ModelBuilder {
  /** The name that a stored tensor has in the model; null where the model has no use for it. @throws InputError for another shape */
  accept(stored: string, shape: readonly number[]): string | null;
  put(name: string, variable: tf.Variable): void;
  /** Takes a table that stays in its file. */
  leave(name: string, rows: RowsOnFile): void;
  finish(): RewardModel;
  dispose(): void;
}

function startModel(baseConfig: ModelConfig, { seed = 0, head, where = "checkpoint" }: CreateOptions): ModelBuilder {
  const config = head && head !== baseConfig.head ? { ...baseConfig, head } : baseConfig;
  const headNames = new Set(headShapes(config).keys());
  const shapes = parameterShapes(config);
  const found = new Map<string, tf.Variable>();
  let table: WordTable | null = null;
  const dropped: string[] = [];

  const accept: ModelBuilder["accept"] = (stored, shape) => {
    const name = canonicalName(config, stored);
    const expected = shapes.get(name);
    if (!expected) {
      if (!BUFFER.test(name)) dropped.push(name);
      return null;
    }
    checkShape({ name, shape: expected, found: shape, isHead: headNames.has(name), where });
    return name;
  };
  const put: ModelBuilder["put"] = (name, variable) => {
    found.get(name)?.dispose();
    found.set(name, variable);
  };

  const leave: ModelBuilder["leave"] = (name, rows) => {
    table?.rows.close();
    table = { name, rows };
  };

  const release = (variables: ReadonlyMap<string, tf.Variable>) => {
    variables.forEach((variable) => variable.dispose());
    table?.rows.close();
    table = null;
  };

  const finish = (): RewardModel => {
    const fresh: string[] = [];
    for (const [name, shape] of shapes) {
      if (found.has(name) || name === table?.name) continue;
      if (!headNames.has(name)) {
        throw new InputError(
          `${where}: expected the tensor ${name} of a ${config.modelType} model, got none; the checkpoint is incomplete or of another model`,
        );
      }
      found.set(name, variableOf(shape, freshParameter(config, name, shape, seed).data));
      fresh.push(name);
    }
    const inMemory = [...shapes.keys()].filter((name) => name !== table?.name);
    const parameters = new Map(inMemory.map((name) => [name, found.get(name)!]));
    return {
      config,
      parameters,
      table,
      fresh,
      dropped,
      lora: null,
      get freshHead() {
        return this.fresh.length > 0;
      },
      dispose: () => release(parameters),
    };
  };
  return { accept, put, leave, finish, dispose: () => release(found) };
}

function checkShape({
  name,
  shape,
  found,
  isHead,
  where,
}: {
  name: string;
  shape: number[];
  found: readonly number[];
  isHead: boolean;
  where: string;
}): void {
  if (shape.length === found.length && shape.every((size, i) => size === found[i])) return;
  const labels = isHead && shape[0] === 1 && found[0] > 1;
  const remedy = labels
    ? `a reward model has one label: delete the head's tensors and set num_labels to 1 for a fresh head, or train from the base model`
    : "config.json and the tensors belong to different models";
  throw new InputError(`${where}: ${name}: expected shape [${shape}], got [${found}]; ${remedy}`);
}

function freshParameter(config: ModelConfig, name: string, shape: number[], seed: number): NamedTensor {
  const data = new Float32Array(elementCount(shape));
  if (name.endsWith(".bias")) return { shape, data };
  const isOutput = name === `${outputModule(config)}.weight`;
  const deviation = isOutput ? 1 / Math.sqrt(config.hiddenSize + 1) : config.initializerRange;
  const random = createRandom(seed ^ hashSeed(name));
  return { shape, data: data.map(() => deviation * random.normal()) };
}
