// A training under way: what its parts share, and what a caller may hear of it.
import type { TrainingConfig } from "../config";
import type { PairDataset } from "../batching/pairArrays";
import type { BackendInfo } from "../engine/backend";
import type { Scorer } from "../scoring/score";
import type { Monitor } from "./monitor";
import type { PreferencePair } from "../pairs/pair";
import type { LoadedModel } from "../checkpoints/checkpoint";
import type { MetricsLog } from "../runs/metricsLog";
import type { StepRecord, StepValidationRecord, Warning } from "../runs/records";
import type { TrainingPlan, Update } from "../batching/trainingPlan";
import type { ModelCardOptions } from "../runs/cardOptions";
import type { RunStep } from "./epochSteps";
import { groupUpdates } from "./frozenStep";
import type { TrainingState } from "./state";
import type { Evaluation } from "../evaluation/evaluate";
import type { ScoredPair } from "../scoring/scoredPair";

/** One validation. */
export interface ValidationRecord extends Readonly<StepValidationRecord> {
  readonly pairwise_accuracy: number;
  readonly evaluation: Evaluation;
  readonly scored: readonly ScoredPair[];
  readonly best: boolean;
}

/** Where training stands, for a progress bar. */
export interface TrainingProgress {
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  /** Mean over the pairs of the epoch so far, as is `accuracy`. */
  readonly loss: number;
  readonly accuracy: number;
  readonly pairsPerSecond: number;
  readonly secondsLeft: number;
}

/** What a caller may listen to; every hook is optional. */
export interface TrainingHooks {
  /** Stops after the current step and keeps what was learned. Ctrl-C and the kernel's interrupt do the same. */
  readonly signal?: AbortSignal;
  /** No bar and no messages in a notebook, which shows them by itself. */
  readonly quiet?: boolean;
  /** A sentence for the reader: what was read, dropped, resumed, found suspicious. */
  readonly onMessage?: (text: string) => void;
  readonly onStep?: (record: StepRecord) => void;
  readonly onProgress?: (progress: TrainingProgress) => void;
  readonly onValidation?: (record: ValidationRecord) => void;
}

/** Texts and pictures of a run; training asks for them and does not know how they are made. */
export interface RunArtefacts {
  /** The README.md of a checkpoint. */
  modelCard(options: ModelCardOptions): string;
  /** Draws `plots/*.png` of a run's folder. @returns why they were left out, or null */
  drawPlots(metricsDir: string): Promise<string | null>;
}

/** What measuring, keeping and finishing a run needs of it, wherever its steps were taken. */
export interface MeasuredRun {
  readonly config: TrainingConfig;
  readonly hooks: TrainingHooks;
  readonly artefacts: RunArtefacts;
  readonly precision: "bf16" | "f32";
  readonly loaded: LoadedModel;
  readonly val: readonly PreferencePair[];
  readonly valDataset: PairDataset;
  readonly scorer: Scorer;
  readonly log: MetricsLog;
  /** `data.json`. */
  readonly dataRecord: Record<string, unknown>;
  /** Only head and low-rank updates are saved; the trunk stays the policy's. */
  readonly sharesTrunk: boolean;
  readonly monitor: Monitor;
  readonly warnings: Warning[];
  readonly state: TrainingState;
  /** Steps left out in a row, the last step whose loss was a number, and the step at which the state was saved. */
  readonly health: { skippedInRow: number; lastFinite: number; lastSaved: number };
  /** Weights that training moves; of the last epoch, where layers thaw one by one. */
  trainedParameters(): number;
  /** Most memory that training took, MiB. */
  peakMemoryMb(): number;
  /** Tells the reader a sentence. */
  say(text: string): void;
  /** Logs warnings and tells them. */
  warn(warnings: readonly Warning[]): void;
}

/** A training under way. */
export interface TrainingRun extends MeasuredRun {
  readonly backend: BackendInfo;
  readonly dataset: PairDataset;
  /** Of the training pairs, in their order. */
  readonly trainId: (pair: number) => string;
  readonly plan: TrainingPlan;
  readonly totalSteps: number;
  /** The compiled step for what trains in this epoch. */
  stepFor(epoch: number): RunStep;
  currentStep(): RunStep | null;
  /** Pairs a second since the start of this process's training, compilation included. */
  rate(pairs: number): number;
  dispose(): void;
}

/** Whether something that happens every so many steps happens after this one; 0: never. */
export const dueAt = (step: number, every: number): boolean => every > 0 && step % every === 0;

/** The next update, or the next few where the step can take them at once and nothing is due between them. */
export function nextUpdates(
  { config, state }: TrainingRun,
  step: RunStep,
  updates: readonly Update[],
): readonly Update[] {
  if (!("takeTogether" in step)) return [updates[state.epoch_step]];
  const due = [config.max_steps, config.eval_steps, config.save_steps].filter((every) => every > 0);
  const room = Math.min(...due.map((every) => every - (state.step % every)));
  return groupUpdates(updates, state.epoch_step, room);
}
