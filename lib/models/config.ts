// In: the config.json of a Hugging Face directory. Out: what the models need to know, in one form for all families.

import { z } from "zod";
import { InputError } from "../errors";
import {
  ACTIVATIONS,
  bertSchema,
  decoderSchema,
  distilbertSchema,
  labelsSchema,
  type Activation,
  type HeadKind,
} from "./configSchemas";
import { parseRope, type Rope } from "./rope";

export { HEADS, type HeadKind } from "./configSchemas";

export const MODEL_TYPES = [
  "bert",
  "distilbert",
  "roberta",
  "xlm-roberta",
  "llama",
  "qwen2",
  "qwen3",
  "mistral",
] as const;
export type ModelType = (typeof MODEL_TYPES)[number];

export interface ModelConfig {
  readonly modelType: ModelType;
  readonly head: HeadKind;
  /** A decoder's `score` with a bias, which transformers' own has not: the value heads of other trainers. */
  readonly headBias?: boolean;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Smaller than `heads` in grouped-query attention. */
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly maxPositions: number;
  /** Segments of an encoder; 0 where the family has none. */
  readonly tokenTypes: number;
  readonly padTokenId: number;
  readonly activation: Activation;
  readonly normEpsilon: number;
  readonly initializerRange: number;
  readonly dropout: { readonly hidden: number; readonly attention: number; readonly classifier: number };
  /** Decoders only. */
  readonly rope: Rope | null;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  /** Tokens a layer may look back; null where every layer sees everything. */
  readonly slidingWindow: number | null;
  /** The JSON as it was read: written back with the checkpoint, so that nothing of it is lost. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export function isDecoder(config: Pick<ModelConfig, "modelType">): boolean {
  return ["llama", "qwen2", "qwen3", "mistral"].includes(config.modelType);
}

function check<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InputError(
    `${where}: ${issue.path.join(".") || "config"}: ${issue.message}; mend it or take the config.json the model came with`,
  );
}

/** A head with several labels is a classifier, not one number a text. A directory without a head may say anything. */
function refuseManyLabels(json: unknown, where: string) {
  const { num_labels: stated, id2label, architectures } = check(labelsSchema, json, where);
  const labels = stated ?? (id2label ? Object.keys(id2label).length : 1);
  if (labels === 1 || /(Model|MaskedLM|CausalLM|ForPreTraining)$/.test(architectures?.[0] ?? "")) return;
  throw new InputError(
    `${where}: expected a head with 1 label, got ${labels}; train a reward model from its base model, or set num_labels to 1 ` +
      `(remove id2label and label2id) and delete the head's tensors to start with a fresh head`,
  );
}

/**
 * Reads a Hugging Face config.json of a supported family.
 *
 * @param json  the parsed file
 * @param where its path, for messages
 * @throws InputError for an unsupported model_type, a missing or senseless field, or a head with more than one label
 * @example
 * ```ts
 * const raw: unknown = JSON.parse(await readFile("models/all-MiniLM-L6-v2/config.json", "utf8"));
 * console.log(parseModelConfig(raw, "config.json").modelType);
 * ```
 */
export function parseModelConfig(json: unknown, where: string): ModelConfig {
  const { model_type: type } = check(z.looseObject({ model_type: z.string() }), json, where);
  if (!(MODEL_TYPES as readonly string[]).includes(type)) {
    throw new InputError(
      `${where}: model_type: expected one of ${MODEL_TYPES.join(", ")}, got ${JSON.stringify(type)}; choose a model of a supported family`,
    );
  }
  const modelType = type as ModelType;
  const config =
    modelType === "distilbert"
      ? fromDistilbert(check(distilbertSchema, json, where))
      : isDecoder({ modelType })
        ? fromDecoder(check(decoderSchema, json, where), modelType, where)
        : fromBert(check(bertSchema, json, where), modelType);
  if (config.hiddenSize % config.heads !== 0 && !isDecoder(config)) {
    throw new InputError(
      `${where}: expected heads that divide the hidden size, got ${config.heads} and ${config.hiddenSize}; mend the config`,
    );
  }
  refuseManyLabels(json, where);
  return { ...config, raw: json as Record<string, unknown> };
}

const base = (json: z.infer<typeof bertSchema> | z.infer<typeof distilbertSchema> | z.infer<typeof decoderSchema>) => ({
  head: json.rewardbook_head ?? ("classification" as const),
  ...(json.rewardbook_head_bias ? { headBias: true } : {}),
  vocabSize: json.vocab_size,
  maxPositions: json.max_position_embeddings,
  initializerRange: json.initializer_range,
});

const noRope = { rope: null, attentionBias: true, mlpBias: true, slidingWindow: null };

const padOf = ({ pad_token_id: id }: { pad_token_id?: number | null }, none: number): number =>
  id == null || id < 0 ? none : id;

function fromBert(json: z.infer<typeof bertSchema>, modelType: ModelType): Omit<ModelConfig, "raw"> {
  return {
    ...base(json),
    ...noRope,
    modelType,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    keyValueHeads: json.num_attention_heads,
    headSize: json.hidden_size / json.num_attention_heads,
    tokenTypes: json.type_vocab_size,
    padTokenId: padOf(json, modelType === "bert" ? 0 : 1),
    activation: ACTIVATIONS[json.hidden_act],
    normEpsilon: json.layer_norm_eps,
    dropout: {
      hidden: json.hidden_dropout_prob,
      attention: json.attention_probs_dropout_prob,
      classifier: json.classifier_dropout ?? json.hidden_dropout_prob,
    },
  };
}

function fromDistilbert(json: z.infer<typeof distilbertSchema>): Omit<ModelConfig, "raw"> {
  return {
    ...base(json),
    ...noRope,
    modelType: "distilbert",
    hiddenSize: json.dim,
    intermediateSize: json.hidden_dim,
    layers: json.n_layers,
    heads: json.n_heads,
    keyValueHeads: json.n_heads,
    headSize: json.dim / json.n_heads,
    tokenTypes: 0,
    padTokenId: padOf(json, 0),
    activation: ACTIVATIONS[json.activation],
    normEpsilon: 1e-12, // fixed in transformers' modeling_distilbert.py
    dropout: { hidden: json.dropout, attention: json.attention_dropout, classifier: json.seq_classif_dropout },
  };
}

function fromDecoder(
  json: z.infer<typeof decoderSchema>,
  modelType: ModelType,
  where: string,
): Omit<ModelConfig, "raw"> {
  const headSize = json.head_dim ?? json.hidden_size / json.num_attention_heads;
  const keyValueHeads = json.num_key_value_heads ?? (modelType === "mistral" ? 8 : json.num_attention_heads);
  if (!Number.isInteger(headSize) || headSize % 2 !== 0 || json.num_attention_heads % keyValueHeads !== 0) {
    throw new InputError(
      `${where}: expected an even head size and key-value heads that divide the heads, got head size ${headSize}, ` +
        `${keyValueHeads} and ${json.num_attention_heads}; mend the config`,
    );
  }
  const windowed =
    modelType === "mistral" ||
    (modelType !== "llama" && json.use_sliding_window) ||
    (json.layer_types ?? []).includes("sliding_attention");
  return {
    ...base(json),
    modelType,
    hiddenSize: json.hidden_size,
    intermediateSize: json.intermediate_size,
    layers: json.num_hidden_layers,
    heads: json.num_attention_heads,
    keyValueHeads,
    headSize,
    tokenTypes: 0,
    padTokenId: padOf(json, 0),
    activation: ACTIVATIONS[json.hidden_act],
    normEpsilon: json.rms_norm_eps,
    dropout: { hidden: 0, attention: json.attention_dropout, classifier: 0 },
    rope: parseRope(json, headSize, where),
    attentionBias: json.attention_bias,
    mlpBias: json.mlp_bias,
    slidingWindow: windowed ? (json.sliding_window ?? null) : null,
  };
}
