// Our side of scoring pairs of mixed length, from token ids to rewards.
import { readFileSync } from "node:fs";
import { TokenStore } from "../lib/batching/tokenStore";
import { initBackend } from "../lib/engine/backend";
import { createScorer, resolvePrecision } from "../lib/scoring/score";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { onePairMs } from "./latency";
import { serve } from "./serve";

export interface ScoringSettings {
  readonly model: string;
  readonly tokens: string; // file: token ids, chosen and rejected in turn
  /** Default: bf16 where the processor has it. */
  readonly precision?: "f32";
  /** Whether one pair alone is timed, too. */
  readonly latency?: boolean;
}

void serve<ScoringSettings>(async (settings) => {
  await initBackend();
  const loaded = await loadRewardModel(settings.model);
  const texts: number[][] = JSON.parse(readFileSync(settings.tokens, "utf8"));
  const storeOf = (some: readonly number[][]) => {
    const store = new TokenStore();
    for (const ids of some) store.push(Uint32Array.from(ids));
    return store;
  };
  const store = storeOf(texts);
  const precision = await resolvePrecision(settings.precision ?? "auto");
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, { precision, fuse: "always" });
  const tokens = texts.reduce((total, ids) => total + ids.length, 0);
  let one_pair_ms: number | undefined;
  if (settings.latency) {
    const asked = createScorer(loaded.model, loaded.tokenizer.padId, { precision, fuse: "never" }); // as a server does
    one_pair_ms = await onePairMs(texts, (pair) => asked.score(storeOf(pair)));
    asked.dispose();
  }
  return async () => {
    const scores = await scorer.score(store);
    let margin = 0;
    for (let i = 0; i < scores.length; i += 2) margin += (scores[i] - scores[i + 1]) / (scores.length / 2);
    return { tokens, pairs: texts.length / 2, margin, one_pair_ms };
  };
});
