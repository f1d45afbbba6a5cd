// The files of an evaluation: a schema each, held to what `evaluateScores` and `analyseErrors` return, and how a reader
// sees them: another version may have left some of it out.
import { z } from "zod";
import type { ErrorAnalysis } from "../evaluation/errorAnalysis";
import type { Evaluation } from "../evaluation/evaluate";
import { interval, recordOf } from "./fields";

const group = z.object({
  n: z.number(),
  ties: z.number(),
  accuracy: z.number(),
  ci95: interval,
  ece: z.number(),
  ece_symmetric: z.number(),
  brier: z.number(),
  nll: z.number(),
  mean_margin: z.number(),
});
const quartile = group.extend({ low: z.number(), high: z.number() });
const groups = recordOf(group, "groups with n, accuracy and ci95");
const bin = z.object({
  low: z.number(),
  high: z.number(),
  count: z.number(),
  accuracy: z.number(),
  confidence: z.number(),
  symmetric_count: z.number(),
  symmetric_accuracy: z.number(),
  symmetric_confidence: z.number(),
  symmetric_ci95: interval.nullable(),
});
const share = z.number().nullable();
const length = z.object({
  spearman_delta_length: share,
  spearman_symmetric: share,
  n_chosen_longer: z.number(),
  n_chosen_shorter: z.number(),
  accuracy_chosen_longer: share,
  accuracy_chosen_shorter: share,
  accuracy_chosen_longer_ci95: interval.nullable(),
  accuracy_chosen_shorter_ci95: interval.nullable(),
  length_only_accuracy: z.number(),
  prefers_longer: share,
  verdict: z.enum(["mostly-length", "partly-length", "no-sign", "too-few-pairs"]),
  sentence: z.string(),
});
const calibration = z.object({
  nll: z.number(),
  brier: z.number(),
  ece: z.number(),
  ece_symmetric: z.number(),
  mce: z.number(),
});
const comparison = z.object({
  n_pairs: z.number(),
  n_prompts: z.number(),
  accuracy: z.number(),
  other_accuracy: z.number(),
  difference: z.number(),
  runs: z.number(),
  other_runs: z.number(),
  difference_ci95: interval,
  standard_error: z.number().nullable(),
  degrees_of_freedom: z.number(),
  p_value: z.number(),
  error_parts: z.object({ prompts: z.number(), runs: z.number(), both: z.number() }),
  difference_shown: z.boolean(),
  detectable_difference: z.number().nullable(),
  power_to_detect: z
    .object({ difference: z.number(), power: z.number(), prompts_needed: z.number().nullable() })
    .optional(),
  bootstrap_p_value: z.number().nullable(),
  only_this_right: z.number().nullable(),
  only_other_right: z.number().nullable(),
  mcnemar_exact_p_value: z.number().nullable(),
  mcnemar_mid_p_value: z.number().nullable(),
});
const temperatureChoice = z.object({
  used: z.boolean(),
  fitted: z.number(),
  status: z.enum(["fitted", "empty", "separable", "reversed"]),
  cross_validated: calibration,
});

/** `evaluation.json`, `test_evaluation.json`. */
export const evaluation = calibration.extend({
  n_pairs: z.number(),
  n_prompts: z.number(),
  ties: z.number(),
  accuracy: z.number(),
  accuracy_ci95: interval,
  loss: z.number(),
  temperature: z.number(),
  calibrated: calibration,
  temperature_choice: temperatureChoice.optional(),
  mean_margin: z.number(),
  mean_margin_ci95: interval,
  mean_chosen_reward: z.number(),
  mean_rejected_reward: z.number(),
  min_reward: z.number(),
  mean_reward: z.number(),
  max_reward: z.number(),
  by_risk: groups,
  by_category: groups,
  by_preference_type: groups,
  by_length_quartile: recordOf(quartile, "length groups"),
  calibration_bins: z.array(bin),
  length,
  baselines: z.object({ random: z.number(), longer_answer: z.number() }).catchall(z.number()),
  baseline_tests: z.object({
    random: z.object({ difference: z.number(), p_value: z.number() }),
    longer_answer: comparison,
  }),
}) satisfies z.ZodType<Evaluation>;

const groupSeen = group.partial().required({ n: true, accuracy: true, ci95: true }).loose();
const groupsSeen = recordOf(groupSeen, "groups with n, accuracy and ci95").default({});
const quartileSeen = groupSeen.extend({ low: z.number(), high: z.number() });
export const evaluationSeen = evaluation
  .partial()
  .required({ n_pairs: true })
  .extend({
    ties: z.number().default(0),
    accuracy: z.number().nullable(),
    by_risk: groupsSeen,
    by_category: groupsSeen,
    by_preference_type: groupsSeen,
    by_length_quartile: recordOf(quartileSeen, "length groups").default({}),
    calibration_bins: z.array(bin.partial({ count: true, accuracy: true, confidence: true })).default([]),
    calibrated: calibration.partial().nullish(),
    length: length.partial().nullish(),
    baselines: recordOf(z.number(), "numbers").default({}),
    baseline_tests: z
      .looseObject({ longer_answer: comparison.partial().required({ difference_ci95: true }).optional() })
      .nullish(),
  })
  .loose();
export type EvaluationFile = z.output<typeof evaluationSeen>;

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

const errorCase = z.object({
  id: z.string(),
  question_id: z.string(),
  risk: z.string(),
  category: z.string().nullable(),
  preference_type: z.string(),
  chosen_score: z.number(),
  rejected_score: z.number(),
  delta: z.number(),
  confidence: z.number(),
  loss: z.number(),
  prompt: z.string(),
  chosen: z.string(),
  rejected: z.string(),
  diff: z.array(z.object({ op: z.enum(["same", "chosen", "rejected"]), text: z.string() })),
});

/** `errors.json`, `test_errors.json`. */
export const errorAnalysis = z.object({
  n_pairs: z.number(),
  n_wrong: z.number(),
  n_ties: z.number(),
  by_preference_type: z.array(group.extend({ type: z.string(), wrong: z.number(), cases: z.array(z.string()) })),
  worst: z.array(z.string()),
  most_confident: z.array(z.string()),
  cases: z.array(errorCase),
}) satisfies z.ZodType<ErrorAnalysis>;

const caseSeen = errorCase
  .partial({ question_id: true, category: true, confidence: true, loss: true, chosen: true, rejected: true })
  .loose();
const kindSeen = groupSeen.extend({ type: z.string(), wrong: z.number() });
export const errorAnalysisSeen = errorAnalysis
  .partial({ worst: true, most_confident: true })
  .extend({ by_preference_type: z.array(kindSeen), cases: z.array(caseSeen) })
  .loose();
export type ErrorAnalysisFile = z.output<typeof errorAnalysisSeen>;
