// In: a run's model and data. Out: the compiled step for what trains in an epoch, and the scorer that goes with it.
import type { TrainingConfig } from "../config";
import type { PairDataset } from "../batching/pairArrays";
import { createScorer, type Scorer } from "../scoring/score";
import { gradualFreeze, trainableNames } from "../models/freeze";
import { graphsWorthFusing } from "../models/fusing";
import type { RewardModel } from "../models/rewardModel";
import type { LoadedModel } from "../checkpoints/checkpoint";
import type { BatchShape, TrainingPlan } from "../batching/trainingPlan";
import { openFrozenEncoder, type FrozenEncoder } from "./frozenEncoder";
import { createFrozenStep, isHeadOnly, type FrozenStep } from "./frozenStep";
import { createTrainingStep, type TrainingStep } from "./step";

/** The step of a whole model, or of a head on cached vectors, which takes several updates at once. */
export type RunStep = TrainingStep | FrozenStep;

export interface EpochSteps {
  readonly scorer: Scorer;
  /** The compiled step for what trains in this epoch. */
  stepFor(epoch: number): RunStep;
  currentStep(): RunStep | null;
  dispose(): void;
}

export interface EpochStepsInput {
  readonly config: TrainingConfig;
  readonly precision: "bf16" | "f32";
  readonly loaded: LoadedModel;
  readonly dataset: PairDataset;
  readonly plan: TrainingPlan;
}

/** Epochs that train the same weights share a step; where more thaws, a new one takes over the moments. */
export function createEpochSteps({ config, precision, loaded, dataset, plan }: EpochStepsInput): EpochSteps {
  const {
    model,
    tokenizer: { padId },
  } = loaded;
  const reading = { precision, padId, tokensPerBatch: config.tokens_per_batch };
  const scorer = createScorer(model, padId, reading);
  const fused = shapesWorthFusing(model, plan, config.dropout);
  let current: { rule: string; step: RunStep } | null = null;
  let frozen: FrozenEncoder | null = null;
  const stepFor = (epoch: number): RunStep => {
    const rule = config.freeze === "gradual" ? gradualFreeze(model.config, epoch) : config.freeze;
    if (current?.rule === rule) return current.step;
    const trainable = [...trainableNames(model, rule)];
    const options = { model, trainable, dataset, config, precision, padId, fused };
    frozen?.dispose();
    // A frozen encoder gives a text the same vector every time; with dropout it would not.
    frozen = !config.dropout && isHeadOnly(model, trainable) ? openFrozenEncoder(loaded, reading) : null;
    const step: RunStep = frozen ? createFrozenStep({ ...options, ...frozen.plan }) : createTrainingStep(options);
    if (current) replaceStep(current.step, step);
    current = { rule, step };
    return step;
  };
  return {
    scorer: {
      score: (tokens, options) => (frozen?.scorer ?? scorer).score(tokens, options),
      dispose: () => scorer.dispose(),
    },
    stepFor,
    currentStep: () => current?.step ?? null,
    dispose: () => {
      current?.step.dispose();
      frozen?.dispose();
      scorer.dispose();
    },
  };
}

/** What goes on training keeps its moments; what thaws starts with none. */
function replaceStep(old: RunStep, next: RunStep): void {
  const moments = old.optimizer.state();
  next.optimizer.restore(
    new Map([...next.optimizer.state()].map(([name, fresh]) => [name, moments.get(name) ?? fresh])),
  );
  old.dispose();
}

/** The shapes whose graphs run often enough, over all epochs, to pay for their compilation. */
export function shapesWorthFusing(model: RewardModel, { work }: TrainingPlan, withDropout: boolean): Set<BatchShape> {
  const pays = graphsWorthFusing(model, { training: true, withDropout });
  return new Set([...work].filter(([, tokens]) => pays(tokens)).map(([shape]) => shape));
}
