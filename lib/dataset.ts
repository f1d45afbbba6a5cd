// In: preference pairs and a tokenizer. Out: the tokenised pairs, on disk.
import type { PairDataset } from "./batching/pairArrays";
import { TokenStore } from "./batching/tokenStore";
import type { TrainingConfig } from "./config";
import { pairWeight } from "./loss";
import { itemsOf, type PreferencePair } from "./pairs/pair";
import type { TextCut } from "./text/textItem";
import type { Encoded, Tokenizer } from "./text/tokenizer";

export { pairArrays } from "./batching/pairArrays";
export type { PairArrays, PairDataset } from "./batching/pairArrays";

/** The fields of the configuration that decide what a text looks like to the model. */
export type EncodingOptions = Pick<TrainingConfig, "template" | "max_length" | "truncation">;

const CHUNK = 1024;

/**
 * Tokenises pairs once, in chunks, straight to disk.
 *
 * @example
 * ```ts
 * const own = await buildDataset(pairs, tokenizer, config);
 * console.log(own.size, own.truncation);
 * ```
 */
export async function buildDataset(
  pairs: Iterable<PreferencePair> | AsyncIterable<PreferencePair>,
  tokenizer: Tokenizer,
  options: EncodingOptions & Pick<TrainingConfig, "beta" | "margin"> & { readonly locateCuts?: boolean },
): Promise<PairDataset> {
  const tokens = new TokenStore();
  const weights: number[] = [];
  const margins: number[] = [];
  const truncation = { pairs: 0, texts: 0, tokens_cut: 0, tokens: 0 };
  const located = new Map<number, readonly TextCut[]>();
  let chunk: PreferencePair[] = [];
  const flush = async () => {
    const encoded = await encodePairs(chunk, tokenizer, options);
    for (let i = 0; i < chunk.length; i++) {
      const both = [encoded[2 * i], encoded[2 * i + 1]];
      for (const { ids, cut, cuts } of both) {
        if (cuts) located.set(tokens.size, cuts);
        tokens.push(ids, chunk[i].questionId);
        truncation.tokens += ids.length;
        truncation.tokens_cut += cut;
        if (cut > 0) truncation.texts++;
      }
      if (both.some((text) => text.cut > 0)) truncation.pairs++;
      weights.push(pairWeight(chunk[i].confidencePenalty, options.beta));
      margins.push(chunk[i].margin ?? options.margin);
    }
    chunk = [];
  };
  for await (const pair of pairs) {
    chunk.push(pair);
    if (chunk.length === CHUNK) await flush();
  }
  if (chunk.length) await flush();
  return {
    size: weights.length,
    tokens,
    weights: Float32Array.from(weights),
    margins: Float32Array.from(margins),
    truncation,
    cuts: located,
  };
}

/**
 * Encodes pairs as chosen, rejected, chosen, rejected, …
 *
 * @example
 * ```ts
 * const encoded = await encodePairs(pairs, tokenizer, config);
 * console.log(encoded[0].ids, encoded[1].ids); // chosen and rejected of the first pair
 * ```
 */
export function encodePairs(
  pairs: readonly PreferencePair[],
  tokenizer: Tokenizer,
  options: EncodingOptions & { readonly locateCuts?: boolean },
): Promise<Encoded[]> {
  return tokenizer.encode(pairs.flatMap(itemsOf), {
    template: options.template,
    maxLength: options.max_length,
    truncation: options.truncation,
    locateCuts: options.locateCuts,
  });
}
