// Our side of scoring pairs of mixed length, from token ids to rewards.
import { readFileSync } from "node:fs";
import { TokenStore } from "../lib/batching/tokenStore";
import { initBackend } from "../lib/engine/backend";
import { createScorer, resolvePrecision } from "../lib/scoring/score";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { serve } from "./serve";

export interface ScoringSettings {
  readonly model: string;
  readonly tokens: string; // file: token ids, chosen and rejected in turn
  /** Default: bf16 where the processor has it. */
  readonly precision?: "f32";
}

void serve<ScoringSettings>(async (settings) => {
  await initBackend();
  const loaded = await loadRewardModel(settings.model);
  const texts: number[][] = JSON.parse(readFileSync(settings.tokens, "utf8"));
  const store = new TokenStore();
  for (const ids of texts) store.push(Uint32Array.from(ids));
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, {
    precision: await resolvePrecision(settings.precision ?? "auto"),
    fuse: "always",
  });
  const tokens = texts.reduce((total, ids) => total + ids.length, 0);
  return async () => {
    const scores = await scorer.score(store);
    let margin = 0;
    for (let i = 0; i < scores.length; i += 2) margin += (scores[i] - scores[i + 1]) / (scores.length / 2);
    return { tokens, pairs: texts.length / 2, margin };
  };
});
