// In: texts. Out: their token ids, each different word tokenised once.
import { randomBytes } from "node:crypto";
import type { Tokenizer as Engine } from "tokenizers";
import { batchOffsets, type TokeniseTexts } from "./tokeniseTexts";
import { wordSplitter } from "./words";

/** The words' ids. */
type Memory = Map<string, readonly number[]>;

/** Characters of all words kept, about 20 MB of memory in English; then the memory starts anew. */
const MOST_CHARACTERS = 1 << 20;
/** A noncharacter: no token holds one, so none can take an edge of the separator for its own. */
const EDGE = "\uFFFF";
/** Words in one text for the engine, which gives whole texts to its threads. */
const ASKED_TOGETHER = 128;

/**
 * Tokenises word by word and remembers every word's ids: exact where words do not depend on their neighbours.
 *
 * @param engine     gets one more special token, under a secret name, to stand between the words that are asked for
 * @param definition the engine's, special tokens under their secret names
 * @returns null where words may depend on their neighbours
 */
export function rememberWords(engine: Engine, definition: object): TokeniseTexts | null {
  const splitWords = wordSplitter(definition);
  if (!splitWords) return null;
  const separator = EDGE + randomBytes(8).toString("hex") + EDGE;
  engine.addSpecialTokens([separator]);
  const separatorId = engine.tokenToId(separator)!;
  if (vocabularyIds(definition).has(separatorId)) return null; // the engine numbers it by counting, whatever gaps there are
  const ask = (words: readonly string[]) => askEngine(engine, words, { separator, separatorId });
  const specialIds = async () => splitAt((await engine.encode(separator)).getIds(), separatorId);
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
    const idsOf = await ask(asked);
    asked.forEach((word, i) => memory.set(word, idsOf[i]));
    characters += asked.reduce((sum, word) => sum + word.length, 0);
    const [head, tail] = options.addSpecialTokens ? await (frame ??= specialIds()) : [[], []];
    return {
      ids: wordsOf.map((words) => concatenate([head, ...words.map((word) => memory.get(word)!), tail])),
      offsets: (of) =>
        batchOffsets(
          engine,
          of.map((i) => texts[i]),
          options,
        ),
    };
  };
}

function vocabularyIds(definition: object): Set<number> {
  return new Set(Object.values((definition as { model: { vocab: Record<string, number> } }).model.vocab));
}

/** Each word once. They are copies: a slice would keep the text that it was cut from. */
function unknownWords(wordsOf: readonly (readonly string[])[], memory: Memory): string[] {
  const unknown = new Set<string>();
  for (const words of wordsOf) for (const word of words) if (!memory.has(word)) unknown.add(word);
  return Array.from(unknown, (word) => Buffer.from(word).toString());
}

/** Ids of each word. One text of many words is cheaper than as many texts. */
async function askEngine(
  engine: Engine,
  words: readonly string[],
  { separator, separatorId }: { readonly separator: string; readonly separatorId: number },
): Promise<number[][]> {
  const texts: string[] = [];
  for (let from = 0; from < words.length; from += ASKED_TOGETHER)
    texts.push(words.slice(from, from + ASKED_TOGETHER).join(separator));
  const encodings = await engine.encodeBatch(texts, { addSpecialTokens: false });
  const found = encodings.flatMap((encoding) => splitAt(encoding.getIds(), separatorId));
  if (found.length !== words.length)
    throw new Error(`rememberWords: expected ids of ${words.length} words, got ${found.length}`);
  return found;
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
