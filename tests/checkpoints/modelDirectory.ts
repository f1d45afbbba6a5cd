// In: the name of a model golden. Out: a Hugging Face directory with its weights and a tiny tokenizer.
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeSafetensors } from "../../lib/files/safetensors";
import { readGolden, unpackAll } from "../models/golden";

const TOKENIZERS = join(__dirname, "..", "goldens", "text");

/** A tokenizer of the family's kind whose ids fit the golden's vocabulary. */
export function copyTokenizer(dir: string, family: string): void {
  const kind = /^(llama|qwen|mistral)/.test(family)
    ? "bpe-llama"
    : family === "roberta"
      ? "bpe-roberta"
      : family === "xlm_roberta"
        ? "unigram"
        : "wordpiece";
  cpSync(join(TOKENIZERS, kind), dir, { recursive: true });
}

/** Writes config.json, model.safetensors and the tokenizer's files. */
export async function makeModelDirectory(
  dir: string,
  family: string,
  changes: Record<string, unknown> = {},
): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const golden = readGolden(family);
  const vocabulary = 1024; // the goldens' own is smaller than a tokenizer's
  const tensors = [...unpackAll(golden.tensors)].map(([name, { shape, data }]) => {
    const positions = /position_embeddings\.weight$/.test(name) ? (changes.max_position_embeddings ?? shape[0]) : null;
    const rows = /(word_embeddings|embed_tokens)\.weight$/.test(name) ? vocabulary : positions;
    if (rows === null) return [name, { shape, data }] as const;
    const wide = Float32Array.from({ length: Number(rows) * shape[1] }, (_, i) => data[i % data.length]);
    return [name, { shape: [Number(rows), shape[1]], data: wide }] as const;
  });
  await writeSafetensors(join(dir, "model.safetensors"), tensors);
  writeFileSync(
    join(dir, "config.json"),
    JSON.stringify({
      ...golden.config,
      vocab_size: vocabulary,
      max_position_embeddings: golden.config.max_position_embeddings,
      ...changes,
    }),
  );
  copyTokenizer(dir, family);
}
