// In: a loaded model and texts. Out: one reward a text, the same whatever the batch, the order or the padding.
import * as tf from "@tensorflow/tfjs-core";
import { TokenStore, encodePairs, layOutLines, type EncodingOptions } from "../dataset";
import { initBackend } from "../engine/backend";
import { compile } from "../engine/compile";
import { xlaPays } from "../engine/xlaPays";
import { InputError } from "../errors";
import { breathe } from "../interrupt";
import { pairWeight } from "../loss";
import { fusesAttention } from "../models/layers";
import { checkWindow } from "../models/llama";
import { countParameters, embeddingSize, scoreInputs, type RewardModel } from "../models/rewardModel";
import type { Message, PreferencePair } from "../pairs/pair";
import type { LoadedModel } from "../storage/checkpoint";
import { planScoringRuns, type Size } from "../text/packing";
import type { ScoredPair } from "./scoredPair";

/** What scoring may be told. */
export interface ScoringOptions {
  /** f32 unless speed is asked for. */
  readonly precision?: "bf16" | "f32";
  /** Most padded tokens of one graph run. */
  readonly tokensPerBatch?: number;
  /** `auto` compiles with XLA where one call pays for it, `always` for a scorer that is used again and again. */
  readonly fuse?: "auto" | "always";
  readonly onProgress?: (done: number, total: number) => void;
  /** Stops between two batches; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A prompt and one answer to score. */
export interface ScoreItem {
  readonly prompt: string;
  readonly promptMessages?: readonly Message[];
  readonly response: string;
}

/** Scores stored token rows; keeps its compiled graphs until disposed. */
export interface Scorer {
  /** Equal texts are scored once. @returns reward of each text of the store, shape [N] */
  score(tokens: TokenStore, options?: Pick<ScoringOptions, "onProgress" | "signal">): Promise<Float64Array>;
  dispose(): void;
}

const DEFAULT_TOKENS_PER_BATCH = 8192;

/** `auto` means bf16 where the processor multiplies it. */
export async function resolvePrecision(precision: "auto" | "bf16" | "f32"): Promise<"bf16" | "f32"> {
  if (precision !== "auto") return precision;
  return (await initBackend()).bf16 ? "bf16" : "f32";
}

/** A scorer of one model; its weights may change between two calls. */
export function createScorer(model: RewardModel, padId: number, options: ScoringOptions = {}): Scorer {
  const forward = (ids: tf.Tensor, mask: tf.Tensor, texts?: tf.Tensor) =>
    scoreInputs(model, { ids: ids as tf.Tensor2D, mask: mask as tf.Tensor2D, texts: texts as tf.Tensor1D | undefined });
  const precision = options.precision ?? "f32";
  const fused = compile(forward, { precision, name: "score" });
  const quick = compile(forward, { precision, name: "score", xla: false });
  const parameters = countParameters(model) - embeddingSize(model);
  const score: Scorer["score"] = async (tokens, { onProgress, signal } = {}) => {
    const rewards = new Float64Array(tokens.size);
    const texts = Array.from(rewards, (_, i) => i).filter((i) => tokens.same(i) === i);
    const lengths = texts.map((text) => tokens.length(text));
    for (const length of lengths) checkWindow(model.config, length);
    const runs = planScoringRuns(lengths, {
      tokensPerBatch: options.tokensPerBatch ?? DEFAULT_TOKENS_PER_BATCH,
      longRows: fusesAttention(model.config, false),
    });
    const paddedTokens = new Map<string, number>();
    const keyOf = ({ height, width }: Size) => `${height}×${width}`;
    for (const { shape } of runs) paddedTokens.set(keyOf(shape), (paddedTokens.get(keyOf(shape)) ?? 0) + shape.height * shape.width);
    const pays = (shape: Size) => options.fuse === "always" || xlaPays({ parameters, tokens: paddedTokens.get(keyOf(shape))!, training: false });
    let done = 0;
    for (const { lines, shape } of runs) {
      signal?.throwIfAborted();
      const { height, width, texts: places } = shape;
      const { ids, mask } = layOutLines({ ids: (text) => tokens.ids(texts[text]) }, lines, { rows: height, width, padId });
      const inputs = [tf.tensor2d(ids, [height, width], "int32"), tf.tensor2d(mask, [height, width]), ...(places > 1 ? [tf.range(1, places + 1)] : [])];
      const [output] = (pays(shape) ? fused : quick)(...inputs);
      const values = output.dataSync();
      tf.dispose([...inputs, output]);
      lines.forEach((line, row) => line.forEach((text, slot) => (rewards[texts[text]] = values[row * places + slot])));
      done += lines.reduce((sum, line) => sum + line.length, 0);
      onProgress?.(done, texts.length);
      await breathe();
    }
    return rewards.map((_, i) => rewards[tokens.same(i)]);
  };
  const dispose = () => {
    fused.dispose();
    quick.dispose();
  };
  return { score, dispose };
}

const encodingOf = ({ settings }: LoadedModel): EncodingOptions => ({
  template: settings.template,
  max_length: settings.max_length,
  truncation: settings.truncation,
});

/**
 * Rewards of many prompt-answer items.
 *
 * @returns shape [N], in the order of the items
 * @throws InputError when a score is not a finite number
 */
export async function scoreTexts(loaded: LoadedModel, items: readonly ScoreItem[], options: ScoringOptions = {}): Promise<Float64Array> {
  const { template, max_length: maxLength, truncation } = encodingOf(loaded);
  const encoded = await loaded.tokenizer.encode(items, { template, maxLength, truncation });
  return scoreEncoded(loaded, encoded.map((text) => text.ids), options, (index) => `item ${index + 1}`);
}

/**
 * Scored pairs, ready for `evaluateScores`.
 *
 * @param options.beta β of the pair weights (w = 1 + β·confidencePenalty)
 */
export async function scorePairs(
  loaded: LoadedModel,
  pairs: readonly PreferencePair[],
  options: ScoringOptions & { readonly beta?: number } = {},
): Promise<ScoredPair[]> {
  const encoded = await encodePairs(pairs, loaded.tokenizer, encodingOf(loaded));
  const scores = await scoreEncoded(loaded, encoded.map(({ ids }) => ids), options, (text) => pairs[Math.floor(text / 2)].id);
  return pairs.map((pair, i) => toScoredPair(pair, scores[2 * i], scores[2 * i + 1], options.beta ?? 0));
}

/** A pair with its two rewards. */
export function toScoredPair(pair: PreferencePair, chosenScore: number, rejectedScore: number, beta: number): ScoredPair {
  const { id, questionId, prompt, chosen, rejected, riskLevel, category, subset, margin } = pair;
  return {
    id,
    questionId,
    promptKey: questionId,
    risk: riskLevel,
    category,
    subset,
    margin,
    weight: pairWeight(pair.confidencePenalty, beta),
    chosenScore,
    rejectedScore,
    chosenLength: chosen.length,
    rejectedLength: rejected.length,
    prompt,
    chosen,
    rejected,
  };
}

async function scoreEncoded(
  loaded: LoadedModel,
  texts: readonly Uint32Array[],
  options: ScoringOptions,
  where: (row: number) => string,
): Promise<Float64Array> {
  const tokens = new TokenStore();
  for (const ids of texts) tokens.push(ids);
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, options);
  try {
    const scores = await scorer.score(tokens, options);
    const bad = scores.findIndex((score) => !Number.isFinite(score));
    if (bad >= 0) {
      throw new InputError(
        `${loaded.dir}: expected a finite score, got ${scores[bad]} for ${where(bad)}; the weights hold NaN or overflow: train again with a lower learning rate`,
      );
    }
    return scores;
  } finally {
    scorer.dispose();
    tokens.close();
  }
}
