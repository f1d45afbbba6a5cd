// In: prompts and answers. Out: token ids, ended and cut as the model reads them.
import { layOutTokens, locateCuts, needsOffsets, type Frame } from "./layout";
import type { RenderedText } from "./renderChat";
import { isChat } from "./template";
import type { TokenisedTexts, TokeniseTexts } from "./tokeniseTexts";
import type { Encoded, EncodeOptions, TextItem } from "./textItem";
import { tokenCuts, withoutCuts } from "./truncate";

export type Renderer = (item: TextItem, template: string) => RenderedText;

/** What encoding needs of a tokenizer. */
export interface Reader {
  readonly render: Renderer;
  readonly tokenise: TokeniseTexts;
  /** Special tokens that the tokenizer puts around a text that is not a chat. */
  readonly frame: Frame;
  /** Ids of special tokens. */
  readonly special: ReadonlySet<number>;
  readonly padId: number;
  /** Does not count at a text's end; null for none. */
  readonly unreadId: number | null;
  /** Ends a text that is not a chat; null for none. */
  readonly endId: number | null;
}

/** Texts handed over at once: enough for the engine's threads, little enough memory. */
const CHUNK = 256;

/** @throws UsageError when what a cut must keep is longer than the maximum length; as the chat template does */
export async function encodeItems(
  items: readonly TextItem[],
  options: EncodeOptions,
  reader: Reader,
): Promise<Encoded[]> {
  const { template } = options;
  const around = isChat(template) ? { frame: { head: 0, tail: 0 }, endId: null } : reader;
  const encoded: Encoded[] = [];
  for (let from = 0; from < items.length; from += CHUNK) {
    const rendered = items.slice(from, from + CHUNK).map((item) => reader.render(item, template));
    const texts = await reader.tokenise(
      rendered.map(({ text }) => text),
      { addSpecialTokens: !isChat(template) },
    );
    const ids = texts.ids.map((text) => ended(text, around.endId));
    const cuts = await cutLong({ ids, rendered, offsets: texts.offsets }, options, { ...reader, ...around });
    ids.forEach((text, i) => encoded.push(toLastRead(cuts.get(i) ?? { ids: text, cut: 0 }, reader)));
  }
  return encoded;
}

/** The text with its end-of-sequence token, where it gets one. */
function ended(ids: Uint32Array, endId: number | null): Uint32Array {
  if (endId === null) return ids;
  const longer = new Uint32Array(ids.length + 1);
  longer.set(ids);
  longer[ids.length] = endId;
  return longer;
}

/**
 * The text to its last token that counts: transformers takes a decoder's score at the last token that is not the
 * configuration's padding, whatever the mask says.
 */
function toLastRead(
  { ids, ...cutting }: Omit<Encoded, "unread">,
  { padId, unreadId }: Pick<Reader, "padId" | "unreadId">,
): Encoded {
  if (ids.length === 0) return { ids: Uint32Array.of(padId), ...cutting, unread: 0 };
  let length = ids.length;
  while (length > 1 && ids[length - 1] === unreadId) length--;
  return { ids: ids.subarray(0, length), ...cutting, unread: ids.length - length };
}

/** The texts that are too long, by number, cut. */
async function cutLong(
  { ids, rendered, offsets }: Pick<TokenisedTexts, "ids" | "offsets"> & { readonly rendered: readonly RenderedText[] },
  { maxLength, truncation, locateCuts: locate = false }: EncodeOptions,
  { frame, special, endId }: Reader,
): Promise<Map<number, Omit<Encoded, "unread">>> {
  const long = [...ids.keys()].filter((i) => ids[i].length > maxLength).map((i) => ({ i, parts: rendered[i].parts() }));
  const unsure = long.filter(({ parts }) => locate || needsOffsets(parts, truncation)).map(({ i }) => i);
  const known = unsure.length > 0 ? await offsets(unsure) : [];
  const offsetsOf = new Map(unsure.map((i, k) => [i, known[k]]));
  return new Map(
    long.map(({ i, parts }) => {
      const layout = layOutTokens(ids[i], parts, {
        frame,
        special,
        appended: endId === null ? 0 : 1,
        offsets: offsetsOf.get(i) ?? null,
      });
      const cuts = tokenCuts(layout, maxLength, truncation);
      const shorter = { ids: withoutCuts(ids[i], cuts, maxLength), cut: ids[i].length - maxLength };
      return [i, locate ? { ...shorter, cuts: locateCuts(cuts, parts, offsetsOf.get(i)!) } : shorter];
    }),
  );
}
