// The files of a training: one schema each, held to the type that its writer fills (`records.ts`). `…Seen` is what a reader
// asks for: a run that goes on, or that another version wrote, may lack the rest.
import { z } from "zod";
import type {
  DeltasFile,
  EpochRecord,
  GateCriterion,
  GateVerdict,
  RunCost,
  RunMetrics,
  StepRecord,
  StepValidationRecord,
  Warning,
} from "./records";
import { counts, interval, measured, recordOf } from "./fields";

export const json = z.record(z.string(), z.unknown());
export type Json = z.output<typeof json>;

export const stepRecord = z.object({
  ts: z.number(),
  step: z.number(),
  epoch: z.number(),
  loss: measured,
  nll: measured,
  accuracy: measured,
  margin: measured,
  min_reward: measured,
  mean_reward: measured,
  max_reward: measured,
  pairs: z.number(),
  num_tokens: measured,
  learning_rate: measured,
  grad_norm: measured,
  tokens_per_second: measured,
  padding_share: measured,
}) satisfies z.ZodType<StepRecord>;
export const stepSeen = stepRecord.partial().required({ step: true, epoch: true, loss: true }).loose();
export type StepLine = z.output<typeof stepSeen>;

export const stepValidation = z.object({
  ts: z.number(),
  epoch: z.number(),
  step: z.number(),
  train_loss: measured,
  train_accuracy: measured,
  val_loss: measured,
  accuracy: z.number(),
  ece: z.number(),
  acc_by_risk: counts,
}) satisfies z.ZodType<StepValidationRecord>;
export const stepValidationSeen = stepValidation
  .partial()
  .required({ epoch: true, step: true, accuracy: true })
  .loose();
export type StepValidation = z.output<typeof stepValidationSeen>;

export const epochRecord = stepValidation.extend({
  pairwise_accuracy: z.number(),
  accuracy_ci95: interval,
  ece_symmetric: z.number(),
}) satisfies z.ZodType<EpochRecord>;
export const epochSeen = epochRecord.partial().required({ epoch: true, pairwise_accuracy: true, ece: true }).loose();
export type EpochLine = z.output<typeof epochSeen>;

export const deltasFile = z.object({ epoch: z.number(), deltas: z.array(measured) }) satisfies z.ZodType<DeltasFile>;

const cost = z.object({
  architecture: z.enum(["shared", "separate"]),
  num_parameters: z.number(),
  trainable_parameters: z.number(),
  saved_parameters: z.number(),
  train_seconds: z.number(),
  train_pairs_per_second: z.number(),
  train_tokens_per_second: z.number(),
  score_pairs_per_second: z.number().nullable(),
  peak_memory_mb: z.number(),
}) satisfies z.ZodType<RunCost>;

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
  skipped_steps: z.number(),
  baselines: z.object({ random: z.number(), longer_answer: z.number() }).catchall(z.number()),
  interrupted: z.boolean(),
}) satisfies z.ZodType<RunMetrics>;
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
  text: z.string(),
  advice: z.string(),
}) satisfies z.ZodType<GateCriterion>;
export const gateVerdict = z.object({
  passed: z.boolean(),
  criteria: z.array(criterion),
}) satisfies z.ZodType<GateVerdict>;

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
  message: z.string(),
  advice: z.string(),
  pairs: z.array(z.string()).readonly().optional(),
}) satisfies z.ZodType<Warning>;
export const warningSeen = warning.partial().required({ message: true }).loose();
export type WarningLine = z.output<typeof warningSeen>;
