// In: what tokenizer.json says. Out: how its texts fall into words that are tokenised alike whatever stands around them.

/** A text's words in their order; what is between them has no tokens. */
export type SplitWords = (text: string) => string[];

interface Step {
  readonly type: string;
  readonly add_prefix_space?: boolean;
  readonly use_regex?: boolean;
  readonly behavior?: string;
  readonly invert?: boolean;
  readonly pattern?: { readonly Regex?: string };
  readonly pretokenizers?: readonly Step[];
}

interface AddedToken {
  readonly content: string;
  readonly single_word?: boolean;
  readonly rstrip?: boolean;
}

/** The parts of tokenizer.json that decide it. */
interface Pipeline {
  readonly added_tokens: readonly AddedToken[];
  readonly normalizer?: Step | null;
  readonly pre_tokenizer?: Step | null;
  readonly model: { readonly type?: string; readonly dropout?: number | null };
}

/**
 * The words of BERT's and of byte-level tokenizers (RoBERTa, GPT-2, Llama 3, Qwen, SmolLM).
 *
 * @param definition special tokens under their secret names: letters and digits
 * @returns null for other tokenizers, whose words may depend on their neighbours
 */
export function wordSplitter(definition: object): SplitWords | null {
  const pipeline = definition as Pipeline;
  return isBert(pipeline) ? splitBertWords : isByteLevel(pipeline) ? splitAtSpaces : null;
}

/**
 * The normaliser changes single characters and what combines with them, the pre-tokeniser separates at white space and
 * punctuation, WordPiece sees one word at a time. An added token is found before words are: it must lie within one.
 */
const isBert = ({ normalizer, pre_tokenizer, model, added_tokens }: Pipeline): boolean =>
  normalizer?.type === "BertNormalizer" &&
  pre_tokenizer?.type === "BertPreTokenizer" &&
  model.type === "WordPiece" &&
  added_tokens.every(({ content, single_word }) => /^[a-z0-9]*$/i.test(content) && !single_word);

/**
 * In each of these patterns a match with a blank in it begins with the blank or is white space alone, and no match goes
 * on from a letter to white space; composing characters (NFC) never takes in white space. An added token must not
 * swallow the blank after it.
 */
const isByteLevel = ({ normalizer, pre_tokenizer, model, added_tokens }: Pipeline): boolean =>
  (!normalizer || normalizer.type === "NFC") &&
  !!pre_tokenizer &&
  separatesAtSpaces(pre_tokenizer) &&
  model.type === "BPE" &&
  !model.dropout &&
  added_tokens.every(({ content, single_word, rstrip }) => !/\s/.test(content) && !single_word && !rstrip);

/** Llama 3's pattern, and Qwen's, which takes digits one by one. */
const PATTERNS = ["\\p{N}{1,3}", "\\p{N}"].map(
  (digits) =>
    `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
);

function separatesAtSpaces(step: Step): boolean {
  const steps = step.type === "Sequence" ? (step.pretokenizers ?? []) : [step];
  const bytes = steps.at(-1),
    before = steps.slice(0, -1);
  if (bytes?.type !== "ByteLevel" || bytes.add_prefix_space !== false) return false;
  if (bytes.use_regex !== false) return before.every(({ type }) => type === "Digits"); // GPT-2's pattern
  const [{ type, pattern, behavior, invert } = step, ...more] = before;
  return (
    type === "Split" &&
    PATTERNS.includes(pattern?.Regex ?? "") &&
    behavior === "Isolated" &&
    !invert &&
    more.length === 0
  );
}

/** What an ASCII character is to BERT's pre-tokeniser. Punctuation is a word of its own. */
const WORD = 0,
  SPACE = 1,
  PUNCTUATION = 2;
const KINDS = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code);
  return /[\t\n\r ]/.test(character) ? SPACE : /[!-/:-@[-`{-~]/.test(character) ? PUNCTUATION : WORD;
});

/** Only ASCII separates here; other white space and punctuation stay in a word, where the engine finds them. */
function splitBertWords(text: string): string[] {
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

const BLANK = 0x20,
  NEWLINE = 0x0a;

const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

/** Surely no white space: the ranges left out hold Unicode's. */
const isVisible = (code: number): boolean =>
  (code > BLANK && code < 0x7f) || (code > 0xa0 && code < 0x1680) || code > 0x3000;

/** A word begins with a single space, or with all white space that follows an ASCII letter. */
function splitAtSpaces(text: string): string[] {
  const words: string[] = [];
  let start = 0;
  for (let i = 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code !== BLANK && code !== NEWLINE) continue;
    const before = text.charCodeAt(i - 1);
    const single = code === BLANK && isVisible(before) && i + 1 < text.length && isVisible(text.charCodeAt(i + 1));
    if (!single && !isLetter(before)) continue;
    words.push(text.slice(start, i));
    start = i;
  }
  if (start < text.length) words.push(text.slice(start));
  return words;
}
