// In: nothing. Out: one config.json for each architecture family: published shapes, cut where the machine forbids them.
import type { ModelType } from "../lib/models/config";
import { sizeConfig } from "./models";

export interface FamilyShape {
  readonly family: ModelType;
  /** The published model whose shape it is, and what was cut. */
  readonly shape: string;
  readonly config: Record<string, unknown>;
}

const roberta = {
  num_hidden_layers: 6,
  num_attention_heads: 12,
  max_position_embeddings: 514,
  type_vocab_size: 1,
  layer_norm_eps: 1e-5,
  hidden_act: "gelu",
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  pad_token_id: 1,
  bos_token_id: 0,
  eos_token_id: 2,
};

/** A full vocabulary would leave little but its table in a model of few layers. */
const CUT = { num_hidden_layers: 4, vocab_size: 32000, pad_token_id: 0, bos_token_id: 1, eos_token_id: 2 };
const decoder = {
  ...CUT,
  hidden_act: "silu",
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
};

export const FAMILY_SHAPES: readonly FamilyShape[] = [
  { family: "bert", shape: "all-MiniLM-L6-v2", config: sizeConfig("minilm") },
  {
    family: "distilbert",
    shape: "distilbert-base",
    config: {
      model_type: "distilbert",
      architectures: ["DistilBertForSequenceClassification"],
      vocab_size: 30522,
      dim: 768,
      hidden_dim: 3072,
      n_layers: 6,
      n_heads: 12,
      max_position_embeddings: 512,
      activation: "gelu",
      dropout: 0.1,
      attention_dropout: 0.1,
      seq_classif_dropout: 0.2,
      pad_token_id: 0,
    },
  },
  {
    family: "roberta",
    shape: "distilroberta-base",
    config: {
      ...roberta,
      model_type: "roberta",
      architectures: ["RobertaForSequenceClassification"],
      vocab_size: 50265,
      hidden_size: 768,
      intermediate_size: 3072,
    },
  },
  {
    family: "xlm-roberta",
    shape: "mMiniLMv2-L6-H384",
    config: {
      ...roberta,
      model_type: "xlm-roberta",
      architectures: ["XLMRobertaForSequenceClassification"],
      vocab_size: 250002,
      hidden_size: 384,
      intermediate_size: 1536,
    },
  },
  { family: "llama", shape: "SmolLM2-135M", config: sizeConfig("smollm2-135m") },
  {
    family: "qwen2",
    shape: "Qwen2.5-0.5B, 4 of 24 layers, vocabulary 32,000",
    config: {
      ...decoder,
      model_type: "qwen2",
      architectures: ["Qwen2ForSequenceClassification"],
      hidden_size: 896,
      intermediate_size: 4864,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      use_sliding_window: false,
    },
  },
  {
    family: "qwen3",
    shape: "Qwen3-0.6B, 4 of 28 layers, vocabulary 32,000",
    config: {
      ...decoder,
      model_type: "qwen3",
      architectures: ["Qwen3ForSequenceClassification"],
      hidden_size: 1024,
      intermediate_size: 3072,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 128,
      use_sliding_window: false,
    },
  },
  {
    family: "mistral",
    shape: "Mistral-7B, a quarter of its width, 4 of 32 layers",
    config: {
      ...decoder,
      model_type: "mistral",
      architectures: ["MistralForSequenceClassification"],
      hidden_size: 1024,
      intermediate_size: 3584,
      num_attention_heads: 8,
      num_key_value_heads: 2,
      head_dim: 128,
      rms_norm_eps: 1e-5,
      sliding_window: null,
    },
  },
];
