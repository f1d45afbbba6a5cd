// In: a loaded model and texts. Out: one reward a text, the same whatever the batch, the order or the padding.
import { TokenStore } from "../batching/tokenStore";
import { encodePairs, type EncodingOptions } from "../dataset";
import { initBackend } from "../engine/backend";
import { InputError, Interrupted } from "../errors";
import { yieldToEvents } from "../interrupt";
import { longWork, messagesOf, type LongWorkOptions } from "../longWork";
import { pairWeight } from "../loss";
import { scoreInputs, type RewardModel } from "../models/rewardModel";
import type { Message, PreferencePair } from "../pairs/pair";
import type { LoadedModel } from "../checkpoints/checkpoint";
import type { ScoredPair } from "./scoredPair";
import type { Encoded } from "../text/textItem";
import { keptResults } from "./kept";
import { compileForTexts, type TextRunsOptions } from "./textRuns";

/** What scoring may be told. */
export interface ScoringOptions
  extends LongWorkOptions, Pick<TextRunsOptions, "precision" | "tokensPerBatch" | "fuse"> {
  /** Takes a warning about the texts; in a notebook it is shown. */
  readonly onMessage?: (text: string) => void;
}

/** A prompt and one answer to score. */
export interface ScoreItem {
  readonly prompt: string;
  readonly promptMessages?: readonly Message[];
  readonly response: string;
  /** The answer's turns, where it is more than one assistant message. */
  readonly responseMessages?: readonly Message[];
}

/** What one scoring of stored rows may be told. */
export interface ScorerOptions extends Pick<ScoringOptions, "onProgress" | "signal"> {
  /** Told how many of the texts are known. */
  readonly onKnown?: (texts: number) => void;
  /** Scores that are known already; these texts are not computed. */
  readonly known?: (ids: Uint32Array) => number | undefined;
  /** Hears each score that was computed. */
  readonly onScore?: (ids: Uint32Array, score: number) => void;
}

/** Scores stored token rows; keeps its compiled graphs until disposed. */
export interface Scorer {
  /** Equal texts are scored once. @returns reward of each text of the store, shape [N] */
  score(tokens: TokenStore, options?: ScorerOptions): Promise<Float64Array>;
  dispose(): void;
}

/** `auto` means bf16 where the processor multiplies it. */
export async function resolvePrecision(precision: "auto" | "bf16" | "f32"): Promise<"bf16" | "f32"> {
  if (precision !== "auto") return precision;
  return (await initBackend()).bf16 ? "bf16" : "f32";
}

/** A scorer of one model; its weights may change between two calls. */
export function createScorer(model: RewardModel, padId: number, options: ScoringOptions = {}): Scorer {
  const runs = compileForTexts(model, scoreInputs, { padId, name: "score", ...options });
  const score: Scorer["score"] = async (tokens, { onProgress, onKnown, signal, known, onScore } = {}) => {
    const rewards = new Float64Array(tokens.size).fill(NaN);
    const distinct = Array.from(rewards, (_, i) => i).filter((i) => tokens.same(i) === i);
    if (known) for (const text of distinct) rewards[text] = known(tokens.ids(text)) ?? NaN;
    const texts = known ? distinct.filter((text) => Number.isNaN(rewards[text])) : distinct;
    const before = distinct.length - texts.length;
    if (before > 0) onKnown?.(before);
    const put = (text: number, [reward]: Float32Array) => {
      rewards[text] = reward;
      onScore?.(tokens.ids(text), reward);
    };
    for (const done of runs.run(tokens, texts, put, signal)) {
      onProgress?.(before + done, distinct.length);
      await yieldToEvents();
    }
    return rewards.map((_, i) => rewards[tokens.same(i)]);
  };
  return { score, dispose: runs.dispose };
}

const encodingOf = ({ settings }: LoadedModel): EncodingOptions => ({
  template: settings.template,
  max_length: settings.max_length,
  truncation: settings.truncation,
});

/** The text that a model reads, special tokens spelt out, before it is cut to the maximum length. */
export const textOf =
  ({ tokenizer, settings }: Pick<LoadedModel, "tokenizer" | "settings">) =>
  (item: ScoreItem): string =>
    tokenizer.render(item, settings.template);

