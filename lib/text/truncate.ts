// In: the token ids of a text that is too long. Out: as many as fit, special tokens and the chosen end kept.
import { UsageError } from "../errors";

export type Truncation = "right" | "left" | "prompt-first";

/** A tokenised text by what may be cut of it; ranges are [start, end) in tokens. */
export interface TokenLayout {
  readonly ids: Uint32Array;
  /** Leading special tokens, always kept. */
  readonly head: number;
  /** What follows the answer (separator, end of turn), always kept. */
  readonly tail: number;
  readonly prompt: readonly [number, number];
  readonly response: readonly [number, number];
}

/**
 * What goes of a text that is to have `maxLength` tokens: ranges [start, stop) in tokens, in order.
 *
 * - `right`: the end of the answer goes; `left`: the beginning of the text.
 * - `prompt-first`: the beginning of the prompt goes, then the beginning of the answer; the template's words stay.
 *
 * @throws UsageError when what must be kept is longer than `maxLength`
 */
export function tokenCuts(
  layout: TokenLayout,
  maxLength: number,
  truncation: Truncation,
): readonly (readonly [number, number])[] {
  const { ids, head, tail, prompt, response } = layout;
  const bodyEnd = ids.length - tail;
  let excess = ids.length - maxLength;
  if (excess > bodyEnd - head) {
    throw new UsageError(
      `max_length: expected at least the ${head + tail} special tokens of a text, got ${maxLength}; raise it`,
    );
  }
  const cuts: [number, number][] = [];
  const cut = (from: number, to: number) => {
    const count = Math.max(0, Math.min(excess, to - from));
    if (count > 0) cuts.push([from, from + count]);
    excess -= count;
  };
  if (truncation === "right") cuts.push([bodyEnd - excess, bodyEnd]);
  else if (truncation === "left") cuts.push([head, head + excess]);
  else {
    cut(...prompt);
    cut(...response);
    // The template's own words are too long: what is left of the body goes from its beginning.
    if (excess > 0) cuts.splice(0, cuts.length, [head, head + (ids.length - maxLength)]);
  }
  return cuts.sort(([a], [b]) => a - b); // a template may have the answer first
}

/** The tokens outside the cuts, `length` of them. */
export function withoutCuts(
  ids: Uint32Array,
  cuts: readonly (readonly [number, number])[],
  length: number,
): Uint32Array {
  const kept = new Uint32Array(length);
  let from = 0,
    to = 0;
  for (const [start, end] of [...cuts, [ids.length, ids.length]]) {
    kept.set(ids.subarray(from, start), to);
    to += start - from;
    from = end;
  }
  return kept;
}
