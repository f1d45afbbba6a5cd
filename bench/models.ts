// In: the name of a size. Out: a model of it on disk, in Hugging Face files that both sides load.
import { elementCount } from "../lib/files/pieces";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseModelConfig } from "../lib/models/config";
import { trunkShapes } from "../lib/models/families";
import { parameterShapes } from "../lib/models/rewardModel";
import { projectPath } from "../lib/files/paths";
import { createRandom, hashSeed } from "../lib/random";
import { writeSafetensors } from "../lib/files/safetensors";

export const SIZES = ["minilm", "bert-base", "smollm2-135m", "llama-3.2-1b", "llama-3.2-3b"] as const;
export type Size = (typeof SIZES)[number];

const miniLm = (): Record<string, unknown> =>
  JSON.parse(readFileSync(projectPath("models", "all-MiniLM-L6-v2", "config.json"), "utf8"));

/** `config.json` of a size; MiniLM's is the default encoder's own. */
export function sizeConfig(size: Size, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const encoder = { ...miniLm(), architectures: ["BertForSequenceClassification"] };
  switch (size) {
    case "minilm":
      return { ...encoder, ...changes };
    case "bert-base":
      return {
        ...encoder,
        num_hidden_layers: 12,
        hidden_size: 768,
        intermediate_size: 3072,
        num_attention_heads: 12,
        ...changes,
      };
    case "smollm2-135m":
      return {
        model_type: "llama",
        architectures: ["LlamaForSequenceClassification"],
        vocab_size: 49152,
        hidden_size: 576,
        intermediate_size: 1536,
        num_hidden_layers: 30,
        num_attention_heads: 9,
        num_key_value_heads: 3,
        rms_norm_eps: 1e-5,
        rope_theta: 100000,
        max_position_embeddings: 8192,
        hidden_act: "silu",
        tie_word_embeddings: true,
        pad_token_id: 2,
        bos_token_id: 1,
        eos_token_id: 2,
        ...changes,
      };
    case "llama-3.2-1b":
      return sizeConfig("llama-3.2-3b", {
        hidden_size: 2048,
        num_hidden_layers: 16,
        num_attention_heads: 32,
        head_dim: 64,
        ...changes,
      });
    case "llama-3.2-3b":
      return {
        model_type: "llama",
        architectures: ["LlamaForCausalLM"],
        vocab_size: 128256,
        hidden_size: 3072,
        intermediate_size: 8192,
        num_hidden_layers: 28,
        num_attention_heads: 24,
        num_key_value_heads: 8,
        head_dim: 128,
        rms_norm_eps: 1e-5,
        rope_theta: 500000,
        rope_scaling: {
          rope_type: "llama3",
          factor: 32,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 8192,
        },
        max_position_embeddings: 131072,
        hidden_act: "silu",
        tie_word_embeddings: true,
        ...changes,
      };
  }
}

/** Writes config.json and model.safetensors with seeded random weights of the usual scale, one tensor in memory at a time. */
export async function writeRandomModel(
  dir: string,
  json: Record<string, unknown>,
  dtype: "F32" | "BF16" = "F32",
): Promise<void> {
  const config = parseModelConfig(json, dir);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "config.json"), JSON.stringify({ ...json, num_labels: 1 }));
  const shapes = String(json.architectures).endsWith("ForCausalLM") ? trunkShapes(config) : parameterShapes(config);
  const tensors = [...shapes].map(([name, shape]) => {
    const size = elementCount(shape);
    return [name, { shape, pieces: () => [values(name, size)] }] as const;
  });
  await writeSafetensors(join(dir, "model.safetensors"), tensors, { dtype });
}

function values(name: string, size: number): Float32Array {
  const data = new Float32Array(size);
  if (name.endsWith(".bias")) return data;
  if (/norm/i.test(name)) return data.fill(1);
  const random = createRandom(hashSeed(name));
  const range = 0.02 * Math.sqrt(3); // uniform numbers of standard deviation 0.02, many times faster than normal ones
  for (let i = 0; i < size; i++) data[i] = range * (2 * random.next() - 1);
  return data;
}
