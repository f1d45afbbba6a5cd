// In: a loaded model and texts. Out: one vector a text: what its head reads (with the head "mean", the mean over the tokens).
import * as tf from "@tensorflow/tfjs-core";
import { layOut } from "../dataset";
import { compile } from "../engine/compile";
import { poolInputs } from "../models/rewardModel";
import type { LoadedModel } from "../storage/checkpoint";
import { planScoring } from "../text/batches";
import type { ScoreItem, ScoringOptions } from "./score";

const TOKENS_PER_BATCH = 8192;

/** Vectors of all items, in their order; a text that stands several times is computed once. */
export async function embedTexts(
  loaded: LoadedModel,
  items: readonly ScoreItem[],
  options: ScoringOptions = {},
): Promise<Float32Array[]> {
  const { template, max_length: maxLength, truncation } = loaded.settings;
  const rowOf = new Map<string, number>();
  const distinct: ScoreItem[] = [];
  const rows = items.map((item) => {
    const key = `${item.prompt}\0${item.response}`;
    if (!rowOf.has(key)) rowOf.set(key, distinct.push(item) - 1);
    return rowOf.get(key)!;
  });
  const encoded = await loaded.tokenizer.encode(distinct, { template, maxLength, truncation });
  const forward = compile(
    (ids, mask) => poolInputs(loaded.model, { ids: ids as tf.Tensor2D, mask: mask as tf.Tensor2D }),
    {
      precision: options.precision ?? "f32",
      name: "embed",
    },
  );
  const vectors = new Array<Float32Array>(distinct.length);
  const lengths = Int32Array.from(encoded, ({ ids }) => ids.length);
  const plan = planScoring(lengths, {
    tokensPerBatch: options.tokensPerBatch ?? TOKENS_PER_BATCH,
    maxLength: lengths.reduce((a, b) => Math.max(a, b), 1),
  });
  let done = 0;
  try {
    for (const { rows: batch, width, capacity } of plan) {
      options.signal?.throwIfAborted();
      const { ids, mask } = layOut(
        batch.map((row) => encoded[row].ids),
        capacity,
        width,
        loaded.tokenizer.padId,
      );
      const inputs = [tf.tensor2d(ids, [capacity, width], "int32"), tf.tensor2d(mask, [capacity, width])];
      const [output] = forward(...inputs);
      const size = output.shape[1]!;
      const values = output.dataSync() as Float32Array;
      tf.dispose([...inputs, output]);
      batch.forEach((row, i) => (vectors[row] = values.slice(i * size, (i + 1) * size)));
      options.onProgress?.((done += batch.length), distinct.length);
      await new Promise(setImmediate);
    }
  } finally {
    forward.dispose();
  }
  return rows.map((row) => vectors[row]);
}
