// In: a training that ended. Out: what the model weighs and what it cost: parameters, time, memory, scoring speed.
import { elementCount } from "../files/pieces";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { TokenStore } from "../batching/tokenStore";
import { createScorer } from "../scoring/score";
import { countParameters } from "../models/rewardModel";
import { checkpointsDir } from "../files/paths";
import { openSafetensors } from "../files/safetensors";
import type { RunCost } from "../runs/records";
import type { MeasuredRun } from "./run";

export async function costOf(run: MeasuredRun, interrupted: boolean): Promise<RunCost> {
  const { state, config, loaded } = run;
  const perSecond = (count: number) => (state.train_seconds > 0 ? count / state.train_seconds : 0);
  return {
    architecture: config.architecture,
    num_parameters: countParameters(loaded.model),
    trainable_parameters: run.trainedParameters(),
    saved_parameters: await storedParameters(join(checkpointsDir(config.run), "best")),
    train_seconds: state.train_seconds,
    train_pairs_per_second: perSecond(state.pairs_seen),
    train_tokens_per_second: perSecond(state.num_tokens),
    score_pairs_per_second: interrupted ? null : await scoringSpeed(run),
    peak_memory_mb: run.peakMemoryMb(),
  };
}

/** Numbers in the safetensors files of a directory, its subdirectories left out. */
async function storedParameters(dir: string): Promise<number> {
  let count = 0;
  for (const name of (await readdir(dir)).filter((file) => file.endsWith(".safetensors"))) {
    const file = await openSafetensors(join(dir, name));
    for (const { shape } of file.tensors.values()) count += elementCount(shape);
    await file.close();
  }
  return count;
}

const SAMPLE_PAIRS = 16;
const LEAST_SECONDS = 0.5;

/** Pairs a second from token ids to rewards, on the first validation pairs; vectors that a cache holds are not used. */
async function scoringSpeed(run: MeasuredRun): Promise<number> {
  const { loaded, precision, config, valDataset } = run;
  const pairs = Math.min(SAMPLE_PAIRS, valDataset.size);
  const sample = new TokenStore();
  for (let text = 0; text < 2 * pairs; text++) sample.push(valDataset.tokens.ids(text));
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, {
    precision,
    tokensPerBatch: config.tokens_per_batch,
  });
  try {
    await scorer.score(sample); // builds the graphs
    const started = performance.now();
    let [done, seconds] = [0, 0];
    while (seconds < LEAST_SECONDS) {
      await scorer.score(sample);
      done += pairs;
      seconds = (performance.now() - started) / 1000;
    }
    return done / seconds;
  } finally {
    scorer.dispose();
    sample.close();
  }
}
