// What a training writes about itself: the types of its files, line by line.

/** One line of `train_steps.jsonl`. */
export interface StepRecord {
  readonly ts: number;
  /** Optimizer step, from 1. */
  readonly step: number;
  /** Epoch, from 1. */
  readonly epoch: number;
  /** What is minimised: with weights, margin, smoothing and centring. */
  readonly loss: number;
  /** Mean softplus(−Δ), the loss without any of them: ln 2 for a model that knows nothing. */
  readonly nll: number;
  /** Share of pairs with a higher reward for the chosen answer; a tie counts one half. */
  readonly accuracy: number;
  /** Mean of r_chosen − r_rejected. */
  readonly margin: number;
  readonly min_reward: number;
  readonly mean_reward: number;
  readonly max_reward: number;
  readonly pairs: number;
  /** Tokens seen so far, padding not counted. */
  readonly num_tokens: number;
  readonly learning_rate: number;
  readonly grad_norm: number;
  readonly tokens_per_second: number;
  readonly padding_share: number;
}

/** A validation between two epochs: one line of `val_steps.jsonl`. */
export interface StepValidationRecord {
  readonly ts: number;
  readonly epoch: number;
  readonly step: number;
  readonly train_loss: number;
  /** Accuracy of the epoch's training pairs so far, each taken before its own step. */
  readonly train_accuracy: number;
  readonly val_loss: number;
  readonly accuracy: number;
  readonly ece: number;
  readonly acc_by_risk: Readonly<Record<string, number>>;
}

/** One line of `val_epochs.jsonl`; the rest of the evaluation stands beside these. */
export interface EpochRecord extends StepValidationRecord {
  readonly pairwise_accuracy: number;
  readonly accuracy_ci95: readonly [number, number];
  readonly ece_symmetric: number;
}

/** `val_deltas/deltas_epochNN.json`: Δ of every validation pair. */
export interface DeltasFile {
  readonly epoch: number;
  readonly deltas: readonly number[];
}

/** The part of `metrics.json` by which a shared and a separate architecture are weighed against each other. */
export interface RunCost {
  readonly architecture: "shared" | "separate";
  readonly num_parameters: number;
  /** Of the last epoch, where layers thaw one by one. */
  readonly trainable_parameters: number;
  /** In the checkpoint's weights: of a shared trunk the head and the low-rank updates alone. */
  readonly saved_parameters: number;
  readonly train_seconds: number;
  readonly train_pairs_per_second: number;
  readonly train_tokens_per_second: number;
  /** The whole model, trunk and head, on warm graphs; null for an interrupted run. */
  readonly score_pairs_per_second: number | null;
  readonly peak_memory_mb: number;
}

/** `metrics.json`. */
export interface RunMetrics extends RunCost {
  readonly run: string;
  readonly train_accuracy: number;
  readonly val_accuracy: number;
  readonly val_accuracy_ci95: readonly [number, number];
  readonly val_ece: number;
  readonly overfitting_gap: number;
  readonly best_epoch: number;
  readonly best_step: number;
  readonly training_steps: number;
  /** Of these, left out because loss or gradient were no finite numbers. */
  readonly skipped_steps: number;
  readonly baselines: { readonly random: number; readonly longer_answer: number; readonly [name: string]: number };
  readonly interrupted: boolean;
}

/** One rule of the quality gate. */
export interface GateCriterion {
  readonly name: "train_accuracy" | "val_accuracy" | "overfitting_gap" | "loss_converged" | "better_than_chance";
  readonly value: number;
  readonly threshold: number;
  readonly passed: boolean;
  /** The rule and the value in words. */
  readonly text: string;
  /** What to try where it failed. */
  readonly advice: string;
}

/** `quality_gate.json`. */
export interface GateVerdict {
  readonly passed: boolean;
  readonly criteria: readonly GateCriterion[];
}

export type WarningKind =
  | "not-a-number"
  | "skipped-step"
  | "exploding-gradients"
  | "loss-not-falling"
  | "loss-rising"
  | "accuracy-at-chance"
  | "accuracy-below-chance"
  | "equal-scores"
  | "drifting-rewards"
  | "truncation"
  | "overfitting"
  | "risk-collapse"
  | "too-good";

/** One line of `warnings.jsonl`. */
export interface Warning {
  readonly kind: WarningKind;
  readonly step: number;
  readonly epoch: number;
  /** What was seen, with figures. */
  readonly message: string;
  /** What to try. */
  readonly advice: string;
  /** Ids of the pairs it is about. */
  readonly pairs?: readonly string[];
}
