// In: a configuration. Out: what differs between architecture families: names, shapes, hidden states.

import type * as tf from "@tensorflow/tfjs-core";
import { bertHidden, bertShapes } from "./bert";
import { distilbertHidden, distilbertShapes } from "./distilbert";
import { llamaHidden, llamaShapes } from "./llama";
import { isDecoder, type ModelConfig } from "./config";
import type { Forward, Layout } from "./layers";

/** Prefix of the trunk's tensors in a …ForSequenceClassification checkpoint; base models are saved without it. */
export function trunkPrefix(config: Pick<ModelConfig, "modelType">): string {
  if (isDecoder(config)) return "model.";
  return config.modelType === "xlm-roberta" ? "roberta." : `${config.modelType}.`;
}

/** `Bert`, `XLMRoberta`, …: the first half of transformers' class names. */
export function className({ modelType }: Pick<ModelConfig, "modelType">): string {
  const names: Record<ModelConfig["modelType"], string> = {
    bert: "Bert",
    distilbert: "DistilBert",
    roberta: "Roberta",
    "xlm-roberta": "XLMRoberta",
    llama: "Llama",
    qwen2: "Qwen2",
    qwen3: "Qwen3",
    mistral: "Mistral",
  };
  return names[modelType];
}

/** Name → shape of every parameter of the trunk. */
export function trunkShapes(config: ModelConfig): Map<string, number[]> {
  if (isDecoder(config)) return llamaShapes(config);
  return config.modelType === "distilbert" ? distilbertShapes(config) : bertShapes(config);
}

/** Name of the table of word embeddings, [vocabulary, H]: of it a text meets the rows of its tokens. */
export function wordTable(config: Pick<ModelConfig, "modelType">): string {
  return `${trunkPrefix(config)}${isDecoder(config) ? "embed_tokens" : "embeddings.word_embeddings"}.weight`;
}

/** Last hidden states: [B·S, H] of the rows `read` names, or [B·T, H]. */
export function hiddenStates(
  forward: Forward,
  ids: tf.Tensor2D,
  layout: Layout,
  read: tf.Tensor1D | null,
): tf.Tensor2D {
  if (isDecoder(forward.config)) return llamaHidden(forward, ids, layout, read);
  const hidden = forward.config.modelType === "distilbert" ? distilbertHidden : bertHidden;
  return hidden(forward, ids, layout, read);
}
