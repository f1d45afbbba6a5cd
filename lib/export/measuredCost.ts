// In: an exported file, the model it came from, held-out pairs. Out: what the smaller type costs in accuracy and order.
import type { LoadedModel } from "../checkpoints/loadCheckpoint";
import type { OnnxDtype } from "../models/onnx/weights";
import { itemsOf, type PreferencePair } from "../pairs/pair";
import { scoreTexts } from "../scoring/score";
import { spearman } from "../statistics/correlation";
import { openOnnx } from "./onnxScores";

/** An exported file beside `rewardbook score` on the same held-out pairs. */
export interface MeasuredCost {
  readonly dtype: OnnxDtype;
  readonly pairs: number;
  /** Share of pairs whose chosen answer has the higher reward; a tie is none. */
  readonly accuracy: number;
  /** The same, of the checkpoint in f32. */
  readonly checkpointAccuracy: number;
  /** Spearman's, over all texts; null where one side gives all texts the same. */
  readonly rankCorrelation: number | null;
  readonly largestDifference: number;
}

/** Texts that onnxruntime reads at once. */
const TEXTS = 16;

/** Measures files of one model on held-out pairs. @throws InputError where set-up left onnxruntime out */
export async function measureCosts(
  files: readonly { readonly dtype: OnnxDtype; readonly path: string }[],
  loaded: LoadedModel,
  pairs: readonly PreferencePair[],
): Promise<MeasuredCost[]> {
  const items = pairs.flatMap(itemsOf);
  const expected = await scoreTexts(loaded, items, { precision: "f32", quiet: true });
  const { template, max_length: maxLength, truncation } = loaded.settings;
  const encoded = await loaded.tokenizer.encode(items, { template, maxLength, truncation });
  const texts = encoded.map(({ ids }) => ids);
  const costs: MeasuredCost[] = [];
  for (const { dtype, path } of files) {
    const got = await scoreAll(path, texts);
    costs.push({
      dtype,
      pairs: pairs.length,
      accuracy: accuracyOf(got),
      checkpointAccuracy: accuracyOf(expected),
      rankCorrelation: spearman(got, expected),
      largestDifference: expected.reduce((most, score, i) => Math.max(most, Math.abs(score - got[i])), 0),
    });
  }
  return costs;
}

async function scoreAll(path: string, texts: readonly ArrayLike<number>[]): Promise<Float64Array> {
  const order = [...texts.keys()].sort((a, b) => texts[a].length - texts[b].length);
  const scores = new Float64Array(texts.length);
  const scorer = await openOnnx(path);
  for (let from = 0; from < order.length; from += TEXTS) {
    const places = order.slice(from, from + TEXTS);
    const some = await scorer.score(places.map((place) => texts[place]));
    places.forEach((place, i) => (scores[place] = some[i]));
  }
  await scorer.release();
  return scores;
}

/** @param scores chosen and rejected in turn */
function accuracyOf(scores: Float64Array): number {
  let right = 0;
  for (let i = 0; i < scores.length; i += 2) if (scores[i] > scores[i + 1]) right++;
  return right / (scores.length / 2);
}
