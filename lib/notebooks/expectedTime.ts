// In: the configuration of a run and the measured speed of matrix products. Out: how long each notebook will take, roughly.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { readJsonFile } from "../files/json";
import { findModel } from "../checkpoints/findModel";
import { trunkShapes } from "../models/families";
import { parseModelConfig } from "../models/config";
import type { NotebookConfig } from "./support";

/** What a notebook's training and scoring cost, in floating-point operations, and what does not depend on the processor's products. */
interface Work {
  readonly flops: number;
  readonly seconds: number;
}

/** Starting the kernel, reading, drawing: measured, with little difference between machines. */
const OVERHEAD: Readonly<Record<string, number>> = {
  "01_data_generation": 6,
  "02_loss_walkthrough": 7,
  "03_train_reward_model": 20,
  "04_evaluate": 12,
  "05_rerank_demo": 9,
  "06_use_the_reward": 14,
};
/** Share of the speed of a bare product that training and scoring reach. */
const EFFICIENCY = 0.5;
/** Of `generatePairs`: pairs a question, and tokens read a pair (answers that several pairs share are read once). */
const SYNTHETIC = { pairs: 3.4, tokens: 110 };
/** Bytes of a pair's row a token, quotation marks and names of fields included. */
const BYTES_PER_TOKEN = 4;
const BYTES_PER_ROW = 1200;

/** Pairs and tokens a pair of the run; of a file from its size. */
function sizeOf({ synthetic, questions, training }: NotebookConfig): { pairs: number; tokens: number } {
  if (synthetic) return { pairs: questions * SYNTHETIC.pairs, tokens: SYNTHETIC.tokens };
  const bytes = existsSync(training.pairs!) ? statSync(training.pairs!).size : 0;
  const unpacked = /\.(gz|parquet)$/.test(training.pairs!) ? 3 * bytes : bytes;
  const tokens = Math.min(BYTES_PER_ROW / BYTES_PER_TOKEN, 2 * training.max_length);
  return { pairs: unpacked / BYTES_PER_ROW, tokens };
}

/** Numbers that every token is multiplied by; null where the model is not there yet. */
function weightsOf({ training }: NotebookConfig): number | null {
  const path = join(findModel(training.model), "config.json");
  if (!existsSync(path)) return null;
  const shapes = [...trunkShapes(parseModelConfig(readJsonFile(path), path))];
  return shapes
    .filter(([name, shape]) => shape.length === 2 && !/embed/.test(name))
    .reduce((sum, [, [out, into]]) => sum + out * into, 0);
}

/** Larger models leave out the loop by hand. */
const BY_HAND_MOST = 5e7;
/** A forward pass costs two operations a weight and token, a step of training three times that. */
const [FORWARD, TRAIN] = [2, 6];
/** Weights and tokens of a step of the small policy, its later fine-tuning and sampling included. */
const POLICY = { weights: 0.9e6, tokens: 32 * 64, steps: 1.6 };

function workOf(config: NotebookConfig): Record<string, Work> | null {
  const weights = weightsOf(config);
  if (weights === null) return null;
  const { training } = config;
  const { pairs, tokens } = sizeOf(config);
  const perEpoch = pairs * training.train_ratio;
  const steps = (training.epochs * perEpoch) / (training.batch_size * training.gradient_accumulation);
  const done = training.max_steps > 0 ? Math.min(1, training.max_steps / steps) : 1;
  const frozen = training.freeze === "head-only" ? FORWARD / training.epochs : TRAIN;
  const held = training.val === undefined ? pairs * (training.test_ratio || training.val_ratio) : pairs / 10;
  // Five steps without packing and fusion, at half the speed.
  const byHand = weights < BY_HAND_MOST ? 2 * TRAIN * weights * tokens * 5 * training.batch_size : 0;
  const score = (count: number) => FORWARD * weights * tokens * count;
  const flops: Record<string, number> = {
    "03_train_reward_model":
      frozen * weights * tokens * perEpoch * training.epochs * done + score(training.epochs * held) + byHand,
    "04_evaluate": score(2 * held),
    "05_rerank_demo": score(held),
    "06_use_the_reward":
      (config.policy ? 0 : TRAIN * POLICY.weights * POLICY.tokens * POLICY.steps * config.policy_steps) + score(1000),
  };
  return Object.fromEntries(
    Object.entries(OVERHEAD).map(([name, seconds]) => [name, { flops: flops[name] ?? 0, seconds }]),
  );
}

/**
 * Seconds of each notebook on a processor of so many GFLOP/s; null where the model's size is not known yet.
 *
 * An estimate to plan a lunch by: within a factor of 1.5 where it was checked.
 *
 * @example
 * ```ts
 * console.log(expectedSeconds(notebookConfig({ epochs: 1 }), 200)); // by notebook
 * ```
 */
export function expectedSeconds(config: NotebookConfig, gflops: number): Record<string, number> | null {
  const work = workOf(config);
  if (!work) return null;
  return Object.fromEntries(
    Object.entries(work).map(([name, { flops, seconds }]) => [name, seconds + flops / (EFFICIENCY * gflops * 1e9)]),
  );
}

/**
 * `40 seconds`, `3.5 minutes`, `2.1 hours`.
 *
 * @example
 * ```ts
 * console.log(inWords(75));
 * ```
 */
export function inWords(seconds: number): string {
  if (seconds < 100) return `${Math.max(5, Math.round(seconds / 5) * 5)} seconds`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(1)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;
}
