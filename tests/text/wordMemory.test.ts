import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as Engine } from "tokenizers";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../lib/random";
import { nameSecretly } from "../../lib/text/specialTokens";
import { wholeTexts, type TokenisedTexts } from "../../lib/text/tokeniseTexts";
import { readTokenizerFiles } from "../../lib/text/tokenizerFiles";
import { rememberWords } from "../../lib/text/wordMemory";

const goldens = join(__dirname, "..", "goldens", "text");
const { texts: corpus } = JSON.parse(readFileSync(join(goldens, "corpus.json"), "utf8")) as { texts: string[] };
const pieces = corpus.map((text) => text.replace(/\p{Surrogate}/gu, "\uFFFD"));

const addedToken = (content: string, more: object = {}) => ({
  id: 90_000,
  content,
  special: false,
  normalized: false,
  single_word: false,
  lstrip: false,
  rstrip: false,
  ...more,
});

/** An engine that notes what it is asked for and keeps "Zebra" waiting until `release`, and its definition, possibly changed. */
function open(kind: string, edit: (definition: any) => void = () => {}) {
  const { definition } = nameSecretly(
    readTokenizerFiles(kind.includes("MiniLM") ? join(__dirname, "..", "..", "models", kind) : join(goldens, kind))
      .definition,
  );
  edit(definition);
  const engine = Engine.fromString(JSON.stringify(definition));
  const asked: string[] = [];
  let separator = "";
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const encodeBatch = async (texts: string[], options: object) => {
    const words = texts.flatMap((text) => text.split(separator));
    asked.push(...words);
    if (words.includes("Zebra")) await released;
    return engine.encodeBatch(texts, options);
  };
  const noting = new Proxy(engine, {
    get: (target, name) => {
      if (name === "encodeBatch") return encodeBatch;
      if (name === "addSpecialTokens")
        return (tokens: string[]) => (([separator] = tokens), target.addSpecialTokens(tokens));
      return (target[name as keyof Engine] as () => unknown).bind(target);
    },
  });
  return { engine, definition, asked, release, words: rememberWords(noting, definition) };
}
const idsOf = ({ ids }: TokenisedTexts) => ids.map((text) => [...text].join(" "));
const withSpecial = { addSpecialTokens: true };

const cased = {
  type: "BertNormalizer",
  clean_text: false,
  handle_chinese_chars: false,
  strip_accents: null,
  lowercase: false,
};
/** With any hexadecimal digit at the end: none may take it from a secret name behind it. */
const addedNames = ["fox", ...[..."0123456789abcdef"].map((digit) => `Dog${digit}`)];
const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
const digits = { type: "Digits", individual_digits: true };

/** Merges white space with all that stands beside it: a word cut in the wrong place gets other ids. */
function mergeSpaces({ model, added_tokens }: any): void {
  for (const { content, id } of added_tokens) model.vocab[content] ??= id;
  const symbols = Object.keys(model.vocab).filter((piece) => piece.length === 1);
  const pairs = symbols.flatMap((symbol) =>
    ["Ġ", "Ċ"].flatMap((space) => [
      [space, symbol],
      [symbol, space],
    ]),
  );
  let next = Math.max(...(Object.values(model.vocab) as number[])) + 1;
  for (const [a, b] of pairs) model.vocab[a + b] ??= next++;
  model.merges.unshift(...pairs);
}

/** Pre-tokenisers as the published files of these models have them. */
describe.each<[string, string, (definition: any) => void]>([
  ["a tiny BERT", "wordpiece", () => {}],
  ["MiniLM", "all-MiniLM-L6-v2", () => {}],
  ["a cased BERT that cleans nothing", "all-MiniLM-L6-v2", (definition) => (definition.normalizer = cased)],
  [
    "BERT, added tokens of letters",
    "wordpiece",
    (definition) =>
      definition.added_tokens.push(
        ...addedNames.map((content, i) => addedToken(content, { id: 90_000 + i, normalized: i === 0, rstrip: true })),
      ),
  ],
  ["RoBERTa", "bpe-roberta", mergeSpaces],
  ["Llama 3", "bpe-llama", mergeSpaces],
  [
    "Llama 3, added tokens",
    "bpe-llama",
    (definition) =>
      definition.added_tokens.push(
        ...["<fox>", ...addedNames].map((content, i) =>
          addedToken(content, { id: 90_000 + i, normalized: i === 0, lstrip: true }),
        ),
      ),
  ],
  [
    "Qwen",
    "bpe-llama",
    (definition) => {
      mergeSpaces(definition);
      definition.normalizer = { type: "NFC" };
      const [split] = definition.pre_tokenizer.pretokenizers;
      split.pattern.Regex = split.pattern.Regex.replace("\\p{N}{1,3}", "\\p{N}");
    },
  ],
  [
    "SmolLM",
    "bpe-roberta",
    (definition) => {
      mergeSpaces(definition);
      definition.pre_tokenizer = { type: "Sequence", pretokenizers: [digits, byteLevel] };
    },
  ],
])("%s", (_, kind, edit) => {
  const { engine, definition, words } = open(kind, edit);
  const secret = (definition as { added_tokens: { content: string }[] }).added_tokens[1].content;
  const spaces = ["", " ", "\n", "-", ".", "  ", " \n", "\n\n ", "\t", "\r\n", "\u00a0", "\u0085", " \u3000", "\v "];
  const parts = [
    ...pieces,
    secret,
    "<think>",
    "<fox> Dog",
    "Dog1 Dogma",
    "\u0301",
    "\u037e",
    " \u0338=",
    "1 2 3456 7",
    "I'll 'TIS we've",
    "\v",
    "\u1680x",
    ".",
    " . ",
    "...",
    "x".repeat(101),
  ];
  // Reference: the engine over whole texts, which gives Python's ids on the same corpus (tokenizer.test.ts).
  it.each([true, false])(
    "ids of words in a row are those of whole texts, special tokens around them: %s",
    async (addSpecialTokens) => {
      const random = createRandom(5);
      const one = <T>(choices: readonly T[]) => choices[random.integer(choices.length)];
      const texts = Array.from({ length: 1000 }, () =>
        Array.from({ length: 1 + random.integer(8) }, () => one(parts) + one(spaces)).join(""),
      );
      const expected = idsOf(await wholeTexts(engine)(texts, { addSpecialTokens }));
      for (const memory of ["empty", "full"]) {
        const got = idsOf(await words!(texts, { addSpecialTokens }));
        expect(
          texts.filter((_, i) => got[i] !== expected[i]),
          `${memory} memory`,
        ).toEqual([]);
      }
    },
  );

  it("offsets are those of whole texts, of the texts asked for", async () => {
    const texts = ["one two", "die schräge Häuser", "😀 three, four"];
    const [got, expected] = [await words!(texts, withSpecial), await wholeTexts(engine)(texts, withSpecial)];
    expect(await got.offsets([2, 1])).toEqual(await expected.offsets([2, 1]));
  });
});

