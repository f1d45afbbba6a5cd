// In: a model and a freeze rule. Out: the names of the parameters that are trained.

import { UsageError } from "../errors";
import { isDecoder, type ModelConfig } from "./config";
import { headShapes } from "./heads";
import type { RewardModel } from "./rewardModel";

/** 0-based layer of a parameter; null for embeddings, the final norm and the head. */
export function layerOf(name: string): number | null {
  const found = /\.layers?\.(\d+)\./.exec(name);
  return found && Number(found[1]);
}

const isEmbedding = (name: string) => /\.(embeddings|embed_tokens)\./.test(name);
const isLowRank = (name: string) => /\.lora_[AB]\.weight$/.test(name);

/**
 * Trainable parameters under a freeze rule.
 *
 * @param freeze `none`: everything trains; `head-only`: only the head; `top-N`: the head and the last N layers (with a
 *   decoder's final norm); `embeddings`: everything but the embeddings; `pattern:REGEX`: everything but what matches.
 *   With LoRA attached, the low-rank matrices and the head train, whatever the rule, less what a pattern matches.
 * @throws UsageError for an unknown rule, or one that leaves nothing to train
 * @example
 * ```ts
 * console.log(trainableNames(model, "head-only").size);
 * ```
 */
export function trainableNames(
  model: Pick<RewardModel, "config" | "parameters" | "lora">,
  freeze: string,
): Set<string> {
  const rule = freezeRule(model.config, freeze);
  const head = headShapes(model.config);
  const adapted = (name: string) => model.parameters.has(name.replace(/\.(weight|bias)$/, ".lora_A.weight"));
  const candidates = [...model.parameters.keys()].filter(
    (name) => !model.lora || isLowRank(name) || (head.has(name) && !adapted(name)),
  );
  const trained = candidates.filter((name) => (model.lora && !freeze.startsWith("pattern:") ? true : !rule(name)));
  if (trained.length === 0)
    throw new UsageError(`freeze: expected something left to train, got "${freeze}"; loosen the rule`);
  return new Set(trained);
}

/** Whether a parameter is frozen. */
function freezeRule(config: ModelConfig, freeze: string): (name: string) => boolean {
  const head = headShapes(config);
  if (freeze === "none") return () => false;
  if (freeze === "head-only") return (name) => !head.has(name);
  if (freeze === "embeddings") return isEmbedding;
  const top = /^top-(\d+)$/.exec(freeze);
  if (top) {
    const first = config.layers - Number(top[1]);
    return (name) =>
      !head.has(name) &&
      (layerOf(name) === null ? !(isDecoder(config) && name === "model.norm.weight") : layerOf(name)! < first);
  }
  if (freeze.startsWith("pattern:")) {
    const pattern = compilePattern(freeze.slice("pattern:".length));
    return (name) => pattern.test(name);
  }
  throw new UsageError(
    `freeze: expected none, head-only, top-N, embeddings or pattern:REGEX, got "${freeze}"; see --help`,
  );
}

function compilePattern(source: string): RegExp {
  try {
    return new RegExp(source);
  } catch (error) {
    throw new UsageError(
      `freeze: expected a regular expression after pattern:, got "${source}" (${(error as Error).message}); mend it`,
    );
  }
}

/**
 * Gradual unfreezing: the freeze rule of an epoch. The first trains the head alone, each later one `layersPerEpoch` more
 * layers from the top; once all layers train, so do the embeddings.
 *
 * @param epoch from 1
 * Reference: Howard and Ruder (2018), ULMFiT, arXiv 1801.06146, section 3.3.
 * @example
 * ```ts
 * console.log(gradualFreeze(model.config, 1)); // what stays frozen in the first epoch
 * ```
 */
export function gradualFreeze(config: ModelConfig, epoch: number, layersPerEpoch = 1): string {
  const layers = (epoch - 1) * layersPerEpoch;
  if (layers <= 0) return "head-only";
  return layers > config.layers ? "none" : `top-${layers}`;
}
