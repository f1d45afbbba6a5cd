// onnxruntime's side of scoring: an exported model, batches sorted by length; and the latency of one pair.
import { readFileSync, statSync } from "node:fs";
import { openOnnx } from "../lib/export/onnxScores";
import { onePairMs } from "./latency";
import { serve } from "./serve";

export interface OnnxScoringSettings {
  readonly file: string;
  readonly tokens: string; // file: token ids, chosen and rejected in turn
  readonly batch_size: number;
}

void serve<OnnxScoringSettings>(async ({ file, tokens, batch_size }) => {
  const { score } = await openOnnx(file);
  const texts: number[][] = JSON.parse(readFileSync(tokens, "utf8"));
  const total = texts.reduce((sum, ids) => sum + ids.length, 0);
  const order = [...texts.keys()].sort((a, b) => texts[a].length - texts[b].length);

  const measured = { one_pair_ms: await onePairMs(texts, score), megabytes: statSync(file).size / 1e6 };

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
