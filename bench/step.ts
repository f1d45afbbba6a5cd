// Our side of one training step: forward, Bradley-Terry loss, backward, clipped AdamW, all weights, on fixed token ids.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { createAdamW } from "../lib/engine/adamw";
import { initBackend } from "../lib/engine/backend";
import { compile } from "../lib/engine/compile";
import { fusesLayers } from "../lib/models/attention";
import { parseModelConfig } from "../lib/models/config";
import { streamRewardModel } from "../lib/models/createModel";
import { countParameters, scoreInputs } from "../lib/models/rewardModel";
import { iterateSafetensors } from "../lib/files/safetensors";
import { modelFlops } from "./flops";
import { ourPeak } from "./precision";
import { serve } from "./serve";

export interface StepSettings {
  readonly model: string; // directory
  readonly batch: string; // file: {ids, mask}, chosen half first
  readonly learning_rate: number;
  readonly full_last_layer: boolean;
}

void serve<StepSettings>(async (settings) => {
  await initBackend();
  const config = parseModelConfig(
    JSON.parse(readFileSync(join(settings.model, "config.json"), "utf8")),
    settings.model,
  );
  const model = await streamRewardModel(config, iterateSafetensors(settings.model));
  const batch: { ids: number[][]; mask: number[][] } = JSON.parse(readFileSync(settings.batch, "utf8"));
  const [ids, mask] = [tf.tensor2d(batch.ids, undefined, "int32"), tf.tensor2d(batch.mask)];
  const pairs = batch.ids.length / 2;
  const parameters = [...model.parameters.values()];
  const loss = (i: tf.Tensor, m: tf.Tensor) => {
    const scores = scoreInputs(
      model,
      { ids: i as tf.Tensor2D, segmentIds: m as tf.Tensor2D },
      { fullLastLayer: settings.full_last_layer },
    );
    return tf.mean(
      tf.softplus(tf.sub(tf.slice(scores, [pairs], [pairs]), tf.slice(scores, [0], [pairs]))),
    ) as tf.Scalar;
  };
  const gradients = compile(
    (i, m) => {
      const { value, grads } = tf.variableGrads(() => loss(i, m), parameters);
      return [value, ...parameters.map((p) => grads[p.name])];
    },
    { name: "step", xla: !fusesLayers(model, false) },
  );
  const adamw = createAdamW(model.parameters, {
    weightDecay: 0.01,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    gradClip: 1,
    decays: (name) => !/bias$|norm/i.test(name),
  });
  const lengths = batch.mask.map((row) => row.reduce((a, b) => a + b, 0));
  const flops = modelFlops(model, lengths);
  const start = performance.now();
  const gemm = await ourPeak();
  const gemm_ms = performance.now() - start; // no part of the time to the first step
  return () => {
    const [value, ...grads] = gradients(ids, mask);
    const number = value.dataSync()[0];
    const done = adamw.step(grads, settings.learning_rate);
    done.gradNorm.dataSync();
    tf.dispose([value, ...grads, done.gradNorm, done.skipped]);
    const tokens = lengths.reduce((a, b) => a + b, 0);
    return { tokens, updates: 1, loss: number, parameters: countParameters(model), flops, gemm, gemm_ms };
  };
});
