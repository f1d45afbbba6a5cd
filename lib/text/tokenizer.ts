// In: prompts and answers. Out: token ids, equal to Python's, cut to a maximum length.
import { join } from "node:path";
import { Tokenizer as Engine } from "tokenizers";
import { InputError } from "../errors";
import { encodeItems, type Renderer } from "./encodeItems";
import { frameOf, type Frame } from "./layout";
import { renderChat, type RenderedText } from "./renderChat";
import { nameSecretly, type SpecialTokens } from "./specialTokens";
import { CHAT_TEMPLATE, isChat, RENDERED_CHAT, templateParts } from "./template";
import type { Encoded, EncodeOptions, TextItem } from "./textItem";
import { wholeTexts, type TokeniseTexts } from "./tokeniseTexts";
import { readTokenizerFiles, type TokenizerFiles } from "./tokenizerFiles";
import { rememberWords } from "./wordMemory";

export type { Encoded, EncodeOptions, TextItem } from "./textItem";
export type { Truncation } from "./truncate";

export interface Tokenizer {
  readonly dir: string;
  readonly padId: number;
  readonly padToken: string;
  readonly eosId: number | null;
  readonly eosToken: string | null;
  /** Jinja source, or null. */
  readonly chatTemplate: string | null;
  /** Tokens, added ones included. */
  readonly vocabSize: number;
  /** Whether a text that is not a chat gets the end-of-sequence token (see `openTokenizer`). */
  readonly appendEos: boolean;
  /** The token that does not count at a text's end: the head reads the last token that is another; null for none. */
  readonly unreadId: number | null;
  /** Special tokens that the tokenizer puts around a text that is not a chat. */
  readonly frame: Frame;
  /** The special tokens' texts. */
  readonly specialTexts: readonly string[];
  /** Whether Python's `split_special_tokens=True` keeps all of them text: no pieces of the vocabulary make one. */
  readonly plainSpecials: boolean;
  encode(items: readonly TextItem[], options: EncodeOptions): Promise<Encoded[]>;
  /** The text the model reads, special tokens spelt out. */
  render(item: TextItem, template: string): string;
  idToToken(id: number): string | null;
  /** The text of token ids, special ones left out. */
  decode(ids: readonly number[]): Promise<string>;
}

/**
 * Opens the tokenizer of a Hugging Face directory.
 *
 * Special-token text in prompts and answers stays text (Python: `split_special_tokens=True`); in templates it becomes
 * the token. Lone surrogates, which Python refuses, become U+FFFD.
 *
 * @param options.appendEos whether plain texts end with the eos token. Unless told, they do when the tokenizer has
 *   one and ends a text with no special token by itself (Llama, Qwen; not BERT, RoBERTa), as TRL's RewardTrainer
 *   does. An eos that does not count at a text's end is left out: transformers would not read it
 * @param options.unreadId the token that does not count at a text's end; the padding token when absent
 * @throws InputError when a file is missing or wrong, or there is neither a padding nor an end-of-sequence token
 * @example
 * ```ts
 * const own = openTokenizer("models/all-MiniLM-L6-v2");
 * console.log(await own.encode([{ prompt: "2 + 2?", response: "4" }], { template: "{prompt} {response}", maxLength: 64, truncation: "right" }));
 * ```
 */
