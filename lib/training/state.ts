// In: a running training. Out: the files of checkpoints/RUN/last that let it go on exactly where it was.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import type { TrainingConfig } from "../config";
import { InputError } from "../errors";
import type { AdamW } from "../engine/adamw";
import { filledVariable } from "../models/filledVariable";
import { rowPieces } from "../models/halfStorage";
import type { RewardModel } from "../models/rewardModel";
import { readSafetensors, streamSafetensors, writeSafetensors } from "../files/safetensors";
import { originSchema, type Origin } from "./origin";

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
  /** Steps left out because loss or gradient were no finite numbers. */
  skipped_steps: z.number(),
  /** Why the last step is done; null while there are more to do. A run that ended is not trained on when resumed. */
  ended: z.enum(["epochs", "max_steps", "early stopping"]).nullable(),
  /** Bytes of each log that grows line by line: what stands behind them came later and will come again. */
  logs: z.record(z.string(), z.number()),
  /** Training goes on only with these: the configuration that decides the numbers, the data, the base model. */
  origin: originSchema,
});

/** Where a training run stands. */
export type TrainingState = z.output<typeof stateSchema>;

/** Before the first step. */
export const newState = (origin: Origin): TrainingState => ({
  step: 0,
  epoch: 1,
  epoch_step: 0,
  num_tokens: 0,
  train_seconds: 0,
  pairs_seen: 0,
  epoch_sums: { loss: 0, correct: 0, pairs: 0 },
  stopping: { accuracy: -1, ece: 1, epoch: 0, step: 0, train_accuracy: null, since: 0 },
  skipped_steps: 0,
  ended: null,
  logs: {},
  origin,
});

/** Why the last step is done, by the limits of the configuration; null while there are more to do. */
export function endedBy(
  { step, epoch, stopping }: TrainingState,
  { max_steps, epochs, patience }: Pick<TrainingConfig, "max_steps" | "epochs" | "patience">,
): TrainingState["ended"] {
  if (max_steps > 0 && step >= max_steps) return "max_steps";
  if (patience > 0 && stopping.since >= patience) return "early stopping";
  return epoch > epochs ? "epochs" : null;
}

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
    ([name, tensor]) => [name, { shape: tensor.shape, pieces: () => rowPieces(tensor) }] as const,
  );
  await writeSafetensors(join(dir, OPTIMIZER_FILE), slots);
  if (trainable.length === 0) return;
  const adapted = trainable.map((name) => {
    const variable = model.parameters.get(name)!;
    return [name, { shape: variable.shape, pieces: () => rowPieces(variable) }] as const;
  });
  await writeSafetensors(join(dir, ADAPTED_FILE), adapted);
}

/** Puts saved low-rank updates and head into a model that has the base's weights. */
export async function restoreAdapted(dir: string, model: RewardModel): Promise<void> {
  for (const [name, { data, shape }] of await readSafetensors(join(dir, ADAPTED_FILE))) {
    tf.tidy(() => model.parameters.get(name)!.assign(tf.tensor(data, [...shape])));
  }
}

/** @throws InputError for a file that is no training state of this version */
export function readTrainingState(dir: string): TrainingState {
  const path = join(dir, STATE_FILE);
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: expected a training state, got ${(error as Error).message}; ${ANEW}`);
  }
  const parsed = stateSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0];
  throw new InputError(
    `${path}: ${field.join(".") || "top level"}: ${message}; it was saved by another version of Rewardbook: ${ANEW}`,
  );
}

const ANEW = "train under another --run, or begin anew with --overwrite";

/**
 * Puts saved moments into a fresh optimizer.
 *
 * @param thawed whether layers may have thawed since: what was not trained then begins without moments
 */
export async function restoreOptimizer(
  dir: string,
  optimizer: AdamW,
  { thawed }: { readonly thawed: boolean },
): Promise<void> {
  const saved = new Map<string, tf.Tensor>();
  try {
    for await (const [name, tensor] of streamSafetensors(join(dir, OPTIMIZER_FILE)))
      saved.set(name, await filledVariable(tensor.shape, tensor.pieces()));
    optimizer.restore(new Map([...(thawed ? optimizer.state() : []), ...saved]));
  } finally {
    tf.dispose([...saved.values()]);
  }
}
