// Our side of an epoch over cached vectors: the head of the default encoder trains, the encoder stands still.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { resolveConfig } from "../lib/config";
import { TokenStore } from "../lib/batching/tokenStore";
import { initBackend } from "../lib/engine/backend";
import { resolvePrecision } from "../lib/scoring/score";
import type { HeadKind } from "../lib/models/config";
import { trainableNames } from "../lib/models/freeze";
import { createRandom } from "../lib/random";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { openEncoderCache, textHash } from "../lib/checkpoints/encoderCache";
import type { Update } from "../lib/batching/trainingPlan";
import { createFrozenStep, groupUpdates } from "../lib/training/frozenStep";
import { serve } from "./serve";

export interface HeadEpochSettings {
  readonly model: string;
  readonly head: HeadKind;
  readonly pairs: number;
  readonly batch: number;
}

void serve<HeadEpochSettings>(async ({ model: dir, head, pairs, batch }) => {
  await initBackend();
  const { model, tokenizer } = await loadRewardModel(dir, { head });
  const folder = mkdtempSync(join(tmpdir(), "rewardbook-head-"));
  const cache = openEncoderCache({ dir: folder, key: "00".repeat(32), width: model.config.hiddenSize });
  const random = createRandom(1),
    tokens = new TokenStore();
  for (let text = 0; text < 2 * pairs; text++) {
    const ids = Uint32Array.of(text);
    tokens.push(ids);
    cache.put(
      textHash(ids),
      Float32Array.from({ length: cache.width }, () => random.next() - 0.5),
    );
  }
  rmSync(folder, { recursive: true });
  const truncation = { pairs: 0, texts: 0, tokens_cut: 0, tokens: 2 * pairs };
  const dataset = {
    size: pairs,
    tokens,
    weights: new Float32Array(pairs).fill(1),
    margins: new Float32Array(pairs),
    truncation,
    cuts: new Map(),
  };
  const config = resolveConfig({ freeze: "head-only", batch_size: batch });
  const step = createFrozenStep({
    model,
    trainable: [...trainableNames(model, "head-only")],
    dataset,
    config,
    cache,
    padId: tokenizer.padId,
    precision: await resolvePrecision("auto"),
    tokensPerBatch: config.tokens_per_batch,
  });
  let updates = 0;
  return () => {
    const order = random.shuffle(Array.from({ length: pairs }, (_, i) => i));
    const all = Array.from({ length: Math.ceil(pairs / batch) }, (_, i): Update => {
      const chunk = order.slice(i * batch, (i + 1) * batch);
      return {
        pairs: chunk.length,
        batches: [{ pairs: chunk, rowTexts: [], shape: { height: 2 * batch, width: 1, slots: 1, pairs: batch } }],
      };
    });
    for (let done = 0; done < all.length;) {
      const group = groupUpdates(all, done);
      step.takeTogether(
        group,
        group.map(() => config.learning_rate),
        (updates += group.length),
      );
      done += group.length;
    }
    return { tokens: 2 * pairs, pairs, updates: Math.ceil(pairs / batch) };
  };
});
