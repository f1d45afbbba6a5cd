// In: a tokenised text and the parts it was made of. Out: which tokens may be cut.
import type { TextPart } from "./template";
import type { TextCut } from "./textItem";
import type { Offsets } from "./tokeniseTexts";
import type { TokenLayout, Truncation } from "./truncate";

/** Tokens a post-processor puts before and after a text. */
export interface Frame {
  readonly head: number;
  readonly tail: number;
}

interface PostProcessor {
  readonly type: string;
  readonly processors?: readonly PostProcessor[];
  readonly single?: readonly ({ readonly SpecialToken: { readonly id: string } } | { readonly Sequence: object })[];
  readonly special_tokens?: Readonly<Record<string, { readonly ids: readonly number[] }>>;
}

/** The frame a `post_processor` of tokenizer.json gives to a single text. */
export function frameOf(definition: unknown): Frame {
  const processor = definition as PostProcessor | null | undefined;
  if (processor?.type === "Sequence") {
    return (processor.processors ?? [])
      .map(frameOf)
      .reduce((a, b) => ({ head: a.head + b.head, tail: a.tail + b.tail }), { head: 0, tail: 0 });
  }
  if (processor?.type === "BertProcessing" || processor?.type === "RobertaProcessing") return { head: 1, tail: 1 };
  if (processor?.type !== "TemplateProcessing" || !processor.single) return { head: 0, tail: 0 };
  const frame = { head: 0, tail: 0 };
  let seen = false;
  for (const piece of processor.single) {
    if ("Sequence" in piece) seen = true;
    else frame[seen ? "tail" : "head"] += processor.special_tokens?.[piece.SpecialToken.id]?.ids.length ?? 1;
  }
  return frame;
}

/**
 * Where prompt and answer lie among the tokens. A token that straddles two parts belongs to neither.
 *
 * @param ids             all tokens, those added after the engine included
 * @param options.offsets where each token begins and ends, code points; null where no cut depends on it (see `needsOffsets`)
 * @param options.special ids of special tokens: leading ones are kept with the head
 * @param options.appended tokens added at the end after the engine
 */
export function layOutTokens(
  ids: Uint32Array,
  parts: readonly TextPart[],
  {
    frame,
    special,
    appended,
    offsets,
  }: {
    readonly frame: Frame;
    readonly special: ReadonlySet<number>;
    readonly appended: number;
    readonly offsets: Offsets | null;
  },
): TokenLayout {
  const end = ids.length - appended - frame.tail;
  const range = (from: TextPart["from"]) => (offsets ? tokensOf(from, parts, offsets, [frame.head, end]) : NOWHERE);
  const prompt = range("prompt"),
    response = range("response");
  let head = frame.head;
  while (head < end && special.has(ids[head])) head++;
  return {
    ids,
    head,
    tail: ids.length - (endsWithResponse(parts) ? end : Math.max(head, response[1])),
    prompt,
    response,
  };
}

const NOWHERE = [0, 0] as const;

const endsWithResponse = (parts: readonly TextPart[]): boolean => parts.at(-1)?.from === "response";

/** Whether a cut depends on where prompt and answer lie. */
export const needsOffsets = (parts: readonly TextPart[], truncation: Truncation): boolean =>
  truncation === "prompt-first" || !endsWithResponse(parts);

/** Tokens [first, stop) of one part among those from `begin` to `end`. */
function tokensOf(
  from: TextPart["from"],
  parts: readonly TextPart[],
  offsets: Offsets,
  [begin, end]: readonly [number, number],
): readonly [number, number] {
  let [start, next] = [0, begin]; // a trimmed space has no width: it goes to the part that comes first, and to no other
  for (const part of parts) {
    const stop = start + codePoints(part.text);
    const first = seek(offsets, next, end, ([tokenStart]) => tokenStart >= start);
    const last = seek(offsets, first, end, ([, tokenStop]) => tokenStop > stop);
    if (part.from === from) return [first, last];
    [start, next] = [stop, last];
  }
  return [begin, begin];
}

/**
 * Where cuts in tokens lie in the texts of prompt and answer.
 *
 * @param cuts    ranges [start, stop) of tokens
 * @param offsets where each token begins and ends, code points
 */
export function locateCuts(
  cuts: readonly (readonly [number, number])[],
  parts: readonly TextPart[],
  offsets: Offsets,
): TextCut[] {
  const found: TextCut[] = [];
  let begin = 0;
  for (const { from, text } of parts) {
    const end = begin + codePoints(text);
    for (const [first, stop] of from === "template" ? [] : cuts) {
      const start = Math.max(begin, offsets[first][0]) - begin;
      const last = Math.min(end, offsets[stop - 1][1]) - begin;
      if (last > start) found.push({ from: from as TextCut["from"], start, stop: last });
    }
    begin = end;
  }
  return found;
}

/** First index in [from, to) at which the test holds, else `to`. */
function seek(offsets: Offsets, from: number, to: number, test: (offset: readonly number[]) => boolean): number {
  while (from < to && !test(offsets[from])) from++;
  return from;
}

/** Length as the engine counts offsets. */
function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
