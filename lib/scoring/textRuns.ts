// In: token rows, and a function of a model's texts. Out: the function's numbers for each text; texts are packed into rows where attention allows it.
import * as tf from "@tensorflow/tfjs-core";
import type { Beginnings } from "../batching/beginnings";
import { layOutLines } from "../batching/pairArrays";
import { currentBackend } from "../engine/backend";
import { compile } from "../engine/compile";
import type { RowsOnFile } from "../files/rowsOnFile";
import { insideKernel } from "../interrupt";
import { fusesAttention } from "../models/attention";
import { graphsWorthFusing } from "../models/fusing";
import { checkWindow } from "../models/llama";
import { isDecoder } from "../models/config";
import { sharingTensors, type ModelInputs, type RewardModel, type ScorableModel } from "../models/rewardModel";
import { planScoringRuns, type ScoringRun, type Size } from "../batching/packing";

/** Token rows, such as a TokenStore's. */
export interface TokenRows {
  /** Tokens of a text. */
  length(text: number): number;
  ids(text: number): Uint32Array;
  /** Which texts begin alike, where that is known: see `Beginnings`. A decoder reads a common beginning once. */
  family?(text: number): number;
  shared?(text: number): number;
}

export interface TextRunsOptions {
  readonly padId: number;
  /** f32 unless speed is asked for. */
  readonly precision?: "bf16" | "f32";
  /** Most padded tokens of one graph run. */
  readonly tokensPerBatch?: number;
  /**
   * `auto` compiles with XLA where one call pays for it, `always` where the graphs are used again and again, `never` where
   * nobody may wait for a compilation: a server's requests.
   */
  readonly fuse?: "auto" | "always" | "never";
  /** Whether later calls should meet the same shapes (see `planScoringRuns`). */
  readonly fewShapes?: boolean;
  /** What messages call the graphs. */
  readonly name: string;
}

export interface TextRuns {
  /**
   * Computes some texts, each once; equal ones are the caller's business.
   *
   * @param put gets the numbers of a text, valid during the call
   * @param signal stops between two graph runs, by throwing its reason
   * @returns yields after each graph run how many texts are done: the place to report or to wait
   */
  run(
    rows: TokenRows,
    texts: readonly number[],
    put: (text: number, values: Float32Array) => void,
    signal?: AbortSignal,
  ): Generator<number, void>;
  /** Graph runs that texts of these lengths, in tokens, would take. */
  count(lengths: readonly number[]): number;
  dispose(): void;
}

const DEFAULT_TOKENS_PER_BATCH = 8192;
/** In a notebook, where someone may stop it between two graph runs; on a processor they are as fast. */
const NOTEBOOK_TOKENS_PER_BATCH = 2048;
/** Graphs kept where few shapes are asked for: all of them. */
const MANY_GRAPHS = 24;

const defaultTokens = (): number =>
  insideKernel() && !currentBackend().gpu ? NOTEBOOK_TOKENS_PER_BATCH : DEFAULT_TOKENS_PER_BATCH;

