// In: a tokenised text and the parts it was made of. Out: which tokens may be cut.
import type { Encoding } from "tokenizers";
import type { TextPart } from "./template";
import type { TokenLayout } from "./truncate";

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
 * @param ids      all tokens, those added after the engine included
 * @param special  ids of special tokens: leading ones are kept with the head
 * @param appended tokens added at the end after the engine
 */
export function layOutTokens(
  ids: readonly number[],
  encoding: Encoding,
  parts: readonly TextPart[],
  {
    frame,
    special,
    appended,
  }: { readonly frame: Frame; readonly special: ReadonlySet<number>; readonly appended: number },
): TokenLayout {
  const end = ids.length - appended - frame.tail;
  const offsets = encoding.getOffsets();
  const range = (from: TextPart["from"]): [number, number] => {
    let start = 0;
    for (const part of parts) {
      const stop = start + codePoints(part.text);
      if (part.from === from) {
        const first = seek(offsets, frame.head, end, ([tokenStart]) => tokenStart >= start);
        return [
          first,
          Math.max(
            first,
            seek(offsets, first, end, ([, tokenStop]) => tokenStop > stop),
          ),
        ];
      }
      start = stop;
    }
    return [frame.head, frame.head];
  };
  const prompt = range("prompt"),
    response = range("response");
  const isLast = parts.at(-1)?.from === "response";
  let head = frame.head;
  while (head < end && special.has(ids[head])) head++;
  return { ids, head, tail: ids.length - (isLast ? end : Math.max(head, response[1])), prompt, response };
}

/** First index in [from, to) at which the test holds, else `to`. */
function seek(offsets: readonly number[][], from: number, to: number, test: (offset: number[]) => boolean): number {
  while (from < to && !test(offsets[from])) from++;
  return from;
}

/** Length as the engine counts offsets. */
function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
