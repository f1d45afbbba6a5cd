// In: preference pairs and a tokenizer. Out: the tokenised pairs, on disk, and the arrays of any batch of them.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TrainingConfig } from "./config";
import { pairWeight } from "./loss";
import type { PreferencePair } from "./pairs/pair";
import type { Batch } from "./text/batches";
import type { Encoded, Tokenizer } from "./text/tokenizer";

/** Token ids of many texts in one unlinked temporary file: memory stays flat however many there are. */
export class TokenStore {
  private readonly file: number;
  private readonly offsets: number[] = [0];
  private pending: Buffer[] = [];
  private pendingBytes = 0;

  constructor() {
    const dir = mkdtempSync(join(tmpdir(), "rewardbook-tokens-"));
    this.file = openSync(join(dir, "tokens"), "w+");
    rmSync(dir, { recursive: true });
  }

  /** Adds one text; ids fit 32 bits. */
  push(ids: Uint32Array): void {
    this.pending.push(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    this.pendingBytes += ids.byteLength;
    this.offsets.push(this.offsets[this.offsets.length - 1] + ids.length);
    if (this.pendingBytes > 1 << 20) this.flush();
  }

  private flush(): void {
    if (this.pendingBytes > 0) writeSync(this.file, Buffer.concat(this.pending));
    this.pending = [];
    this.pendingBytes = 0;
  }

  get size(): number {
    return this.offsets.length - 1;
  }

  length(index: number): number {
    return this.offsets[index + 1] - this.offsets[index];
  }

  ids(index: number): Uint32Array {
    if (this.pendingBytes > 0) this.flush();
    const ids = new Uint32Array(this.length(index));
    readSync(this.file, new Uint8Array(ids.buffer), 0, ids.byteLength, this.offsets[index] * 4);
    return ids;
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Tokenised preference pairs: the texts of pair i lie at 2i (chosen) and 2i+1 (rejected). */
export interface PairDataset {
  readonly size: number;
  readonly tokens: TokenStore;
  /** Longer text of each pair, tokens. */
  readonly lengths: Int32Array;
  readonly weights: Float32Array;
  readonly margins: Float32Array;
  /** What the maximum length cost: pairs and texts cut, tokens lost of how many. */
  readonly truncation: { pairs: number; texts: number; tokens_cut: number; tokens: number };
}

/** The fields of the configuration that decide what a text looks like to the model. */
export type EncodingOptions = Pick<TrainingConfig, "template" | "max_length" | "truncation">;

const CHUNK = 1024;

/** Tokenises pairs once, in chunks, straight to disk. */
export async function buildDataset(
  pairs: Iterable<PreferencePair> | AsyncIterable<PreferencePair>,
  tokenizer: Tokenizer,
  options: EncodingOptions & Pick<TrainingConfig, "beta" | "margin">,
): Promise<PairDataset> {
  const tokens = new TokenStore();
  const weights: number[] = [];
  const margins: number[] = [];
  const truncation = { pairs: 0, texts: 0, tokens_cut: 0, tokens: 0 };
  let chunk: PreferencePair[] = [];
  const flush = async () => {
    const encoded = await encodePairs(chunk, tokenizer, options);
    for (let i = 0; i < chunk.length; i++) {
      const both = [encoded[2 * i], encoded[2 * i + 1]];
      for (const { ids, cut } of both) {
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
  const lengths = Int32Array.from(weights, (_, i) => Math.max(tokens.length(2 * i), tokens.length(2 * i + 1)));
  return {
    size: weights.length,
    tokens,
    lengths,
    weights: Float32Array.from(weights),
    margins: Float32Array.from(margins),
    truncation,
  };
}

/** Encodes pairs as chosen, rejected, chosen, rejected, … */
export function encodePairs(pairs: readonly PreferencePair[], tokenizer: Tokenizer, options: EncodingOptions): Promise<Encoded[]> {
  const items = pairs.flatMap(({ prompt, promptMessages, chosen, rejected }) => [
    { prompt, promptMessages, response: chosen },
    { prompt, promptMessages, response: rejected },
  ]);
  return tokenizer.encode(items, { template: options.template, maxLength: options.max_length, truncation: options.truncation });
}

/** Arrays of one batch, right-padded; B rows of T tokens each. */
export interface TokenArrays {
  /** [B·T] */
  readonly ids: Int32Array;
  /** [B·T], 1 where there is a token */
  readonly mask: Float32Array;
  /** Real tokens among the B·T. */
  readonly tokens: number;
}

/** Lays texts out as rows of `width` tokens; rows beyond `texts` hold one padding token that attention may read. */
export function layOut(texts: readonly Uint32Array[], rows: number, width: number, padId: number): TokenArrays {
  const ids = new Int32Array(rows * width).fill(padId);
  const mask = new Float32Array(rows * width);
  let tokens = 0;
  for (let row = 0; row < rows; row++) {
    const text = texts[row];
    if (text === undefined) {
      mask[row * width] = 1; // a row without any token would be 0/0 in the softmax
      continue;
    }
    ids.set(text, row * width);
    mask.fill(1, row * width, row * width + text.length);
    tokens += text.length;
  }
  return { ids, mask, tokens };
}

/** A training batch of P = `capacity` pairs: 2P rows, the chosen half first. */
export interface PairArrays extends TokenArrays {
  /** [P]: 1 / pairs of the optimizer step; 0 for a filler. The loss is Σ share·ℓ, whatever the batch split. */
  readonly share: Float32Array;
  readonly weights: Float32Array;
  readonly margins: Float32Array;
}

/**
 * The arrays of one batch of pairs.
 *
 *   rows 0…P−1  chosen    [CLS] Question: … [SEP] 0 0
 *   rows P…2P−1 rejected  [CLS] Question: … [SEP] 0 0
 */
export function pairArrays(dataset: PairDataset, batch: Batch, stepPairs: number, padId: number): PairArrays {
  const { rows, capacity, width } = batch;
  const texts: Uint32Array[] = new Array(2 * capacity);
  const share = new Float32Array(capacity);
  const weights = new Float32Array(capacity).fill(1);
  const margins = new Float32Array(capacity);
  rows.forEach((pair, i) => {
    texts[i] = dataset.tokens.ids(2 * pair);
    texts[capacity + i] = dataset.tokens.ids(2 * pair + 1);
    share[i] = 1 / stepPairs;
    weights[i] = dataset.weights[pair];
    margins[i] = dataset.margins[pair];
  });
  return { ...layOut(texts, 2 * capacity, width, padId), share, weights, margins };
}
