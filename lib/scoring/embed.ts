// In: a loaded model and texts. Out: one vector a text: what its head reads (with the head "mean", the mean over the tokens).
import { Interrupted } from "../errors";
import { yieldToEvents } from "../interrupt";
import { longWork } from "../longWork";
import { poolInputs } from "../models/rewardModel";
import type { LoadedModel } from "../checkpoints/checkpoint";
import type { ScoreItem, ScoringOptions } from "./score";
import { keptResults } from "./kept";
import { compileForTexts } from "./textRuns";

const WHAT = { label: "vectors", unit: "texts", again: "run it again to go on from there" };

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
  const kept = keptResults<Float32Array>(loaded.model, { name: "embed", precision: options.precision });
  const runs = compileForTexts(loaded.model, poolInputs, { padId: loaded.tokenizer.padId, name: "embed", ...options });
  const vectors = encoded.map(({ ids }) => kept.find(ids));
  const missing = [...encoded.keys()].filter((i) => vectors[i] === undefined);
  const before = distinct.length - missing.length;
  const tokens = { length: (i: number) => encoded[i].ids.length, ids: (i: number) => encoded[i].ids };
  const put = (i: number, vector: Float32Array) => (vectors[i] = vector.slice());
  try {
    await longWork(WHAT, options, async ({ signal, onProgress, onKnown }) => {
      onKnown(before);
      for (const done of runs.run(tokens, missing, put, signal)) {
        onProgress(before + done, distinct.length);
        await yieldToEvents();
      }
    });
    kept.forget();
  } catch (error) {
    if (error instanceof Interrupted)
      kept.keep(vectors.flatMap((vector, i) => (vector ? [[encoded[i].ids, vector] as const] : [])));
    throw error;
  } finally {
    runs.dispose();
  }
  return rows.map((row) => vectors[row]!);
}
