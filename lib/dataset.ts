// In: preference pairs and a tokenizer. Out: the tokenised pairs, on disk, and the arrays of any batch of them.
import type { TrainingConfig } from "./config";
import { openTemporaryFile } from "./files/temporaryFile";
import { pairWeight } from "./loss";
import type { PreferencePair } from "./pairs/pair";
import { textHash } from "./checkpoints/encoderKey";
import type { TextCut } from "./text/textItem";
import type { Encoded, Tokenizer } from "./text/tokenizer";
import type { TrainingBatch } from "./batching/trainingPlan";

/** Token ids of many texts, equal ones once, in one unlinked temporary file: memory stays flat however long they are. */
export class TokenStore {
  private readonly file = openTemporaryFile("tokens");
  /** Where each different text begins, tokens. */
  private readonly offsets: number[] = [0];
  private readonly known = new Map<string, number>(); // hash → number of the different text
  private readonly different: number[] = []; // of each text
  private readonly firsts: number[] = []; // first text of each different one
  private pending: Buffer[] = [];
  private pendingBytes = 0;

  /** Adds one text; ids fit 32 bits. */
  push(ids: Uint32Array): void {
    const hash = textHash(ids);
    const known = this.known.get(hash);
    this.different.push(known ?? this.firsts.length);
    if (known !== undefined) return;
    this.known.set(hash, this.firsts.length);
    this.firsts.push(this.different.length - 1);
    this.pending.push(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    this.pendingBytes += ids.byteLength;
    this.offsets.push(this.offsets[this.offsets.length - 1] + ids.length);
    if (this.pendingBytes > 1 << 20) this.flush();
  }

  private flush(): void {
    if (this.pendingBytes > 0) this.file.append(Buffer.concat(this.pending));
    this.pending = [];
    this.pendingBytes = 0;
  }

  /** Texts pushed. */
  get size(): number {
    return this.different.length;
  }

  /** The first text that is equal to this one: itself, where it is new. */
  same(index: number): number {
    return this.firsts[this.different[index]];
  }

  length(index: number): number {
    const text = this.different[index];
    return this.offsets[text + 1] - this.offsets[text];
  }

  ids(index: number): Uint32Array {
    if (this.pendingBytes > 0) this.flush();
    const ids = new Uint32Array(this.length(index));
    this.file.read(new Uint8Array(ids.buffer), this.offsets[this.different[index]] * 4);
    return ids;
  }

  close(): void {
    this.file.close();
  }
}

/** Tokenised preference pairs: the texts of pair i lie at 2i (chosen) and 2i+1 (rejected). */
export interface PairDataset {
  readonly size: number;
  readonly tokens: TokenStore;
  readonly weights: Float32Array;
  readonly margins: Float32Array;
  /** What the maximum length cost: pairs and texts cut, tokens lost of how many. */
  readonly truncation: { pairs: number; texts: number; tokens_cut: number; tokens: number };
  /** Where texts were cut, by number of the text; empty unless that was asked for. */
  readonly cuts: ReadonlyMap<number, readonly TextCut[]>;
}

/** The fields of the configuration that decide what a text looks like to the model. */
export type EncodingOptions = Pick<TrainingConfig, "template" | "max_length" | "truncation">;

const CHUNK = 1024;

/** Tokenises pairs once, in chunks, straight to disk. */
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
        tokens.push(ids);
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

/** Encodes pairs as chosen, rejected, chosen, rejected, … */
export function encodePairs(
  pairs: readonly PreferencePair[],
  tokenizer: Tokenizer,
  options: EncodingOptions & { readonly locateCuts?: boolean },
): Promise<Encoded[]> {
  const items = pairs.flatMap(({ prompt, promptMessages, chosen, rejected }) => [
    { prompt, promptMessages, response: chosen },
    { prompt, promptMessages, response: rejected },
  ]);
  return tokenizer.encode(items, {
    template: options.template,
    maxLength: options.max_length,
    truncation: options.truncation,
    locateCuts: options.locateCuts,
  });
}

/** Arrays of one batch, right-padded; B rows of T tokens each. */
export interface TokenArrays {
  /** [B·T] */
  readonly ids: Int32Array;
  /** [B·T], 1 where there is a token */
  readonly segmentIds: Float32Array;
  /** Real tokens among the B·T. */
  readonly tokens: number;
}

/**
 * Lays texts out in rows of `width` tokens that may hold several each, `rows` in all.
 *
 * @param rowTexts the texts of each row
 * @returns segment ids: the number of the token's text in its row, from 1; 0 on padding
 */
export function layOutLines(
  tokens: Pick<TokenStore, "ids">,
  rowTexts: readonly (readonly number[])[],
  { rows, width, padId }: { rows: number; width: number; padId: number },
): TokenArrays {
  const ids = new Int32Array(rows * width).fill(padId);
  const segmentIds = new Float32Array(rows * width);
  let count = 0;
  rowTexts.forEach((texts, row) => {
    let start = row * width;
    texts.forEach((text, slot) => {
      const own = tokens.ids(text);
      ids.set(own, start);
      segmentIds.fill(slot + 1, start, (start += own.length));
      count += own.length;
    });
  });
  return { ids, segmentIds, tokens: count };
}

/** A training batch of P pairs in B rows of T tokens, which may hold several texts each. */
export interface PairArrays {
  /** [B·T] */
  readonly ids: Int32Array;
  /** [B·T] number of the token's text in its row, from 1; 0 on padding. */
  readonly segmentIds: Float32Array;
  /** [2P] where the scores of the chosen, then of the rejected texts are among the [B·S] of all places. */
  readonly at: Int32Array;
  /** [P] one over the pairs of the optimizer step, 0 for a filler. The loss is Σ share·ℓ, whatever the batch split. */
  readonly share: Float32Array;
  readonly weights: Float32Array;
  readonly margins: Float32Array;
  /** Real tokens among the B·T. */
  readonly tokens: number;
}

/**
 * The arrays of one batch of pairs. Of S = 2 places a row, with texts a, b, c:
 *
 *   ids   a a a b b 0     segmentIds  1 1 1 2 2 0
 *         c c c c 0 0                 1 1 1 1 0 0
 *
 * a's score is at place 0, b's at 1, c's at 2.
 */
export function pairArrays(
  dataset: PairDataset,
  { pairs, rowTexts, shape }: TrainingBatch,
  stepPairs: number,
  padId: number,
): PairArrays {
  const { height, width, slots: S, pairs: P } = shape;
  const { ids, segmentIds, tokens } = layOutLines(dataset.tokens, rowTexts, { rows: height, width, padId });
  const placeOf = new Map(rowTexts.flatMap((texts, row) => texts.map((text, slot) => [text, row * S + slot] as const)));
  const [share, weights, margins] = [new Float32Array(P), new Float32Array(P).fill(1), new Float32Array(P)];
  const at = new Int32Array(2 * P);
  pairs.forEach((pair, i) => {
    [at[i], at[P + i]] = [2 * pair, 2 * pair + 1].map((text) => placeOf.get(dataset.tokens.same(text))!);
    share[i] = 1 / stepPairs;
    weights[i] = dataset.weights[pair];
    margins[i] = dataset.margins[pair];
  });
  return { ids, segmentIds, at, share, weights, margins, tokens };
}
