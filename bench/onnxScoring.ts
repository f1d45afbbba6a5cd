// onnxruntime's side of scoring: an exported model, batches sorted by length; and the latency of one pair.
import { readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { projectPath } from "../lib/files/paths";
import { median } from "./compare";
import { serve } from "./serve";

export interface OnnxScoringSettings {
  readonly file: string;
  readonly tokens: string; // file: token ids, chosen and rejected in turn
  readonly batch_size: number;
}

interface Runtime {
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => object;
  readonly InferenceSession: {
    create(file: string, options: object): Promise<{ run(feeds: object): Promise<{ logits: { data: Float32Array } }> }>;
  };
}

const PAIRS_TIMED_ALONE = 20;

void serve<OnnxScoringSettings>(async ({ file, tokens, batch_size }) => {
  const require = createRequire(projectPath(".cache", "onnx", "package.json"));
  const { InferenceSession, Tensor } = require("onnxruntime-node") as Runtime;
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const texts: number[][] = JSON.parse(readFileSync(tokens, "utf8"));
  const total = texts.reduce((sum, ids) => sum + ids.length, 0);
  const order = [...texts.keys()].sort((a, b) => texts[a].length - texts[b].length);

  async function score(rows: readonly number[][]): Promise<Float32Array> {
    const width = Math.max(...rows.map((ids) => ids.length));
    const tensor = (value: (ids: number[], place: number) => number) =>
      new Tensor(
        "int64",
        BigInt64Array.from({ length: rows.length * width }, (_, i) =>
          BigInt(value(rows[Math.floor(i / width)], i % width)),
        ),
        [rows.length, width],
      );
    const { logits } = await session.run({
      input_ids: tensor((ids, place) => ids[place] ?? 0),
      attention_mask: tensor((ids, place) => Number(place < ids.length)),
      token_type_ids: tensor(() => 0),
    });
    return logits.data;
  }

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
