// In: a reward model (named variables under a configuration) and token ids. Out: scores.

import * as tf from "@tensorflow/tfjs-core";
import type { RowsOnFile } from "../files/rowsOnFile";
import { fusesAttention } from "./attention";
import type { ModelConfig } from "./config";
import { className, hiddenStates, trunkShapes } from "./families";
import { headShapes, isStandardHead, meanOverTokens, rowsRead, scorePooledRows } from "./heads";
import { createDropout, layoutOf, type Forward, type Sharing } from "./layers";
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

/** A parameter whose rows stay on disk. */
export interface WordTable {
  readonly name: string;
  readonly rows: RowsOnFile;
}

export interface RewardModel {
  readonly config: ModelConfig;
  /** Tensor name, as transformers' …ForSequenceClassification saves it → variable in Hugging Face orientation. */
  readonly parameters: Map<string, tf.Variable>;
  /** For scoring alone: a table of word embeddings that is not among the parameters but read from its file, row by row. */
  readonly table: WordTable | null;
  /** Whether any parameter of the head was drawn anew: its scores mean nothing before it is trained. */
  readonly freshHead: boolean;
  /** Parameters that the checkpoint lacked and that were drawn anew: the head's. An adapter read afterwards brings its own. */
  fresh: readonly string[];
  /** Tensors of the checkpoint that a reward model has no use for (`lm_head.weight`, …). */
  readonly dropped: readonly string[];
  /** Set while low-rank updates are attached; see lora.ts. */
  lora: LoraSettings | null;
  dispose(): void;
}

export interface ModelInputs {
  readonly ids: tf.Tensor2D; // [B, T] int32
  readonly segmentIds: tf.Tensor2D; // [B, T] float32: 0 = padding, else the number of the token's text in its row, from 1
  /** [S] the numbers 1…S of the texts of a row; without it a row is one text. */
  readonly segments?: tf.Tensor1D;
  /** Texts of a decoder that begin alike, with their beginning once. */
  readonly sharing?: Sharing;
}

/** The tensors of `Sharing` from their numbers: before, positions, both [B, T]; none where texts share nothing. */
export function sharingTensors(
  sharing: { readonly before: Float32Array; readonly positions: Int32Array } | undefined,
  shape: [number, number],
): tf.Tensor2D[] {
  return sharing ? [tf.tensor2d(sharing.before, shape), tf.tensor2d(sharing.positions, shape, "int32")] : [];
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

/**
 * Name → shape of every parameter of a reward model: trunk, then head.
 *
 * @example
 * ```ts
 * for (const [name, shape] of parameterShapes(model.config)) console.log(name, shape);
 * ```
 */
export function parameterShapes(config: ModelConfig): Map<string, number[]> {
  return new Map([...trunkShapes(config), ...headShapes(config)]);
}

/** What scoring needs of a model: also with plain tensors in place of variables. */
export interface ScorableModel {
  readonly config: ModelConfig;
  readonly parameters: ReadonlyMap<string, tf.Tensor>;
  readonly lora: LoraSettings | null;
}

function forwardOf(
  { config, parameters, lora }: ScorableModel,
  shape: readonly number[],
  options: ScoreOptions,
): Forward {
  const { dropoutSeed, fullLastLayer = false } = options;
  const kept = activationBytes(config, shape, fusesAttention(config, dropoutSeed !== undefined));
  const { recompute = kept > RECOMPUTE_ABOVE } = options;
  return {
    config,
    parameters,
    fullLastLayer,
    recompute,
    dropout: createDropout(dropoutSeed),
    lora: lora && { scale: loraScale(lora), dropout: lora.dropout },
  };
}

function pool(forward: Forward, { ids, segmentIds, segments, sharing }: ModelInputs): tf.Tensor2D {
  const layout = layoutOf(segmentIds, segments, sharing);
  const hidden = hiddenStates(forward, ids, layout, rowsRead(forward.config, layout));
  return forward.config.head === "mean" ? meanOverTokens(hidden, layout) : hidden;
}

/**
 * Scores of a batch, [B]; with S texts a row [B·S], row by row. Left and right padding give the same; a row of padding
 * alone and a place without text give a number, not NaN.
 * Differentiable, and traceable: no value is read, no shape depends on data.
 *
 * @example
 * ```ts
 * const rewards = scoreInputs(model, { ids: tf.tensor2d([[101, 7592, 102]], [1, 3], "int32"), segmentIds: tf.ones([1, 3]) });
 * console.log(await rewards.data());
 * ```
 */
export function scoreInputs(model: ScorableModel, inputs: ModelInputs, options: ScoreOptions = {}): tf.Tensor1D {
  const forward = forwardOf(model, inputs.ids.shape, options);
  return scorePooledRows(forward, pool(forward, inputs));
}

/**
 * What the head reads of each text, [B·S, H]: with a frozen trunk it can be kept, and `scorePooled` goes on from it.
 *
 * @example
 * ```ts
 * const pooled = poolInputs(model, { ids: tf.tensor2d([[101, 7592, 102]], [1, 3], "int32"), segmentIds: tf.ones([1, 3]) });
 * console.log(pooled.shape); // [texts, H]
 * ```
 */
export function poolInputs(model: ScorableModel, inputs: ModelInputs, options: ScoreOptions = {}): tf.Tensor2D {
  return pool(forwardOf(model, inputs.ids.shape, options), inputs);
}

/**
 * Scores [B] of pooled hidden states [B, H]: `scoreInputs` is this after `poolInputs`.
 *
 * @example
 * ```ts
 * const rewards = scorePooled(model, tf.zeros([2, 384]));
 * console.log(rewards.shape); // [2]
 * ```
 */
export function scorePooled(model: ScorableModel, pooled: tf.Tensor2D, options: ScoreOptions = {}): tf.Tensor1D {
  return scorePooledRows(forwardOf(model, [0, 0], options), pooled);
}

/** Numbers of a table that stays on disk. */
const tableSize = ({ table }: RewardModel): number => (table ? table.rows.shape[0] * table.rows.shape[1] : 0);

/** Numbers in embedding tables, of which a token meets one row. */
export function embeddingSize(model: RewardModel): number {
  let count = tableSize(model);
  for (const [name, variable] of model.parameters)
    if (/embed/.test(name) && variable.rank === 2) count += variable.size;
  return count;
}

/**
 * Number of weights of a model, low-rank updates among them.
 *
 * @example
 * ```ts
 * console.log(`${(countParameters(model) / 1e6).toFixed(1)} M`);
 * ```
 */
export function countParameters(model: RewardModel): number {
  let count = tableSize(model);
  for (const variable of model.parameters.values()) count += variable.size;
  return count;
}

/**
 * The config.json to save with the model: what was read, with the class and the single label of a reward model.
 * A head that transformers does not know is named in `rewardbook_head`, and the class is the base model's.
 */
export function checkpointConfig(config: ModelConfig): Record<string, unknown> {
  const { rewardbook_head: _, rewardbook_head_bias: __, ...raw } = config.raw;
  return {
    ...raw,
    ...(config.head === "classification" ? {} : { rewardbook_head: config.head }),
    ...(config.headBias ? { rewardbook_head_bias: true } : {}),
    architectures: [className(config) + (isStandardHead(config) ? "ForSequenceClassification" : "Model")],
    num_labels: 1,
    id2label: { 0: "LABEL_0" },
    label2id: { LABEL_0: 0 },
    pad_token_id: config.padTokenId,
  };
}
