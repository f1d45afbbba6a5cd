// Our side of fine-tuning on real pairs: an epoch of the training loop's own batches, steps and optimizer.
import { readFileSync, writeFileSync } from "node:fs";
import { resolveConfig } from "../lib/config";
import { buildDataset } from "../lib/dataset";
import { initBackend } from "../lib/engine/backend";
import { resolvePrecision } from "../lib/scoring/score";
import type { PreferencePair } from "../lib/pairs/pair";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { shapesWorthFusing } from "../lib/training/epochSteps";
import { planUpdates } from "../lib/training/prepare";
import { takeStep } from "../lib/training";
import { createTrainingStep } from "../lib/training/step";
import { modelFlops } from "./flops";
import { ourPeak } from "./precision";
import { serve } from "./serve";

export interface EpochSettings {
  readonly model: string;
  readonly pairs: string; // file: PreferencePair[]
  readonly batch_size: number;
  readonly max_length: number;
  readonly learning_rate: number;
  /** File that gets the pair indices of each update, for a side that goes through them in the same order. */
  readonly updates?: string;
}

void serve<EpochSettings>(async (settings) => {
  await initBackend();
  const { batch_size, max_length, learning_rate } = settings;
  const config = resolveConfig({ batch_size, max_length, learning_rate, schedule: "constant", beta: 0 });
  const loaded = await loadRewardModel(settings.model);
  const pairs: PreferencePair[] = JSON.parse(readFileSync(settings.pairs, "utf8"));
  const dataset = await buildDataset(pairs, loaded.tokenizer, { ...loaded.settings, max_length, beta: 0, margin: 0 });
  // As many graphs as a run over 4,096 pairs would pay for: their compilation is not counted.
  const plan = planUpdates(dataset, { ...config, epochs: Math.ceil(4096 / pairs.length) }, loaded.model.config);
  const updates = plan.epoch(1); // the same epoch each time: a unit compiles nothing new
  const step = createTrainingStep({
    model: loaded.model,
    trainable: [...loaded.model.parameters.keys()],
    dataset,
    config,
    precision: await resolvePrecision("auto"),
    padId: loaded.tokenizer.padId,
    fused: shapesWorthFusing(loaded.model, plan, false),
  });
  if (settings.updates)
    writeFileSync(
      settings.updates,
      JSON.stringify(updates.map(({ batches }) => batches.flatMap(({ pairs }) => pairs))),
    );
  const read = updates.flatMap(({ batches }) =>
    batches.flatMap(({ rowTexts }) => rowTexts.flat().map((text) => dataset.tokens.length(text))),
  );
  const flops = modelFlops(loaded.model, read); // of what went through the model: an answer that pairs share once a batch
  const tokens = Array.from({ length: dataset.tokens.size }, (_, text) => dataset.tokens.length(text)).reduce(
    (a, b) => a + b,
    0,
  );
  const gemm = await ourPeak();
  let count = 0;
  return () => {
    let [loss, tokens_read, padded] = [0, 0, 0];
    const losses: Record<string, number> = {};
    for (const update of updates) {
      const outcome = takeStep(step, update, learning_rate, ++count);
      losses[`loss_${Object.keys(losses).length + 1}`] = outcome.loss;
      loss += (outcome.loss * update.pairs) / pairs.length;
      tokens_read += outcome.tokens;
      padded += outcome.paddedTokens;
    }
    return {
      tokens,
      tokens_read,
      updates: updates.length,
      loss,
      pairs: pairs.length,
      padded,
      shapes: plan.shapes.length,
      flops,
      gemm,
      ...losses,
    };
  };
});
