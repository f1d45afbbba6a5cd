// Our side of scoring one padded batch of any family, from token ids to rewards.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { initBackend } from "../lib/engine/backend";
import { compile } from "../lib/engine/compile";
import { resolvePrecision } from "../lib/scoring/score";
import { parseModelConfig } from "../lib/models/config";
import { streamRewardModel } from "../lib/models/createModel";
import { countParameters, scoreInputs } from "../lib/models/rewardModel";
import { iterateSafetensors } from "../lib/files/safetensors";
import { serve } from "./serve";

export interface FamilyScoringSettings {
  readonly model: string; // directory
  readonly batch: string; // file: {ids, mask}
}

void serve<FamilyScoringSettings>(async (settings) => {
  await initBackend();
  const config = parseModelConfig(
    JSON.parse(readFileSync(join(settings.model, "config.json"), "utf8")),
    settings.model,
  );
  const model = await streamRewardModel(config, iterateSafetensors(settings.model));
  const batch: { ids: number[][]; mask: number[][] } = JSON.parse(readFileSync(settings.batch, "utf8"));
  const inputs = [tf.tensor2d(batch.ids, undefined, "int32"), tf.tensor2d(batch.mask)];
  const forward = compile(
    (ids, mask) => scoreInputs(model, { ids: ids as tf.Tensor2D, segmentIds: mask as tf.Tensor2D }),
    {
      precision: await resolvePrecision("auto"),
      name: "score",
    },
  );
  const tokens = batch.mask.flat().reduce((a, b) => a + b, 0);
  return () => {
    const [output] = forward(...inputs);
    const scores = Array.from(output.dataSync(), (score, i) => [`score_${i}`, score] as const);
    output.dispose();
    return { tokens, parameters: countParameters(model), ...Object.fromEntries(scores) };
  };
});
