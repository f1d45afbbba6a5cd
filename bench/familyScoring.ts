// Our side of scoring one batch of any family, from token ids to rewards, as `rewardbook score` does it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TokenStore } from "../lib/batching/tokenStore";
import { readWeights } from "../lib/checkpoints/readWeights";
import { initBackend } from "../lib/engine/backend";
import { parseModelConfig } from "../lib/models/config";
import { streamRewardModel } from "../lib/models/createModel";
import { countParameters } from "../lib/models/rewardModel";
import { createScorer, resolvePrecision } from "../lib/scoring/score";
import { serve } from "./serve";

export interface FamilyScoringSettings {
  readonly model: string; // directory
  readonly batch: string; // file: {ids, mask}
}

void serve<FamilyScoringSettings>(async ({ model: dir, batch }) => {
  await initBackend();
  const config = parseModelConfig(JSON.parse(readFileSync(join(dir, "config.json"), "utf8")), dir);
  const precision = await resolvePrecision("auto");
  const watch = { signal: new AbortController().signal, onProgress: () => {}, onKnown: () => {} };
  const stored = { dir, config, storage: precision, valueHead: null, tableOnFile: true, watch };
  const model = await streamRewardModel(config, readWeights(stored));
  const { ids, mask }: { ids: number[][]; mask: number[][] } = JSON.parse(readFileSync(batch, "utf8"));
  const texts = new TokenStore();
  ids.forEach((row, i) => texts.push(Uint32Array.from(row.filter((_, j) => mask[i][j] > 0))));
  const scorer = createScorer(model, config.padTokenId, { precision });
  const tokens = mask.flat().reduce((sum, inside) => sum + inside, 0);
  return async () => {
    const scores = Array.from(await scorer.score(texts), (score, i) => [`score_${i}`, score] as const);
    return { tokens, parameters: countParameters(model), ...Object.fromEntries(scores) };
  };
});
