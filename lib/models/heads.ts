// In: the hidden states a head reads. Out: one score a text. And which parameters the head of a configuration has.

import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors";
import { isDecoder, type ModelConfig } from "./config";
import { linear, type Forward, type Layout } from "./layers";

/** Dropout before the teaching head's linear layer, as in the source system's `nn.Dropout(0.1)`. */
const VALUE_HEAD_DROPOUT = 0.1;

/**
 * Name → shape of the head's parameters, as transformers' …ForSequenceClassification saves them.
 * The heads transformers does not know are called `score`; a decoder's has no bias, so that Python loads it as its own,
 * unless it came with one.
 */
export function headShapes(config: ModelConfig): Map<string, number[]> {
  if (config.head === "cls" && isDecoder(config))
    throw new InputError(
      `head: expected classification, value or mean for a ${config.modelType}, got cls; a decoder's first token sees nothing of the text`,
    );
  const H = config.hiddenSize;
  const dense = (module: string, out: number): [string, number[]][] => [
    [`${module}.weight`, [out, H]],
    [`${module}.bias`, [out]],
  ];
  if (isDecoder(config)) return new Map(config.headBias ? dense("score", 1) : [["score.weight", [1, H]]]);
  if (config.head !== "classification") return new Map(dense("score", 1));
  switch (config.modelType) {
    case "bert":
      return new Map([...dense("bert.pooler.dense", H), ...dense("classifier", 1)]);
    case "distilbert":
      return new Map([...dense("pre_classifier", H), ...dense("classifier", 1)]);
    default:
      return new Map([...dense("classifier.dense", H), ...dense("classifier.out_proj", 1)]);
  }
}

/** The module whose one output is the score. */
export function outputModule(config: ModelConfig): string {
  if (isDecoder(config) || config.head !== "classification") return "score";
  return config.modelType === "roberta" || config.modelType === "xlm-roberta" ? "classifier.out_proj" : "classifier";
}

/** Which rows of the last layer the head reads, one a text: int32 [B·S], or null for all of them. */
export function rowsRead(config: ModelConfig, layout: Layout): tf.Tensor1D | null {
  if (config.head === "mean") return null;
  return config.head === "value" || isDecoder(config) ? layout.last : layout.first;
}

/** Scores [B] of pooled hidden states x [B, H]. */
export function scorePooledRows(forward: Forward, x: tf.Tensor2D): tf.Tensor1D {
  const { config, dropout } = forward;
  const output = (input: tf.Tensor2D) =>
    tf.reshape(linear(forward, input, outputModule(config)), [x.shape[0]]) as tf.Tensor1D;
  if (config.head === "mean" || config.head === "cls") return output(x);
  if (config.head === "value") return output(dropout(x, VALUE_HEAD_DROPOUT));
  const rate = config.dropout.classifier;
  switch (config.modelType) {
    case "bert":
      return output(dropout(tf.tanh(linear(forward, x, "bert.pooler.dense")), rate));
    case "distilbert":
      return output(dropout(tf.relu(linear(forward, x, "pre_classifier")), rate));
    case "roberta":
    case "xlm-roberta":
      return output(dropout(tf.tanh(linear(forward, dropout(x, rate), "classifier.dense")), rate));
    default:
      return output(x);
  }
}

/** Mean of each text's tokens, [B·T, H] → [B·S, H]; 0 where there is no text. */
export function meanOverTokens(x: tf.Tensor2D, { B, T, S, whole }: Layout): tf.Tensor2D {
  const H = x.shape[1];
  const states = tf.reshape(x, [B, T, H]);
  const sum = S === 1 ? tf.sum(tf.mul(states, tf.reshape(whole, [B, T, 1])), 1) : tf.matMul(whole, states);
  return tf.div(tf.reshape(sum, [B * S, H]), tf.maximum(tf.reshape(tf.sum(whole, 2), [B * S, 1]), 1));
}

/** A decoder's `value` head without a bias is its `score` on the last token: transformers has that. */
export const isStandardHead = ({ modelType, head, headBias }: HeadConfig): boolean =>
  head === "classification" || (head === "value" && isDecoder({ modelType }) && !headBias);

/** The fields of a configuration that say what kind of head it is. */
export type HeadConfig = Pick<ModelConfig, "modelType" | "head" | "headBias">;
