// In: the configuration and where the run resumes. Out: the model that is trained.
import type { TrainingConfig } from "../config";
import { checkMemory } from "../engine/memory";
import { UsageError } from "../errors";
import type { ModelConfig } from "../models/config";
import { attachLora } from "../models/lora";
import { loadRewardModel, type LoadedModel, type LoadOptions } from "../checkpoints/checkpoint";
import { findModel } from "../checkpoints/findModel";
import { restoreAdapted } from "./state";

/** The model of a run. */
export interface TrainedModel {
  readonly loaded: LoadedModel;
  /** Where it was read. */
  readonly directory: string;
  /** Only head and low-rank updates are saved; the trunk stays the policy's. */
  readonly sharesTrunk: boolean;
}

export interface TrainedModelOptions extends Pick<LoadOptions, "quiet"> {
  readonly precision: "bf16" | "f32";
  /** A checkpoint of the run, or null for its base model. */
  readonly resumeFrom: string | null;
}

/**
 * Loads the base model or the one that a run goes on with, low-rank updates included.
 *
 * @throws InputError for a model that cannot be used, UsageError for a shared trunk that is no policy's
 * @example
 * ```ts
 * const { loaded: trained } = await loadTrainedModel(config, { precision: "f32", resumeFrom: null });
 * console.log(countParameters(trained.model));
 * ```
 */
export async function loadTrainedModel(
  config: TrainingConfig,
  { precision, resumeFrom, quiet }: TrainedModelOptions,
): Promise<TrainedModel> {
  const adapted = config.lora_rank > 0;
  const sharesTrunk = config.architecture === "shared" && (adapted || config.freeze === "head-only");
  // Low-rank updates and a head alone go on the base they began with.
  const directory = resumeFrom && !adapted && !sharesTrunk ? resumeFrom : findModel(config.model);
  const loaded = await loadRewardModel(directory, {
    quiet,
    seed: config.seed,
    head: config.head === "auto" ? undefined : config.head,
    settings: { template: config.template, max_length: config.max_length, truncation: config.truncation },
    storage: precision === "bf16" && (adapted || config.freeze === "head-only") ? "as-stored" : "f32",
  });
  if (adapted) attachUpdates(loaded, config);
  if (resumeFrom && directory !== resumeFrom) await restoreAdapted(resumeFrom, loaded.model);
  if (config.architecture === "shared" && !isCausalLanguageModel(loaded.model.config)) {
    throw new UsageError(
      `architecture: expected a …ForCausalLM directory for a shared trunk, got ${directory}; leave --architecture separate`,
    );
  }
  checkMemory("training", trainingNeeds(loaded, adapted || config.freeze === "head-only"));
  return { loaded, directory, sharesTrunk };
}

/** Graphs and activations of a step, and where all weights are trained their gradients and two moments. */
function trainingNeeds({ model }: LoadedModel, trunkRests: boolean) {
  let trained = 0;
  if (!trunkRests) for (const variable of model.parameters.values()) trained += 4 * variable.size;
  return { free: 0.3e9 + 3 * trained, addresses: 1.6e9 + 4 * trained };
}

function attachUpdates({ model }: LoadedModel, config: TrainingConfig): void {
  const targets =
    config.lora_targets === "auto" ? undefined : config.lora_targets.split(",").map((name) => name.trim());
  attachLora(model, {
    rank: config.lora_rank,
    alpha: config.lora_alpha,
    dropout: config.lora_dropout,
    targets,
    seed: config.seed,
  });
}

const isCausalLanguageModel = ({ raw }: ModelConfig): boolean =>
  Array.isArray(raw.architectures) && raw.architectures.some((name) => String(name).endsWith("ForCausalLM"));
