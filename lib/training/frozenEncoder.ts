// In: texts and a model whose encoder is frozen. Out: the vector of each text, computed once, and scores from them.
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { TokenStore } from "../batching/tokenStore";
import { compile } from "../engine/compile";
import type { Scorer } from "../scoring/score";
import { compileForTexts } from "../scoring/textRuns";
import { poolInputs, scorePooled, type RewardModel } from "../models/rewardModel";
import type { LoadedModel } from "../checkpoints/checkpoint";
import {
  encoderKey,
  openEncoderCache,
  pruneEncoderCaches,
  textHash,
  type EncoderCache,
} from "../checkpoints/encoderCache";

/** Relative to the working directory, as all that a run writes. */
const CACHE_DIR = join(".cache", "encoder");
const KEPT_FILES = 4;
const ROWS_PER_RUN = 1024;

/** Opens the cache that fits a loaded model as it stands; of the files of other models the newest few stay. */
export function cacheFor(
  loaded: LoadedModel,
  options: { readonly dir: string; readonly precision: "bf16" | "f32" },
): EncoderCache {
  const { model, tokenizer, settings } = loaded;
  pruneEncoderCaches(options.dir, KEPT_FILES);
  return openEncoderCache({
    dir: options.dir,
    width: model.config.hiddenSize,
    key: encoderKey({ model, tokenizer, settings, precision: options.precision }),
  });
}

/** How texts become cached vectors. */
export interface EncodingPlan {
  readonly cache: EncoderCache;
  readonly padId: number;
  readonly precision: "bf16" | "f32";
  readonly tokensPerBatch: number;
}

/**
 * Puts the vector of each distinct text into the cache.
 *
 * @returns cache row of each text, shape [N]
 */
export function encodeOnce(
  model: RewardModel,
  tokens: TokenStore,
  {
    cache,
    padId,
    precision,
    tokensPerBatch,
    onProgress,
  }: EncodingPlan & { readonly onProgress?: (done: number, total: number) => void },
): Int32Array {
  const hashes = Array.from({ length: tokens.size }, (_, i) => textHash(tokens.ids(i)));
  const missing = [...new Map(hashes.map((hash, i) => [hash, i])).entries()]
    .filter(([hash]) => cache.row(hash) === undefined)
    .map(([, i]) => i);
  const runs = compileForTexts(model, poolInputs, { padId, precision, tokensPerBatch, name: "encode" });
  try {
    for (const done of runs.run(tokens, missing, (text, vector) => cache.put(hashes[text], vector)))
      onProgress?.(done, missing.length);
  } finally {
    runs.dispose();
  }
  cache.flush();
  return Int32Array.from(hashes, (hash) => cache.row(hash)!);
}

/** `createScorer` for a model whose encoder is frozen: texts it has met need the head alone. */
export function createFrozenScorer(model: RewardModel, plan: EncodingPlan): Scorer {
  const { cache, precision } = plan;
  const forward = compile((vectors) => scorePooled(model, vectors as tf.Tensor2D), {
    precision,
    name: "score head",
    xla: false,
  });
  const score: Scorer["score"] = async (tokens, { onProgress, signal } = {}) => {
    signal?.throwIfAborted();
    const rowOf = encodeOnce(model, tokens, plan);
    const rewards = new Float64Array(tokens.size);
    for (let from = 0; from < tokens.size; from += ROWS_PER_RUN) {
      const rows = rowOf.subarray(from, from + ROWS_PER_RUN);
      const vectors = new Float32Array(ROWS_PER_RUN * cache.width);
      cache.read(rows, vectors);
      const input = tf.tensor2d(vectors, [ROWS_PER_RUN, cache.width]);
      const [output] = forward(input);
      rewards.set(output.dataSync().subarray(0, rows.length), from);
      tf.dispose([input, output]);
      onProgress?.(Math.min(from + ROWS_PER_RUN, tokens.size), tokens.size);
    }
    return rewards;
  };
  return { score, dispose: () => forward.dispose() };
}

/** The cache of a model whose encoder is frozen, and the scorer that reads it. */
export interface FrozenEncoder {
  readonly plan: EncodingPlan;
  readonly scorer: Scorer;
  dispose(): void;
}

export function openFrozenEncoder(loaded: LoadedModel, options: Omit<EncodingPlan, "cache">): FrozenEncoder {
  const plan = { ...options, cache: cacheFor(loaded, { dir: CACHE_DIR, precision: options.precision }) };
  const scorer = createFrozenScorer(loaded.model, plan);
  return {
    plan,
    scorer,
    dispose: () => {
      scorer.dispose();
      plan.cache.close();
    },
  };
}
