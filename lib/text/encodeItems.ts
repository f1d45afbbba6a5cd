// In: prompts and answers. Out: token ids, ended and cut as the model reads them.
import { layOutTokens, needsOffsets, type Frame } from "./layout";
import type { RenderedText } from "./renderChat";
import { CHAT_TEMPLATE } from "./template";
import type { TokenisedText, TokeniseTexts } from "./tokeniseTexts";
import type { Encoded, EncodeOptions, TextItem } from "./tokenizer";
import { truncateTokens } from "./truncate";

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
  /** Ends a text that is not a chat; null for none. */
  readonly endId: number | null;
}

/** Texts handed over at once: enough for the engine's threads, little enough memory. */
const CHUNK = 256;

/** @throws UsageError when what a cut must keep is longer than the maximum length; as the chat template does */
export async function encodeItems(items: readonly TextItem[], options: EncodeOptions, reader: Reader): Promise<Encoded[]> {
  const isChat = options.template === CHAT_TEMPLATE;
  const { frame, endId } = isChat ? { frame: { head: 0, tail: 0 }, endId: null } : reader;
  const encoded: Encoded[] = [];
  for (let from = 0; from < items.length; from += CHUNK) {
    const rendered = items.slice(from, from + CHUNK).map((item) => reader.render(item, options.template));
    const texts = await reader.tokenise(rendered.map(({ text }) => text), { addSpecialTokens: !isChat });
    for (const [i, text] of texts.entries()) {
      const ids = ended(text.ids, endId, reader.padId);
      const fits = ids.length <= options.maxLength;
      encoded.push(fits ? { ids, cut: 0 } : await cut({ ...text, ids }, rendered[i], options, { ...reader, frame, endId }));
    }
  }
  return encoded;
}

/** transformers reads a decoder's score at the last token that is not padding, whatever the mask says. */
function ended(ids: Uint32Array, endId: number | null, padId: number): Uint32Array {
  if (endId !== null) {
    const longer = new Uint32Array(ids.length + 1);
    longer.set(ids);
    longer[ids.length] = endId;
    return longer;
  }
  let length = ids.length;
  while (length > 0 && ids[length - 1] === padId) length--;
  return length > 0 ? ids.subarray(0, length) : Uint32Array.of(padId);
}

async function cut(text: TokenisedText, rendered: RenderedText, options: EncodeOptions, reader: Reader): Promise<Encoded> {
  const parts = rendered.parts();
  const layout = layOutTokens(text.ids, parts, {
    frame: reader.frame,
    special: reader.special,
    appended: reader.endId === null ? 0 : 1,
    offsets: needsOffsets(parts, options.truncation) ? await text.offsets() : null,
  });
  return { ids: truncateTokens(layout, options.maxLength, options.truncation), cut: text.ids.length - options.maxLength };
}