/** @param fn of B rows with S texts each, [B·S] or [B·S, size], such as `scoreInputs` */
export function compileForTexts(
  model: RewardModel,
  fn: (model: ScorableModel, inputs: ModelInputs) => tf.Tensor,
  options: TextRunsOptions,
): TextRuns {
  const { padId, precision = "f32", tokensPerBatch = defaultTokens(), fuse = "auto", fewShapes, name } = options;
  const { table } = model;
  const forward = (...inputs: tf.Tensor[]) => {
    const [ids, segmentIds, ...rest] = table ? inputs.slice(1) : inputs;
    const [before, positions] = rest.slice(1) as tf.Tensor2D[];
    return fn(table ? withTable(model, table.name, inputs[0]) : model, {
      ids: ids as tf.Tensor2D,
      segmentIds: segmentIds as tf.Tensor2D,
      segments: rest[0] as tf.Tensor1D | undefined,
      sharing: before && { before, positions },
    });
  };
  const maxGraphs = fewShapes ? MANY_GRAPHS : undefined;
  const fused = compile(forward, { precision, name, maxGraphs });
  const quick = compile(forward, { precision, name, maxGraphs, xla: false });
  const worthFusing = graphsWorthFusing(model, { training: false });
  const longRows = fusesAttention(model.config, false);
  const plan = (lengths: readonly number[], beginnings?: Beginnings) =>
    planScoringRuns(lengths, { tokensPerBatch, longRows, fewShapes, beginnings });
  const run: TextRuns["run"] = function* (rows, texts, put, signal) {
    const lengths = texts.map((text) => rows.length(text));
    for (const length of lengths) checkWindow(model.config, length);
    const beginnings = longRows && isDecoder(model.config) ? beginningsOf(rows, texts) : undefined;
    const runs = plan(lengths, beginnings);
    const paddedTokens = tokensByShape(runs);
    let done = 0;
    for (const { rowTexts, shape } of runs) {
      signal?.throwIfAborted();
      const { height, width, slots } = shape;
      const pays = fuse === "always" || (fuse === "auto" && worthFusing(paddedTokens.get(keyOf(shape))!));
      const { ids, segmentIds, sharing } = layOutLines({ ids: (i) => rows.ids(texts[i]) }, rowTexts, {
        ...{ rows: height, width, padId, slots, beginnings },
      });
      const inputs = [
        ...(table ? [tf.tensor2d(takeRows(table.rows, ids), [ids.length, table.rows.shape[1]])] : []),
        tf.tensor2d(ids, [height, width], "int32"),
        tf.tensor2d(segmentIds, [height, width]),
        ...(slots > 1 || sharing ? [tf.range(1, slots + 1)] : []),
        ...sharingTensors(sharing, [height, width]),
      ];
      const [output] = (pays ? fused : quick)(...inputs);
      const values = output.dataSync() as Float32Array;
      tf.dispose([...inputs, output]);
      const size = values.length / (height * slots);
      rowTexts.forEach((line, row) =>
        line.forEach((i, slot) =>
          put(texts[i], values.subarray((row * slots + slot) * size, (row * slots + slot + 1) * size)),
        ),
      );
      yield (done += rowTexts.reduce((sum, line) => sum + line.length, 0));
    }
  };
  const dispose = () => {
    fused.dispose();
    quick.dispose();
  };
  return { run, count: (lengths) => plan(lengths).length, dispose };
}

/** The model with some rows in place of the table that stays in its file. */
const withTable = (model: RewardModel, name: string, rows: tf.Tensor): ScorableModel => ({
  config: model.config,
  lora: model.lora,
  parameters: new Map<string, tf.Tensor>([...model.parameters, [name, rows]]),
});

/**
 * The rows of the tokens that stand in a run, each once, in a table with a row for each place, so that the shape is the run's;
 * the ids become places in it.
 */
function takeRows(rows: RowsOnFile, ids: Int32Array): Float32Array {
  const distinct = [...new Set(ids)].sort((a, b) => a - b);
  const placeOf = new Map(distinct.map((id, place) => [id, place]));
  const values = new Float32Array(ids.length * rows.shape[1]);
  rows.read(distinct, values);
  ids.forEach((id, i) => (ids[i] = placeOf.get(id)!));
  return values;
}

/** The beginnings of some of the rows' texts, which are numbered anew; undefined where no two texts begin alike. */
function beginningsOf(rows: TokenRows, texts: readonly number[]): Beginnings | undefined {
  if (!rows.family || !rows.shared) return undefined;
  const [families, shared] = [texts.map((text) => rows.family!(text)), texts.map((text) => rows.shared!(text))];
  if (!shared.some((tokens) => tokens > 0)) return undefined;
  return { family: (text) => families[text], shared: (text) => shared[text] };
}

const keyOf = ({ height, width, slots = 1 }: Size & { readonly slots?: number }) => `${height}×${width}×${slots}`;

/** Padded tokens of all runs of a shape. */
function tokensByShape(runs: readonly ScoringRun[]): Map<string, number> {
  const tokens = new Map<string, number>();
  for (const { shape } of runs) tokens.set(keyOf(shape), (tokens.get(keyOf(shape)) ?? 0) + shape.height * shape.width);
  return tokens;
}
