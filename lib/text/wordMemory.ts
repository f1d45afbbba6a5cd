// In: texts for a BERT tokenizer. Out: their token ids, each different word tokenised once.
import type { Tokenizer as Engine } from "tokenizers";
import { offsetsOf, type TokeniseTexts } from "./tokeniseTexts";

/** What a tokenizer.json says of how a text falls into words. */
interface Pipeline {
  readonly added_tokens: readonly { readonly content: string; readonly single_word?: boolean }[];
  readonly normalizer?: { readonly type: string } | null;
  readonly pre_tokenizer?: { readonly type: string } | null;
  readonly model: { readonly type?: string };
}

/** The words' ids. */
type Memory = Map<string, readonly number[]>;

/** Characters of all words kept, about 20 MB of memory in English; then the memory starts anew. */
const MOST_CHARACTERS = 1 << 20;
/** Stands between words that are asked for: a token of its own that no word contains. */
const SEPARATOR = ".";
/** Words in one text for the engine, which gives whole texts to its threads. */
const ASKED_TOGETHER = 512;

/** What an ASCII character is to BERT's pre-tokeniser. Punctuation is a word of its own. */
const WORD = 0,
  SPACE = 1,
  PUNCTUATION = 2;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[\t\n\r ]/.test(character) ? SPACE : /[!-/:-@[-`{-~]/.test(character) ? PUNCTUATION : WORD;
});

/**
 * Tokenises word by word, and remembers every word's ids.
 *
 * Exact for BERT: its normaliser changes single characters and what combines with them, its pre-tokeniser separates at
 * white space and punctuation, and WordPiece sees one word at a time; so a text's ids are those of its words in a row.
 * Here only ASCII separates; the engine does the rest within a word.
 *
 * @param definition of the engine, special tokens under their secret names: letters and digits
 * @returns null for other tokenizers, whose words may depend on their neighbours
 */
export function rememberWords(engine: Engine, definition: object): TokeniseTexts | null {
  const separatorId = engine.tokenToId(SEPARATOR);
  if (!separatesWords(definition as Pipeline) || separatorId === null) return null;
  let known: Memory = new Map();
  let characters = 0;
  let frame: Promise<(readonly number[])[]> | undefined;

  return async (texts, options) => {
    if (characters > MOST_CHARACTERS) {
      known = new Map();
      characters = 0;
    }
    const memory = known; // another call may begin a new one meanwhile
    const wordsOf = texts.map(splitWords);
    const asked = unknownWords(wordsOf, memory);
    const idsOf = await askEngine(engine, asked, separatorId);
    asked.forEach((word, i) => memory.set(word, idsOf[i]));
    characters += asked.reduce((sum, word) => sum + word.length, 0);
    const [head, tail] = options.addSpecialTokens ? await (frame ??= specialIds(engine, separatorId)) : [[], []];
    return wordsOf.map((words, i) => ({
      ids: concatenate([head, ...words.map((word) => memory.get(word)!), tail]),
      offsets: () => offsetsOf(engine, texts[i], options),
    }));
  };
}

function separatesWords({ normalizer, pre_tokenizer, model, added_tokens }: Pipeline): boolean {
  return (
    normalizer?.type === "BertNormalizer" &&
    pre_tokenizer?.type === "BertPreTokenizer" &&
    model.type === "WordPiece" &&
    // An added token is found before words are; it must lie within one.
    added_tokens.every(({ content, single_word }) => /^[a-z0-9]*$/i.test(content) && !single_word)
  );
}

/** Maximal runs of word characters, and single punctuation marks. */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= KINDS.length || KINDS[code] === WORD) continue;
    if (start < i) words.push(text.slice(start, i));
    if (KINDS[code] === PUNCTUATION) words.push(text[i]);
    start = i + 1;
  }
  if (start < text.length) words.push(text.slice(start));
  return words;
}

/** Each word once. They are copies: a slice would keep the text that it was cut from. */
function unknownWords(wordsOf: readonly (readonly string[])[], memory: Memory): string[] {
  const unknown = new Set<string>();
  for (const words of wordsOf) for (const word of words) if (!memory.has(word)) unknown.add(word);
  return Array.from(unknown, (word) => Buffer.from(word).toString());
}

/** Ids of each word. One text of many words is cheaper than as many texts. */
async function askEngine(engine: Engine, words: readonly string[], separatorId: number): Promise<number[][]> {
  const separate = words.filter((word) => word !== SEPARATOR);
  const texts: string[] = [];
  for (let from = 0; from < separate.length; from += ASKED_TOGETHER)
    texts.push(separate.slice(from, from + ASKED_TOGETHER).join(` ${SEPARATOR} `));
  const encodings = await engine.encodeBatch(texts, { addSpecialTokens: false });
  const found = encodings.flatMap((encoding) => splitAt(encoding.getIds(), separatorId));
  if (found.length !== separate.length) throw new Error(`rememberWords: expected ids of ${separate.length} words, got ${found.length}`);
  let next = 0;
  return words.map((word) => (word === SEPARATOR ? [separatorId] : found[next++]));
}

/** Special tokens before and after a text. */
async function specialIds(engine: Engine, separatorId: number): Promise<number[][]> {
  return splitAt((await engine.encode(SEPARATOR)).getIds(), separatorId);
}

function splitAt(ids: readonly number[], separatorId: number): number[][] {
  const parts: number[][] = [];
  let start = 0;
  for (let i = 0; i <= ids.length; i++) {
    if (i < ids.length && ids[i] !== separatorId) continue;
    parts.push(ids.slice(start, i));
    start = i + 1;
  }
  return parts;
}

function concatenate(parts: readonly (readonly number[])[]): Uint32Array {
  const ids = new Uint32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) for (let i = 0; i < part.length; i++) ids[at++] = part[i];
  return ids;
}