describe("the memory", () => {
  it.each([
    ["all-MiniLM-L6-v2", ["The", "dog", ",", "the", "fox", ".", "(", ")", "!"]],
    ["bpe-llama", ["The", " dog,", " the", " fox.", "\nfox", "(fox)", " The", " dog!"]],
  ])("asks the engine once for a word, whatever stands around it: %s", async (kind, expected) => {
    const { asked, words } = open(kind);
    await words!(["The dog, the fox.", "The\nfox"], withSpecial);
    await words!(["(fox) The dog!", "The the"], withSpecial);
    expect(asked.filter((word) => word !== "")).toEqual(expected);
  });

  it("begins anew when it is full, while another call still reads the old one", async () => {
    const { engine, asked, release, words } = open("wordpiece");
    const random = createRandom(3);
    const word = () => Array.from({ length: 60 }, () => String.fromCharCode(97 + random.integer(26))).join("");
    const texts = ["dog", "dog fox"],
      lateText = ["cat Zebra"];
    await words!(["dog cat"], withSpecial);
    const late = words!(lateText, withSpecial);
    await words!(Array.from({ length: 18_000 }, word), withSpecial); // more than a million letters
    asked.length = 0;
    const got = await words!(texts, withSpecial);
    expect(asked).toEqual(["dog", "fox"]);
    release();
    const reference = wholeTexts(engine);
    expect([idsOf(got), idsOf(await late)]).toEqual([
      idsOf(await reference(texts, withSpecial)),
      idsOf(await reference(lateText, withSpecial)),
    ]);
  });
});

describe("tokenizers whose words depend on their neighbours", () => {
  const added =
    (content: string, more: object = {}) =>
    (definition: any) =>
      definition.added_tokens.push(addedToken(content, more));
  const bytes = (changes: object) => (definition: any) => (definition.pre_tokenizer = { ...byteLevel, ...changes });
  it.each<[string, string, (definition: any) => void]>([
    ["BERT, an added token of several words", "wordpiece", added("brown fox")],
    ["BERT, an added token with punctuation", "wordpiece", added("<fox>")],
    ["BERT, an added token that looks at its neighbours", "wordpiece", added("fox", { single_word: true })],
    ["BERT, another normaliser", "wordpiece", (definition) => (definition.normalizer = { type: "NFKC" })],
    ["BERT, another pre-tokeniser", "wordpiece", (definition) => (definition.pre_tokenizer = { type: "Whitespace" })],
    ["byte-level, a space before the text", "bpe-roberta", bytes({ add_prefix_space: true })],
    ["byte-level, no pattern", "bpe-roberta", bytes({ use_regex: false })],
    [
      "byte-level, another pattern",
      "bpe-llama",
      (definition) => (definition.pre_tokenizer.pretokenizers[0].pattern.Regex = "\\S+ \\S+|\\s+"),
    ],
    [
      "byte-level, the pattern's matches dropped",
      "bpe-llama",
      (definition) => (definition.pre_tokenizer.pretokenizers[0].behavior = "Removed"),
    ],
    [
      "byte-level, a step more",
      "bpe-llama",
      (definition) => definition.pre_tokenizer.pretokenizers.splice(1, 0, digits),
    ],
    ["byte-level, compatibility forms", "bpe-roberta", (definition) => (definition.normalizer = { type: "NFKC" })],
    ["byte-level, random merges", "bpe-roberta", (definition) => (definition.model.dropout = 0.1)],
    ["byte-level, an added token that takes the space after it", "bpe-roberta", added("<fox>", { rstrip: true })],
    ["byte-level, an added token of several words", "bpe-roberta", added("brown fox")],
    [
      "byte-level, a vocabulary with gaps",
      "bpe-roberta",
      ({ model }) => (model.vocab["Ġgap"] = Object.keys(model.vocab).length + 1),
    ],
    ["BPE without words", "bpe-metaspace", () => {}],
    ["Unigram", "unigram", () => {}],
  ])("are not read word by word: %s", (_, kind, edit) => {
    expect(open(kind, edit).words).toBeNull();
  });
});
