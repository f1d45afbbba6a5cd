// What the monitor reads of a run, and what it says.
import type { StepRecord, Warning } from "../runs/records";

/** What the monitor reads of a step; a line of `train_steps.jsonl` holds it. */
export type MonitoredStep = Pick<
  StepRecord,
  | "step"
  | "epoch"
  | "loss"
  | "accuracy"
  | "margin"
  | "min_reward"
  | "mean_reward"
  | "max_reward"
  | "grad_norm"
  | "pairs"
>;

/** What the monitor reads of a validation. */
export interface MonitoredValidation {
  readonly step: number;
  readonly epoch: number;
  readonly train_accuracy: number;
  readonly val_loss: number;
  readonly accuracy: number;
  readonly ece?: number;
  readonly acc_by_risk: Readonly<Record<string, number>>;
  /** Pairs of each risk level; a level with fewer than `fewestPairs` is not judged. Absent: all are. */
  readonly n_by_risk?: Readonly<Record<string, number>>;
}

/** A warning without its place; `subject` tells two of one kind apart. */
export type Finding = Omit<Warning, "step" | "epoch"> & { readonly subject?: string };

export const digits = (value: number) =>
  Number.isFinite(value) ? String(Number(value.toPrecision(3))) : String(value);
