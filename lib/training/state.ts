// In: a running training. Out: the files of checkpoints/RUN/last that let it go on exactly where it was.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { AdamW } from "../engine/adamw";
import type { RewardModel } from "../models/rewardModel";
import { readSafetensors, writeSafetensors } from "../files/safetensors";

const STATE_FILE = "training_state.json";
const OPTIMIZER_FILE = "optimizer.safetensors";
const ADAPTED_FILE = "adapted.safetensors";

const stateSchema = z.object({
  step: z.number(),
  epoch: z.number(),
  /** Optimizer steps already done in this epoch: the place in its data order, which seed and epoch determine. */
  epoch_step: z.number(),
  num_tokens: z.number(),
  train_seconds: z.number(),
  pairs_seen: z.number(),
  epoch_sums: z.object({ loss: z.number(), correct: z.number(), pairs: z.number() }),
  stopping: z.object({
    accuracy: z.number(),
    ece: z.number(),
    epoch: z.number(),
    step: z.number(),
    train_accuracy: z.number().nullable(),
    since: z.number(),
  }),
  /** Training goes on only with these: the configuration that decides the numbers, and the data. */
  fingerprint: z.string(),
});

/** Where a training run stands. */
export type TrainingState = z.output<typeof stateSchema>;

/**
 * Writes state and optimizer slots into a checkpoint folder that is being made.
 *
 * @param running.trainable parameters to keep apart: where the checkpoint has low-rank updates folded in, or no trunk
 */
export async function writeTrainingState(
  dir: string,
  {
    state,
    optimizer,
    model,
    trainable,
  }: { state: TrainingState; optimizer: AdamW; model: RewardModel; trainable: readonly string[] },
): Promise<void> {
  writeFileSync(join(dir, STATE_FILE), JSON.stringify(state, null, 2) + "\n");
  const slots = [...optimizer.state()].map(
    ([name, tensor]) => [name, { shape: tensor.shape, data: () => tensor.dataSync() as Float32Array }] as const,
  );
  await writeSafetensors(join(dir, OPTIMIZER_FILE), slots);
  if (trainable.length === 0) return;
  const adapted = trainable.map((name) => {
    const variable = model.parameters.get(name)!;
    return [name, { shape: variable.shape, data: () => variable.dataSync() as Float32Array }] as const;
  });
  await writeSafetensors(join(dir, ADAPTED_FILE), adapted);
}

/** Puts saved low-rank updates and head into a model that has the base's weights. */
export async function restoreAdapted(dir: string, model: RewardModel): Promise<void> {
  for (const [name, { data, shape }] of await readSafetensors(join(dir, ADAPTED_FILE))) {
    tf.tidy(() => model.parameters.get(name)!.assign(tf.tensor(data, [...shape])));
  }
}

export function readTrainingState(dir: string): TrainingState {
  return stateSchema.parse(JSON.parse(readFileSync(join(dir, STATE_FILE), "utf8")));
}

export async function restoreOptimizer(dir: string, optimizer: AdamW): Promise<void> {
  const saved = await readSafetensors(join(dir, OPTIMIZER_FILE));
  tf.tidy(() =>
    optimizer.restore(new Map([...saved].map(([name, { data, shape }]) => [name, tf.tensor(data, [...shape])]))),
  );
}
