// The files of a training: one schema each, of which the writer's type is made. `…Seen` is what a reader asks for: a run
// that goes on, or that another version wrote, may lack the rest.
import { z } from "zod";
import { counts, interval, measured, recordOf } from "./fields";

export const json = z.record(z.string(), z.unknown());
export type Json = z.output<typeof json>;

export const stepRecord = z.object({
  ts: z.number(),
  /** Optimizer step, from 1. */
  step: z.number(),
  /** Epoch, from 1. */
  epoch: z.number(),
  /** What is minimised: with weights, margin, smoothing and centring. */
  loss: measured,
  /** Mean softplus(−Δ), the loss without any of them: ln 2 for a model that knows nothing. */
  nll: measured,
  /** Share of pairs with a higher reward for the chosen answer; a tie counts one half. */
  accuracy: measured,
  /** Mean of r_chosen − r_rejected. */
  margin: measured,
  min_reward: measured,
  mean_reward: measured,
  max_reward: measured,
  pairs: z.number(),
  /** Tokens seen so far, padding not counted. */
  num_tokens: measured,
  learning_rate: measured,
  grad_norm: measured,
  tokens_per_second: measured,
  padding_share: measured,
});
/** One line of `train_steps.jsonl`. */
export type StepRecord = Readonly<z.output<typeof stepRecord>>;
export const stepSeen = stepRecord.partial().required({ step: true, epoch: true, loss: true }).loose();
export type StepLine = z.output<typeof stepSeen>;

export const stepValidation = z.object({
  ts: z.number(),
  epoch: z.number(),
  step: z.number(),
  train_loss: measured,
  /** Accuracy of the epoch's training pairs so far, each taken before its own step. */
  train_accuracy: measured,
  val_loss: measured,
  accuracy: z.number(),
  ece: z.number(),
  acc_by_risk: counts,
});
/** A validation between two epochs: one line of `val_steps.jsonl`. */
export type StepValidationRecord = z.output<typeof stepValidation>;
export const stepValidationSeen = stepValidation
  .partial()
  .required({ epoch: true, step: true, accuracy: true })
  .loose();
export type StepValidation = z.output<typeof stepValidationSeen>;

export const epochRecord = stepValidation.extend({
  pairwise_accuracy: z.number(),
  accuracy_ci95: interval,
  ece_symmetric: z.number(),
});
/** One line of `val_epochs.jsonl`; the rest of the evaluation stands beside these. */
export type EpochRecord = z.output<typeof epochRecord>;
export const epochSeen = epochRecord.partial().required({ epoch: true, pairwise_accuracy: true, ece: true }).loose();
export type EpochLine = z.output<typeof epochSeen>;

export const deltasFile = z.object({ epoch: z.number(), deltas: z.array(measured) });
export type DeltasFile = z.output<typeof deltasFile>;

/** The part of `metrics.json` by which a shared and a separate architecture are weighed against each other. */
const cost = z.object({
  architecture: z.enum(["shared", "separate"]),
  num_parameters: z.number(),
  /** Of the last epoch, where layers thaw one by one. */
  trainable_parameters: z.number(),
  /** In the checkpoint's weights: of a shared trunk the head and the low-rank updates alone. */
  saved_parameters: z.number(),
  train_seconds: z.number(),
  train_pairs_per_second: z.number(),
  train_tokens_per_second: z.number(),
  /** The whole model, trunk and head, on warm graphs; null for an interrupted run. */
  score_pairs_per_second: z.number().nullable(),
  peak_memory_mb: z.number(),
});
export type RunCost = Readonly<z.output<typeof cost>>;

export const runMetrics = cost.extend({
  run: z.string(),
  train_accuracy: z.number(),
  val_accuracy: z.number(),
  val_accuracy_ci95: interval,
  val_ece: z.number(),
  overfitting_gap: z.number(),
  best_epoch: z.number(),
  best_step: z.number(),
  training_steps: z.number(),
  /** Of these, left out because loss or gradient were no finite numbers. */
  skipped_steps: z.number(),
  baselines: z.object({ random: z.number(), longer_answer: z.number() }).catchall(z.number()),
  interrupted: z.boolean(),
});
/** `metrics.json`. */
export type RunMetrics = Readonly<z.output<typeof runMetrics>>;
export const runMetricsSeen = runMetrics.partial().loose();
export type RunMetricsSeen = z.output<typeof runMetricsSeen>;

const source = z.looseObject({
  file: z.string(),
  sha256: z.string().optional(),
  format: z.string().optional(),
  rows: z.number().optional(),
  used: z.number().optional(),
  not_used: counts.optional(),
});
const byPart = z.looseObject({ train: z.number().optional(), val: z.number().optional(), test: z.number().optional() });
const split = z.looseObject({
  seed: z.number().optional(),
  drop_weak: z.boolean().optional(),
  dropped: counts.optional(),
  counts: byPart.optional(),
  unique_qids: byPart.optional(),
  risk_dist: recordOf(counts, "counts of each part").optional(),
});
const truncation = z.looseObject({ pairs: z.number().optional(), tokens_cut: z.number().optional() });
/** `data.json`. */
export const runData = z.looseObject({
  sources: z.array(source).default([]),
  split: split.nullish(),
  counts: byPart.optional(),
  truncation: z.looseObject({ train: truncation.optional(), val: truncation.optional() }).optional(),
});
export type RunData = z.output<typeof runData>;

const criterion = z.object({
  name: z.enum(["train_accuracy", "val_accuracy", "overfitting_gap", "loss_converged", "better_than_chance"]),
  value: measured,
  threshold: measured,
  passed: z.boolean(),
  /** The rule and the value in words. */
  text: z.string(),
  /** What to try where it failed. */
  advice: z.string(),
});
export type GateCriterion = Readonly<z.output<typeof criterion>>;
export const gateVerdict = z.object({ passed: z.boolean(), criteria: z.array(criterion) });
/** `quality_gate.json`. */
export type GateVerdict = Readonly<z.output<typeof gateVerdict>>;

export const warning = z.object({
  kind: z.enum([
    "not-a-number",
    "skipped-step",
    "exploding-gradients",
    "loss-not-falling",
    "loss-rising",
    "accuracy-at-chance",
    "accuracy-below-chance",
    "equal-scores",
    "drifting-rewards",
    "truncation",
    "overfitting",
    "risk-collapse",
    "too-good",
  ]),
  step: z.number(),
  epoch: z.number(),
  /** What was seen, with figures. */
  message: z.string(),
  /** What to try. */
  advice: z.string(),
  /** Ids of the pairs it is about. */
  pairs: z.array(z.string()).readonly().optional(),
});
/** One line of `warnings.jsonl`. */
export type Warning = Readonly<z.output<typeof warning>>;
export const warningSeen = warning.partial().required({ message: true }).loose();
export type WarningLine = z.output<typeof warningSeen>;
