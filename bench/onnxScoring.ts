// onnxruntime's side of scoring: an exported model, batches sorted by length; and the latency of one pair.
import { readFileSync, statSync } from "node:fs";
import { openOnnx } from "../lib/export/onnxScores";
import { median } from "./compare";
import { serve } from "./serve";

export interface OnnxScoringSettings {
  readonly file: string;
  readonly tokens: string; // file: token ids, chosen and rejected in turn
  readonly batch_size: number;
}

const PAIRS_TIMED_ALONE = 20;

void serve<OnnxScoringSettings>(async ({ file, tokens, batch_size }) => {
  const { score } = await openOnnx(file);
  const texts: number[][] = JSON.parse(readFileSync(tokens, "utf8"));
  const total = texts.reduce((sum, ids) => sum + ids.length, 0);
  const order = [...texts.keys()].sort((a, b) => texts[a].length - texts[b].length);

  // timed once, before the units: it is no part of their work
  const alone: number[] = [];
  for (let pair = 0; pair < Math.min(PAIRS_TIMED_ALONE, texts.length / 2); pair++) {
    const started = performance.now();
    await score([texts[2 * pair], texts[2 * pair + 1]]);
    alone.push(performance.now() - started);
  }
  const measured = { one_pair_ms: median(alone), megabytes: statSync(file).size / 1e6 };

  return async () => {
    let margin = 0;
    for (let from = 0; from < order.length; from += batch_size) {
      const places = order.slice(from, from + batch_size);
      const scores = await score(places.map((place) => texts[place]));
      places.forEach((place, i) => (margin += ((place % 2 === 0 ? 1 : -1) * scores[i]) / (texts.length / 2)));
    }
    return { tokens: total, pairs: texts.length / 2, margin, ...measured };
  };
});
