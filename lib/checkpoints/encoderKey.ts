// In: a text, or an encoder with all its settings. Out: a digest that stands for it.
import { createHash } from "node:crypto";
import { rowPieces } from "../models/halfStorage";
import { headShapes } from "../models/heads";
import type { RewardModel } from "../models/rewardModel";
import type { Tokenizer } from "../text/tokenizer";
import { readTokenizerFiles } from "../text/tokenizerFiles";

/**
 * Stands for everything a cached vector depends on: the encoder's weights (not the head's), configuration and
 * pooling, the tokenizer, the template, the maximum length, the truncation and the precision.
 */
export function encoderKey(options: {
  readonly model: RewardModel;
  readonly tokenizer: Tokenizer;
  readonly settings: { readonly template: string; readonly max_length: number; readonly truncation: string };
  readonly precision: string;
}): string {
  const {
    model,
    tokenizer,
    settings: { template, max_length, truncation },
    precision,
  } = options;
  const hash = createHash("sha256");
  const { raw: _, ...config } = model.config;
  const files = readTokenizerFiles(tokenizer.dir);
  hash.update(
    JSON.stringify([
      config,
      model.lora,
      precision,
      template,
      max_length,
      truncation,
      tokenizer.appendEos,
      files.json,
      files.settings,
    ]),
  );
  const head = headShapes(model.config);
  for (const [name, variable] of [...model.parameters].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (head.has(name)) continue;
    hash.update(`\0${name}\0${variable.shape}\0`);
    for (const { buffer, byteOffset, byteLength } of rowPieces(variable))
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex");
}
