// In: parsed JSON of a run's files. Out: their types. Keys as DESIGN's list of files has them; unknown keys stay.
import { z } from "zod";

/** A number; not a number is written as null. */
const measured = z
  .number()
  .nullable()
  .transform((value) => value ?? NaN);
const optional = measured.optional();
const interval = z.tuple([z.number(), z.number()]);
/** An object of items by name. `z.record` would lose a name such as `__proto__`, which a risk level may well be. */
const recordOf = <S extends z.ZodType>(item: S, what: string) =>
  z.custom<Record<string, z.output<S>>>(
    (value) =>
      typeof value === "object" && value !== null && Object.values(value).every((one) => item.safeParse(one).success),
    `expected ${what} by name`,
  );
const counts = recordOf(z.number(), "numbers");

export const json = z.record(z.string(), z.unknown());
export type Json = z.output<typeof json>;

export const stepLine = z.looseObject({
  step: z.number(),
  epoch: z.number(),
  ts: z.number().optional(),
  loss: measured,
  nll: optional,
  accuracy: optional,
  margin: optional,
  learning_rate: optional,
  grad_norm: optional,
  tokens_per_second: optional,
  padding_share: optional,
  num_tokens: optional,
  pairs: z.number().optional(),
});
export type StepLine = z.output<typeof stepLine>;

export const epochLine = z.looseObject({
  epoch: z.number(),
  step: z.number().optional(),
  pairwise_accuracy: z.number(),
  ece: z.number(),
  val_loss: optional,
  accuracy_ci95: interval.nullish().transform((value) => value ?? undefined),
  acc_by_risk: counts.optional(),
  ece_symmetric: optional,
});
export type EpochLine = z.output<typeof epochLine>;

/** A validation between two epochs. */
export const stepValidation = z.looseObject({
  step: z.number(),
  epoch: z.number(),
  val_loss: optional,
  accuracy: z.number(),
  ece: optional,
});
export type StepValidation = z.output<typeof stepValidation>;

export const deltasFile = z.object({ epoch: z.number(), deltas: z.array(measured) });

export const runMetrics = z.looseObject({
  interrupted: z.boolean().optional(),
  best_epoch: z.number().optional(),
  best_step: z.number().optional(),
  train_accuracy: z.number().nullish(),
  val_accuracy: z.number().nullish(),
  overfitting_gap: z.number().nullish(),
  architecture: z.string().optional(),
  num_parameters: z.number().nullish(),
  trainable_parameters: z.number().nullish(),
  saved_parameters: z.number().nullish(),
  training_steps: z.number().nullish(),
  train_seconds: z.number().nullish(),
  train_pairs_per_second: z.number().nullish(),
  score_pairs_per_second: z.number().nullish(),
  peak_memory_mb: z.number().nullish(),
});
export type RunMetrics = z.output<typeof runMetrics>;

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
export const runData = z.looseObject({
  sources: z.array(source).default([]),
  split: split.nullish(),
  counts: byPart.optional(),
  truncation: z.looseObject({ train: truncation.optional(), val: truncation.optional() }).optional(),
});
export type RunData = z.output<typeof runData>;

const group = z.looseObject({
  n: z.number(),
  accuracy: z.number(),
  ci95: interval,
  ece: z.number().optional(),
  ece_symmetric: z.number().optional(),
  mean_margin: z.number().optional(),
});
const groups = recordOf(group, "groups with n, accuracy and ci95").default({});
const quartiles = recordOf(group.extend({ low: z.number(), high: z.number() }), "length groups").default({});
const share = z.number().nullish();
const bin = z.looseObject({
  low: z.number(),
  high: z.number(),
  symmetric_count: z.number(),
  symmetric_accuracy: z.number(),
  symmetric_confidence: z.number(),
  symmetric_ci95: interval.nullish(),
});
const length = z.looseObject({
  spearman_delta_length: share,
  accuracy_chosen_longer: share,
  accuracy_chosen_shorter: share,
  accuracy_chosen_longer_ci95: interval.nullish(),
  accuracy_chosen_shorter_ci95: interval.nullish(),
  n_chosen_longer: share,
  n_chosen_shorter: share,
  length_only_accuracy: share,
  verdict: z.string().optional(),
  sentence: z.string().optional(),
});
const calibration = z.looseObject({ nll: share, brier: share, ece: share, ece_symmetric: share, mce: share });
export const evaluationFile = z.looseObject({
  n_pairs: z.number(),
  ties: z.number().default(0),
  accuracy: z.number().nullable(),
  accuracy_ci95: interval.nullish(),
  loss: z.number().nullish(),
  nll: z.number().nullish(),
  brier: z.number().nullish(),
  ece: z.number().nullish(),
  ece_symmetric: z.number().nullish(),
  mce: z.number().nullish(),
  temperature: z.number().nullish(),
  mean_margin: z.number().nullish(),
  by_risk: groups,
  by_category: groups,
  by_preference_type: groups,
  by_length_quartile: quartiles,
  calibration_bins: z.array(bin).default([]),
  calibrated: calibration.nullish(),
  temperature_choice: z
    .looseObject({ used: z.boolean(), fitted: z.number(), status: z.string(), cross_validated: calibration })
    .nullish(),
  length: length.nullish(),
  baselines: counts.default({}),
  baseline_tests: z.looseObject({ longer_answer: z.looseObject({ difference_ci95: interval }).optional() }).nullish(),
});
export type EvaluationFile = z.output<typeof evaluationFile>;