export function openTokenizer(
  dir: string,
  options: { readonly appendEos?: boolean; readonly unreadId?: number | null } = {},
): Tokenizer {
  const files = readTokenizerFiles(dir);
  const special = nameSecretly(files.definition);
  const path = join(dir, "tokenizer.json");
  const engine = openEngine(special.definition, path);
  const idOf = (token: string | null | undefined) =>
    token == null ? null : engine.tokenToId(special.withSecretNames(token));
  const { pad_token: pad, eos_token: eos, chat_template: chat } = files.settings;
  const padToken = idOf(pad) !== null ? pad! : (namedPadding(files.definition) ?? eos);
  const padId = idOf(padToken);
  if (padId === null || padToken == null) {
    throw new InputError(
      `${dir}: expected a tokenizer with a padding or an end-of-sequence token, got neither; ` +
        `name one of its tokens as "pad_token" in tokenizer_config.json`,
    );
  }
  const eosId = idOf(eos);
  const frame = frameOf(files.definition.post_processor);
  const unreadId = options.unreadId === undefined ? padId : options.unreadId;
  const appendEos = (options.appendEos ?? frame.tail === 0) && eosId !== null && eosId !== unreadId;
  const render = renderer(special, files, dir);
  const vocabSize = Math.max(files.size, engine.getVocabSize(true)); // before `rememberWords` adds a token of its own
  const tokenise = naming(path, rememberWords(engine, special.definition) ?? wholeTexts(engine));
  const reader = { render, tokenise, frame, special: special.ids, padId, unreadId, endId: appendEos ? eosId : null };

  return {
    dir,
    padId,
    padToken,
    eosId,
    eosToken: eosId === null ? null : eos!,
    chatTemplate: chat ?? null,
    vocabSize,
    appendEos,
    unreadId,
    frame,
    specialTexts: special.contents,
    plainSpecials: special.plain,
    idToToken: (id) => files.definition.added_tokens.find((token) => token.id === id)?.content ?? engine.idToToken(id),
    decode: (ids) => engine.decode([...ids], true),
    render: (item, template) =>
      special.withOwnNames(render(item, template).text) + (appendEos && !isChat(template) ? eos! : ""),
    encode: (items, how) => encodeItems(items, how, reader),
  };
}

/** Renders templates with the special tokens' secret names, and user data without any. */
function renderer(special: SpecialTokens, files: TokenizerFiles, dir: string): Renderer {
  const plain = (item: TextItem, template: string): RenderedText => {
    const parts = templateParts(template, item).map(({ from, text }) => ({
      from,
      text: from === "template" ? special.withSecretNames(text) : text,
    }));
    return { text: parts.map((part) => part.text).join(""), parts: () => parts };
  };
  const rendered = ({ response }: TextItem): RenderedText => {
    const text = special.withSecretNames(response);
    return { text, parts: () => [{ from: "response", text }] };
  };
  return (item, template) => {
    if (template === CHAT_TEMPLATE) return renderChat(clean(item), special, { ...files, dir });
    return template === RENDERED_CHAT ? rendered(clean(item)) : plain(clean(item), template);
  };
}

/** A special token meant for padding that the settings do not name, such as Llama 3's <|finetune_right_pad_id|>. */
function namedPadding({ added_tokens }: TokenizerFiles["definition"]): string | undefined {
  return added_tokens.find(
    ({ special, content }) =>
      special && /(^|[^a-z])pad([^a-z]|$)/i.test(content) && !/vision|image|video|audio/.test(content),
  )?.content;
}

function openEngine(definition: object, path: string): Engine {
  try {
    return Engine.fromString(JSON.stringify(definition));
  } catch (error) {
    throw new InputError(
      `${path}: expected a tokenizer of Hugging Face's tokenizers, got ${(error as Error).message}; ` +
        "fetch the model again",
    );
  }
}

/** What the engine refuses while it tokenises (an unknown piece without a token for it) names the file, too. */
function naming(path: string, tokenise: TokeniseTexts): TokeniseTexts {
  const named = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: Error) => {
      throw new InputError(`${path}: expected tokens of every text, got ${error.message}; fetch the model again`);
    });
  return async (texts, options) => {
    const tokenised = await named(tokenise(texts, options));
    return { ids: tokenised.ids, offsets: (of) => named(tokenised.offsets(of)) };
  };
}

/** Lone surrogates become U+FFFD, as in `TextEncoder`; the engine would drop some of them. */
function clean({ prompt, response, promptMessages, responseMessages }: TextItem): TextItem {
  const cleaned = (messages: TextItem["promptMessages"]) =>
    messages?.map(({ role, content }) => ({ role: role.toWellFormed(), content: content.toWellFormed() }));
  return {
    prompt: prompt.toWellFormed(),
    response: response.toWellFormed(),
    promptMessages: cleaned(promptMessages),
    responseMessages: cleaned(responseMessages),
  };
}
