import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Tokenizer as Engine } from "tokenizers";
import { describe, expect, it } from "vitest";
import { createRandom } from "../../lib/random";
import { nameSecretly } from "../../lib/text/specialTokens";
import { wholeTexts, type TokenisedText } from "../../lib/text/tokeniseTexts";
import { readTokenizerFiles } from "../../lib/text/tokenizerFiles";
import { rememberWords } from "../../lib/text/wordMemory";

const goldens = join(__dirname, "..", "goldens", "text");
const { texts: corpus } = JSON.parse(readFileSync(join(goldens, "corpus.json"), "utf8")) as { texts: string[] };
const pieces = corpus.map((text) => text.replace(/\p{Surrogate}/gu, "\uFFFD"));

const addedToken = (content: string, more: object = {}) => ({ id: 90_000, content, special: false, normalized: false, single_word: false, lstrip: false, rstrip: false, ...more });

/** An engine that notes what it is asked for and keeps "Zebra" waiting until `release`, and its definition, possibly changed. */
function open(kind: string, edit: (definition: any) => void = () => {}) {
  const { definition } = nameSecretly(readTokenizerFiles(kind.includes("MiniLM") ? join(__dirname, "..", "..", "models", kind) : join(goldens, kind)).definition);
  edit(definition);
  const engine = Engine.fromString(JSON.stringify(definition));
  const asked: string[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const encodeBatch = async (texts: string[], options: object) => {
    const words = texts.flatMap((text) => text.split(" . "));
    asked.push(...words);
    if (words.includes("Zebra")) await released;
    return engine.encodeBatch(texts, options);
  };
  const noting = new Proxy(engine, {
    get: (target, name) => (name === "encodeBatch" ? encodeBatch : (target[name as keyof Engine] as () => unknown).bind(target)),
  });
  return { engine, definition, asked, release, words: rememberWords(noting, definition) };
}
const idsOf = (texts: readonly TokenisedText[]) => texts.map(({ ids }) => [...ids].join(" "));
const withSpecial = { addSpecialTokens: true };

const cased = { type: "BertNormalizer", clean_text: false, handle_chinese_chars: false, strip_accents: null, lowercase: false };

describe.each<[string, string, (definition: any) => void]>([
  ["a tiny vocabulary", "wordpiece", () => {}],
  ["MiniLM", "all-MiniLM-L6-v2", () => {}],
  ["a cased tokenizer that cleans nothing", "all-MiniLM-L6-v2", (definition) => (definition.normalizer = cased)],
  ["added tokens of letters", "wordpiece", (definition) => definition.added_tokens.push(...["fox", "Dog1"].map((content, i) => addedToken(content, { id: 90_000 + i, normalized: i === 0, rstrip: true })))],
])("%s", (_, kind, edit) => {
  // Reference: the engine over whole texts, which gives Python's ids on the same corpus (tokenizer.test.ts).
  it.each([true, false])("ids of words in a row are those of whole texts, special tokens around them: %s", async (addSpecialTokens) => {
    const { engine, definition, words } = open(kind, edit);
    const secret = (definition as { added_tokens: { content: string }[] }).added_tokens[1].content;
    const random = createRandom(5);
    const parts = [...pieces, secret, "\u0301", "\u037e", "\v", "\u00a0", ".", " . ", "...", "x".repeat(101)];
    const texts = Array.from({ length: 3000 }, () =>
      Array.from({ length: 1 + random.integer(5) }, () => parts[random.integer(parts.length)]).join(["", " ", "\n", "-", "."][random.integer(5)]),
    );
    const expected = idsOf(await wholeTexts(engine)(texts, { addSpecialTokens }));
    for (const memory of ["empty", "full"]) {
      const got = idsOf(await words!(texts, { addSpecialTokens }));
      expect(texts.filter((_, i) => got[i] !== expected[i]), `${memory} memory`).toEqual([]);
    }
  });
});

describe("the memory", () => {
  it("asks the engine once for a word, whatever stands around it", async () => {
    const { asked, words } = open("all-MiniLM-L6-v2");
    await words!(["The dog, the fox.", "The\nfox"], withSpecial);
    await words!(["(fox) The dog!"], withSpecial);
    expect(asked).toEqual(["The", "dog", ",", "the", "fox", "(", ")", "!"]);
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
    expect([idsOf(got), idsOf(await late)]).toEqual([idsOf(await reference(texts, withSpecial)), idsOf(await reference(lateText, withSpecial))]);
  });
});

describe("tokenizers whose words depend on their neighbours", () => {
  const added = (content: string, more: object = {}) => (definition: any) => definition.added_tokens.push(addedToken(content, more));
  it.each<[string, string, (definition: any) => void]>([
    ["an added token of several words", "wordpiece", added("brown fox")],
    ["an added token with punctuation", "wordpiece", added("<fox>")],
    ["an added token that looks at its neighbours", "wordpiece", added("fox", { single_word: true })],
    ["another normaliser", "wordpiece", (definition) => (definition.normalizer = { type: "NFKC" })],
    ["another pre-tokeniser", "wordpiece", (definition) => (definition.pre_tokenizer = { type: "Whitespace" })],
    ["byte-level BPE", "bpe-roberta", () => {}],
    ["Unigram", "unigram", () => {}],
  ])("are not read word by word: %s", (_, kind, edit) => {
    expect(open(kind, edit).words).toBeNull();
    expect(open("wordpiece").words).not.toBeNull();
  });
});
