// A tiny random BERT with a trained WordPiece tokenizer, and pairs that a head of it can learn.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseModelConfig } from "../../lib/models/config";
import { createRewardModel } from "../../lib/models/createModel";
import { parameterShapes } from "../../lib/models/rewardModel";
import { createRandom } from "../../lib/random";
import { saveRewardModel } from "../../lib/checkpoints/checkpoint";
import { openTokenizer } from "../../lib/text/tokenizer";
import { DEFAULT_TEMPLATE } from "../../lib/text/template";

const TOKENIZER = resolve(__dirname, "../goldens/text/wordpiece");
const CONFIG = {
  model_type: "bert",
  architectures: ["BertModel"],
  vocab_size: 500,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 128,
  type_vocab_size: 2,
  pad_token_id: 0,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
};

/** A folder of its own, in which runs write their metrics and checkpoints. */
export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "rewardbook-test-"));

/** Saves a random BERT of 2 layers and 32 columns. */
export async function saveTinyModel(folder: string): Promise<string> {
  const config = parseModelConfig(CONFIG, "tiny");
  const random = createRandom(11);
  const tensors = new Map(
    [...parameterShapes(config)].map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      const centre = /LayerNorm.weight$/.test(name) ? 1 : 0;
      return [name, { shape, data: data.map(() => centre + (name.endsWith("bias") ? 0 : 0.1 * random.normal())) }];
    }),
  );
  const model = createRewardModel(config, tensors);
  const dir = join(folder, "tiny-bert");
  const settings = { template: DEFAULT_TEMPLATE, max_length: 64, truncation: "right" as const };
  await saveRewardModel(dir, { loaded: { model, tokenizer: openTokenizer(TOKENIZER) }, settings });
  model.dispose();
  return dir;
}

/** Pairs whose chosen answer holds more even than odd words: two risk levels, two pairs a question. */
export function writeTinyPairs(folder: string, questions = 80): string {
  const random = createRandom(3);
  const words = (good: boolean) =>
    Array.from({ length: 2 + random.integer(10) }, () => (random.next() < (good ? 0.9 : 0.1) ? "the" : "no")).join(" ");
  const rows = Array.from({ length: 2 * questions }, (_, i) => ({
    question_id: `q${i >> 1}`,
    prompt: `question ${i >> 1}?`,
    chosen: `a ${words(true)}, ${i}`,
    rejected: `a ${words(false)}, ${i}`,
    risk_level: (i >> 1) % 3 === 0 ? "High" : "Low",
    confidence_penalty: i % 4 === 0 ? 0.5 : 0,
  }));
  const file = join(folder, "pairs.jsonl");
  writeFileSync(file, rows.map((row) => JSON.stringify(row) + "\n").join(""));
  return file;
}
