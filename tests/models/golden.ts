// In: the name of a golden. Out: its model, inputs and expectations from Python's transformers (tests/goldens/models.py).

import * as tf from "@tensorflow/tfjs-core";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseModelConfig } from "../../lib/models/config";
import { createRewardModel, type NamedTensor } from "../../lib/models/createModel";
import type { ModelInputs, RewardModel } from "../../lib/models/rewardModel";

/** Pieces of numbers, one after another. */
export const joined = (pieces: Iterable<Float32Array>): Float32Array =>
  Float32Array.from([...pieces].flatMap((piece) => [...piece]));

interface Packed {
  shape: number[];
  data: string;
}
interface Side {
  ids: number[][];
  mask: number[][];
  scores: number[];
}
export interface Golden {
  config: Record<string, unknown>;
  right: Side;
  left: Side;
  loss: number;
  tensors: Record<string, Packed>;
  gradients: Record<string, Packed>;
}

const FOLDER = join(__dirname, "../goldens/models");

export const FAMILIES = [
  "bert",
  "bert_gelu_new",
  "bert_relu",
  "distilbert",
  "roberta",
  "xlm_roberta",
  "llama",
  "llama3",
  "llama_bias",
  "qwen2",
  "qwen3",
  "mistral",
];

export function readGolden<T = Golden>(name: string): T {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8"));
}

export function unpack({ data }: Packed): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(data, "base64")).buffer);
}

export function unpackAll(packed: Record<string, Packed>): Map<string, NamedTensor> {
  return new Map(Object.entries(packed).map(([name, p]) => [name, { shape: p.shape, data: unpack(p) }]));
}

export function modelOf(golden: Golden): RewardModel {
  return createRewardModel(parseModelConfig(golden.config, "golden"), unpackAll(golden.tensors));
}

export function inputsOf({ ids, mask }: Pick<Side, "ids" | "mask">): ModelInputs {
  return { ids: tf.tensor2d(ids, undefined, "int32"), segmentIds: tf.tensor2d(mask, undefined, "float32") };
}

/** |a − b| ≤ absolute + relative·|b|, as numpy's allclose. */
export function excess(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  relative: number,
  absolute: number,
): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++)
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]) / (absolute + relative * Math.abs(expected[i])));
  return actual.length === expected.length && !Number.isNaN(worst) ? worst : Infinity;
}

/** ‖a − b‖ / ‖b‖. */
export function relativeDistance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (actual[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(difference / norm);
}