const criterion = z.looseObject({
  name: z.string(),
  value: measured,
  threshold: measured,
  passed: z.boolean(),
  text: z.string(),
  advice: z.string(),
});
export const gateFile = z.looseObject({ passed: z.boolean(), criteria: z.array(criterion) });
export type GateFile = z.output<typeof gateFile>;

export const warningLine = z.looseObject({
  step: z.number().optional(),
  epoch: z.number().optional(),
  message: z.string(),
  advice: z.string().optional(),
});
export type WarningLine = z.output<typeof warningLine>;

const cut = z.tuple([z.enum(["prompt", "response"]), z.number(), z.number()]);
const scored = z.looseObject({
  id: z.string(),
  question_id: z.string().optional(),
  chosen_score: z.number(),
  rejected_score: z.number(),
  chosen_length: z.number().optional(),
  rejected_length: z.number().optional(),
  risk: z.string().optional(),
  category: z.string().optional(),
  kind: z.string().optional(),
  chosen_tokens: z.number().optional(),
  rejected_tokens: z.number().optional(),
  chosen_cuts: z.array(cut).optional(),
  rejected_cuts: z.array(cut).optional(),
});
type Text = string | undefined;
/** Texts under their own names, or under those of the original format, as `evaluate --scores` leaves them. */
const textsOf = (row: Readonly<Record<string, unknown>>) => {
  const text = (...values: unknown[]): Text => values.find((value) => typeof value === "string") as Text;
  const answer = (value: unknown) => (value as { answer_text?: unknown } | null | undefined)?.answer_text;
  return {
    prompt: text(row.prompt, row.question_text),
    chosen: text(row.chosen, answer(row.preferred_answer)),
    rejected: text(row.rejected, answer(row.rejected_answer)),
  };
};
/** A scored held-out pair (`val_scores.jsonl`, `test_scores.jsonl`). Texts and tokens may be absent. */
export const scoreLine = scored.transform((row) => {
  const texts = textsOf(row);
  return {
    ...row,
    ...texts,
    question_id: row.question_id ?? row.id,
    risk: row.risk ?? (typeof row.risk_level === "string" ? row.risk_level : undefined),
    chosen_length: row.chosen_length ?? texts.chosen?.length,
    rejected_length: row.rejected_length ?? texts.rejected?.length,
  };
});
export type ScoreLine = z.output<typeof scoreLine>;

const errorCase = z.looseObject({
  id: z.string(),
  risk: z.string(),
  preference_type: z.string(),
  chosen_score: z.number(),
  rejected_score: z.number(),
  delta: z.number(),
  prompt: z.string(),
  diff: z.array(z.object({ op: z.enum(["same", "chosen", "rejected"]), text: z.string() })),
});
const typeErrors = z.looseObject({
  type: z.string(),
  n: z.number(),
  wrong: z.number(),
  accuracy: z.number(),
  ci95: interval,
});
export const errorAnalysisFile = z.looseObject({
  n_pairs: z.number(),
  n_wrong: z.number(),
  n_ties: z.number(),
  by_preference_type: z.array(typeErrors),
  cases: z.array(errorCase),
});
export type ErrorAnalysisFile = z.output<typeof errorAnalysisFile>;