/** Says so where the end of a text does not count, which may be a real token: config.json then names the wrong one. */
function warnOfUnread({ dir, tokenizer }: LoadedModel, encoded: readonly Encoded[], options: ScoringOptions): void {
  const texts = encoded.filter(({ unread }) => unread > 0).length;
  if (texts === 0 || tokenizer.unreadId === null) return;
  messagesOf(options)(
    `${dir}: warning: ${texts} of ${encoded.length} texts end with ${JSON.stringify(tokenizer.idToToken(tokenizer.unreadId))}, ` +
      `which config.json's pad_token_id (${tokenizer.unreadId}) makes padding: as in transformers, the score is read before it`,
  );
}

/**
 * Rewards of many prompt-answer items.
 *
 * @returns shape [N], in the order of the items
 * @throws InputError when a score is not a finite number
 * @example
 * ```ts
 * const [reward] = await scoreTexts(loaded, [{ prompt: "2 + 2?", response: "4" }]);
 * console.log(reward);
 * ```
 */
export async function scoreTexts(
  loaded: LoadedModel,
  items: readonly ScoreItem[],
  options: ScoringOptions = {},
): Promise<Float64Array> {
  const { template, max_length: maxLength, truncation } = encodingOf(loaded);
  const encoded = await loaded.tokenizer.encode(items, { template, maxLength, truncation });
  warnOfUnread(loaded, encoded, options);
  return scoreEncoded(
    loaded,
    encoded.map((text) => text.ids),
    { ...options, familyOf: (index) => items[index].prompt },
    (index) => `item ${index + 1}`,
  );
}

/**
 * Scored pairs, ready for `evaluateScores`.
 *
 * @param options.beta β of the pair weights (w = 1 + β·confidencePenalty)
 * @example
 * ```ts
 * console.log(evaluateScores(await scorePairs(loaded, pairs)).accuracy);
 * ```
 */
export async function scorePairs(
  loaded: LoadedModel,
  pairs: readonly PreferencePair[],
  options: ScoringOptions & { readonly beta?: number } = {},
): Promise<ScoredPair[]> {
  const encoded = await encodePairs(pairs, loaded.tokenizer, { ...encodingOf(loaded), locateCuts: true });
  warnOfUnread(loaded, encoded, options);
  const scores = await scoreEncoded(
    loaded,
    encoded.map(({ ids }) => ids),
    { ...options, familyOf: (text) => pairs[text >> 1].questionId },
    (text) => pairs[Math.floor(text / 2)].id,
  );
  const read = (text: number) => ({ tokens: encoded[text].ids.length, cuts: encoded[text].cuts ?? [] });
  return pairs.map((pair, i) => ({
    ...toScoredPair(pair, scores[2 * i], scores[2 * i + 1], options.beta ?? 0),
    read: { chosen: read(2 * i), rejected: read(2 * i + 1) },
  }));
}

/** A pair with its two rewards. */
export function toScoredPair(
  pair: PreferencePair,
  chosenScore: number,
  rejectedScore: number,
  beta: number,
): ScoredPair {
  const { id, questionId, prompt, chosen, rejected, riskLevel, category, preferenceType, subset, margin } = pair;
  return {
    id,
    questionId,
    promptKey: questionId,
    risk: riskLevel,
    category,
    preferenceType,
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
  options: ScoringOptions & { /** Name of texts that may begin alike. */ readonly familyOf: (text: number) => string },
  where: (row: number) => string,
): Promise<Float64Array> {
  const tokens = new TokenStore();
  texts.forEach((ids, text) => tokens.push(ids, options.familyOf(text)));
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, options);
  try {
    const scores = await scoreWatched(loaded, scorer, tokens, options);
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

/** In a notebook with a bar; stopped, it keeps what it has for the next time. */
async function scoreWatched(
  { model }: LoadedModel,
  scorer: Scorer,
  tokens: TokenStore,
  options: ScoringOptions,
): Promise<Float64Array> {
  const kept = keptResults<number>(model, { name: "score", precision: options.precision });
  const done: [Uint32Array, number][] = [];
  const what = { label: "scoring", unit: "texts", again: "run it again to go on from there" };
  try {
    const scores = await longWork(what, options, (watch) =>
      scorer.score(tokens, { ...watch, known: kept.find, onScore: (ids, score) => done.push([ids.slice(), score]) }),
    );
    kept.forget();
    return scores;
  } catch (error) {
    if (error instanceof Interrupted) kept.keep(done);
    throw error;
  }
}
