// In: texts. Out: the files of a Hugging Face tokenizer whose tokens are the texts' own words.

/** A word with the space before it, one digit, one mark, or white space. */
const PIECE = " ?\\p{L}+|\\d|[^\\s\\p{L}\\d]|\\s";
const SPECIAL = ["<pad>", "<eos>", "<unk>"] as const;
/** Rarer words become <unk>: the output table grows with the vocabulary. */
const MOST_WORDS = 8000;

/**
 * `tokenizer.json` and `tokenizer_config.json` of a word-level tokenizer: digits stand alone, so that numbers can be
 * copied; decoding is joining. Ids: 0 padding, 1 end of sequence, 2 unknown, then words by frequency.
 */
export function wordTokenizerFiles(
  texts: Iterable<string>,
  maxLength: number,
): { files: Record<string, object>; vocabSize: number } {
  const counts = new Map<string, number>();
  const piece = new RegExp(PIECE, "gu");
  for (const text of texts) for (const [word] of text.matchAll(piece)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const words = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).map(([word]) => word);
  const named = [...SPECIAL, ...words.filter((word) => !SPECIAL.some((special) => special === word))];
  const vocab = Object.fromEntries(named.slice(0, MOST_WORDS).map((word, id) => [word, id]));
  const added = SPECIAL.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  return {
    vocabSize: Object.keys(vocab).length,
    files: {
      "tokenizer.json": {
        version: "1.0",
        truncation: null,
        padding: null,
        added_tokens: added,
        normalizer: null,
        pre_tokenizer: { type: "Split", pattern: { Regex: PIECE }, behavior: "Isolated", invert: false },
        post_processor: null,
        decoder: { type: "Fuse" },
        model: { type: "WordLevel", vocab, unk_token: "<unk>" },
      },
      "tokenizer_config.json": {
        tokenizer_class: "PreTrainedTokenizerFast",
        pad_token: "<pad>",
        eos_token: "<eos>",
        unk_token: "<unk>",
        model_max_length: maxLength,
        padding_side: "left",
      },
    },
  };
}
