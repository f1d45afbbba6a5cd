// In: tokenised pairs and a batch of the plan. Out: the arrays that go to the model.
import { runsOf, type Beginnings } from "./beginnings";
import type { TokenStore } from "./tokenStore";
import type { TextCut } from "../text/textItem";
import type { TrainingBatch } from "./trainingPlan";

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

/** Arrays of one batch, right-padded; B rows of T tokens each. */
export interface TokenArrays {
  /** [B·T] */
  readonly ids: Int32Array;
  /** [B·T], 1 where there is a token */
  readonly segmentIds: Float32Array;
  /** Real tokens among the B·T. */
  readonly tokens: number;
  /** Where texts share their beginnings. */
  readonly sharing?: SharingArrays;
}

/** Which beginning each token's text goes on from, and where each token stands in its text: see `Sharing` in lib/models. */
export interface SharingArrays {
  /** [B·T] */
  readonly before: Float32Array;
  readonly positions: Int32Array;
}

/**
 * Lays texts out in rows of `width` tokens that may hold several each, `rows` in all. With `beginnings` and two texts that begin
 * with the same two tokens, side by side, among S = 2 places:
 *
 *   ids  a b c d e     segmentIds  3 3 1 2 2     before  0 0 3 3 3     positions  0 1 2 2 3
 *
 * @param rowTexts the texts of each row
 * @param options.slots places of a row; beginnings are numbered from there on
 * @returns segment ids: the number of the token's text in its row, from 1; 0 on padding
 */
export function layOutLines(
  tokens: Pick<TokenStore, "ids">,
  rowTexts: readonly (readonly number[])[],
  { rows, width, padId, slots = 0, beginnings }: LayOutOptions,
): TokenArrays {
  const ids = new Int32Array(rows * width).fill(padId);
  const segmentIds = new Float32Array(rows * width);
  const sharing = beginnings && { before: new Float32Array(rows * width), positions: new Int32Array(rows * width) };
  let count = 0;
  rowTexts.forEach((texts, row) => {
    let [start, slot, beginning] = [row * width, 0, slots];
    const put = (some: Uint32Array, segment: number, { before, from }: { before: number; from: number }) => {
      ids.set(some, start);
      segmentIds.fill(segment, start, start + some.length);
      sharing?.before.fill(before, start, start + some.length);
      if (sharing) for (let i = 0; i < some.length; i++) sharing.positions[start + i] = from + i;
      start += some.length;
      count += some.length;
    };
    for (const { texts: run, shared } of runsOf(texts, beginnings)) {
      const before = shared > 0 ? ++beginning : 0;
      if (shared > 0) put(tokens.ids(run[0]).subarray(0, shared), before, { before: 0, from: 0 });
      for (const text of run) put(tokens.ids(text).subarray(shared), ++slot, { before, from: shared });
    }
  });
  return { ids, segmentIds, tokens: count, sharing };
}

export interface LayOutOptions {
  readonly rows: number;
  readonly width: number;
  readonly padId: number;
  readonly slots?: number;
  readonly beginnings?: Beginnings;
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
  /** Where texts share their beginnings. */
  readonly sharing?: SharingArrays;
}

/**
 * The arrays of one batch of pairs. Of S = 2 places a row, with texts a, b, c:
 *
 *   ids   a a a b b 0     segmentIds  1 1 1 2 2 0
 *         c c c c 0 0                 1 1 1 1 0 0
 *
 * a's score is at place 0, b's at 1, c's at 2.
 *
 * @example
 * ```ts
 * const plan = planUpdates(dataset, config, loaded.model.config);
 * const arrays = pairArrays(dataset, plan.epoch(1)[0].batches[0], 16, tokenizer.padId);
 * console.log(arrays.ids, arrays.segmentIds);
 * ```
 */
export function pairArrays(
  dataset: PairDataset,
  { pairs, rowTexts, shape }: TrainingBatch,
  stepPairs: number,
  padId: number,
): PairArrays {
  const { height, width, slots: S, pairs: P } = shape;
  const { ids, segmentIds, tokens, sharing } = layOutLines(dataset.tokens, rowTexts, {
    ...{ rows: height, width, padId, slots: S },
    beginnings: shape.shares ? dataset.tokens : undefined,
  });
  const placeOf = new Map(rowTexts.flatMap((texts, row) => texts.map((text, slot) => [text, row * S + slot] as const)));
  const [share, weights, margins] = [new Float32Array(P), new Float32Array(P).fill(1), new Float32Array(P)];
  const at = new Int32Array(2 * P);
  pairs.forEach((pair, i) => {
    [at[i], at[P + i]] = [2 * pair, 2 * pair + 1].map((text) => placeOf.get(dataset.tokens.same(text))!);
    share[i] = 1 / stepPairs;
    weights[i] = dataset.weights[pair];
    margins[i] = dataset.margins[pair];
  });
  return { ids, segmentIds, at, share, weights, margins, tokens, sharing };
}
