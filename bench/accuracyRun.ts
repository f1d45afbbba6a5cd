// Our side of a whole run: the training of `rewardbook train`, then the scores of all held-out texts, in f32, to a file.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TrainingInput } from "../lib/config";
import { TokenStore } from "../lib/batching/tokenStore";
import { createScorer } from "../lib/scoring/score";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { trainRewardModel } from "../lib/training";
import { serve } from "./serve";

export interface AccuracySettings {
  readonly model: string;
  readonly training: TrainingInput;
  readonly held_out_tokens: string; // file: token ids, chosen and rejected in turn
  /** File that gets a score for each of them. */
  readonly scores: string;
  /** Folder for the run's own files. */
  readonly dir: string;
}

async function scoresOf(checkpoint: string, texts: readonly number[][]): Promise<number[]> {
  const loaded = await loadRewardModel(checkpoint);
  const store = new TokenStore();
  for (const ids of texts) store.push(Uint32Array.from(ids));
  return Array.from(await createScorer(loaded.model, loaded.tokenizer.padId).score(store));
}

void serve<AccuracySettings>(async ({ model, training, held_out_tokens, scores, dir }) => {
  process.chdir(dir); // a run's folders are relative to the working directory
  const heldOut: number[][] = JSON.parse(readFileSync(held_out_tokens, "utf8"));
  return async () => {
    let [pairs, loss] = [0, 0];
    const { metrics, metricsDir, checkpoint } = await trainRewardModel(
      { ...training, model, run: "accuracy", overwrite: true },
      {
        onMessage: (text) => console.error(text),
        onStep: (step) => {
          pairs += step.pairs;
          loss += step.loss * step.pairs;
        },
      },
    );
    writeFileSync(scores, JSON.stringify(await scoresOf(checkpoint, heldOut)));
    const { truncation } = JSON.parse(readFileSync(join(metricsDir, "data.json"), "utf8"));
    return {
      tokens: truncation.train.tokens,
      updates: metrics.training_steps,
      pairs,
      texts: heldOut.length,
      held_out_tokens: truncation.val.tokens,
      train_loss: loss / pairs,
    };
  };
});
