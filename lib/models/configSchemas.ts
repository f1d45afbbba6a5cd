// In: nothing. Out: what a config.json of each family must and may hold, with transformers' defaults.

import { z } from "zod";
import { ropeFields } from "./rope";

/**
 * How a text's hidden states become one number.
 * `classification`: transformers' own head: pooler or dense layer and classifier on the first token; a decoder's `score` on
 * the last. `cls`: a linear layer on the first token, encoders only. `value`: dropout 0.1 and a linear layer on the last
 * token (the teaching head). `mean`: a linear layer on the mean over tokens.
 */
export const HEADS = ["classification", "cls", "value", "mean"] as const;
export type HeadKind = (typeof HEADS)[number];

export type Activation = "gelu" | "gelu_new" | "relu" | "silu" | "tanh";

const size = z.number().int().positive();
const rate = z.number().min(0).max(0.999);
export const ACTIVATIONS: Record<string, Activation> = {
  gelu: "gelu",
  gelu_new: "gelu_new",
  gelu_pytorch_tanh: "gelu_new",
  relu: "relu",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
};
const activation = z
  .string()
  .refine((name) => Object.hasOwn(ACTIVATIONS, name), `expected one of ${Object.keys(ACTIVATIONS).join(", ")}`);

const common = {
  vocab_size: size,
  pad_token_id: z.number().int().nullish(), // −1 in some: none
  initializer_range: z.number().positive().default(0.02),
  rewardbook_head: z.enum(HEADS).optional(),
  rewardbook_head_bias: z.boolean().optional(),
};

export const labelsSchema = z.looseObject({
  num_labels: z.number().int().optional(),
  id2label: z.record(z.string(), z.unknown()).nullish(),
  architectures: z.array(z.string()).nullish(),
});

export const bertSchema = z.looseObject({
  ...common,
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  hidden_act: activation.default("gelu"),
  max_position_embeddings: size.default(512),
  type_vocab_size: size.default(2),
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_dropout_prob: rate.default(0.1),
  attention_probs_dropout_prob: rate.default(0.1),
  classifier_dropout: rate.nullish(),
  position_embedding_type: z.literal("absolute").nullish(),
  is_decoder: z.literal(false).nullish(),
});

export const distilbertSchema = z.looseObject({
  ...common,
  dim: size.default(768),
  n_layers: size.default(6),
  n_heads: size.default(12),
  hidden_dim: size.default(3072),
  activation: activation.default("gelu"),
  max_position_embeddings: size.default(512),
  dropout: rate.default(0.1),
  attention_dropout: rate.default(0.1),
  seq_classif_dropout: rate.default(0.2),
});

export const decoderSchema = z.looseObject({
  ...common,
  ...ropeFields,
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  num_key_value_heads: size.nullish(),
  head_dim: size.nullish(),
  intermediate_size: size,
  hidden_act: activation.default("silu"),
  max_position_embeddings: size.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  attention_dropout: rate.default(0),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  sliding_window: size.nullish(),
  use_sliding_window: z.boolean().default(false),
  layer_types: z.array(z.string()).nullish(),
});
