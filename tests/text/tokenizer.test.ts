import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openTokenizer, type EncodeOptions, type Tokenizer } from "../../lib/text/tokenizer";

const goldens = join(__dirname, "..", "goldens", "text");
const { texts, ids } = JSON.parse(readFileSync(join(goldens, "corpus.json"), "utf8")) as {
  texts: string[];
  ids: Record<string, number[][]>;
};
const dirOf = (kind: string) =>
  kind.includes("MiniLM") ? join(__dirname, "..", "..", "models", kind) : join(goldens, kind);

const encode = (
  tokenizer: Tokenizer,
  items: { prompt?: string; response: string }[],
  options: Partial<EncodeOptions> = {},
) =>
  tokenizer.encode(
    items.map((item) => ({ prompt: "", ...item })),
    { template: "{response}", maxLength: 1e6, truncation: "right", ...options },
  );
const words = (tokenizer: Tokenizer, encoded: { ids: Uint32Array }) =>
  [...encoded.ids].map((id) => tokenizer.idToToken(id)).join(" ");

// Expected ids: Python's tokenizers with encode_special_tokens = True (tests/goldens/text.py).
describe.each(Object.keys(ids))("%s", (kind) => {
  const tokenizer = openTokenizer(dirOf(kind), { appendEos: false });

  it("gives Python's ids on a multilingual, emoji, control-character and lone-surrogate corpus", async () => {
    // Python's Unigram makes special tokens of user text even then: those texts have no reference.
    const comparable = (text: string) => kind !== "unigram" || !/<(\/?s|pad|unk|mask)>/.test(text);
    const encoded = await encode(
      tokenizer,
      texts.map((response) => ({ response })),
    );
    const different = texts.filter((text, i) => comparable(text) && `${encoded[i].ids}` !== `${ids[kind][i]}`);
    expect(different).toEqual([]);
    expect(encoded.every(({ cut }) => cut === 0)).toBe(true);
  });

  it("keeps special-token text in prompts and answers text, and makes tokens of it in the template", async () => {
    const special = {
      wordpiece: "[SEP]",
      "all-MiniLM-L6-v2": "[SEP]",
      "bpe-llama": "<|eot_id|>",
      "bpe-roberta": "</s>",
      "bpe-metaspace": "</s>",
      unigram: "</s>",
    }[kind]!;
    const count = (encoded: { ids: Uint32Array }) =>
      [...encoded.ids].filter((id) => tokenizer.idToToken(id) === special).length;
    const [plain, attack] = await encode(
      tokenizer,
      [{ response: "a b" }, { prompt: special, response: `a${special}b ${special}` }],
      { template: "{prompt}{response}" },
    );
    const [inTemplate] = await encode(tokenizer, [{ prompt: "a", response: "b" }], {
      template: `{prompt}${special}{response}`,
    });
    expect([count(attack) - count(plain), count(inTemplate) - count(plain)]).toEqual([0, 1]);
  });
});

// Expected tokens: written out by hand from the rule; each prompt and answer word is one token of the vocabulary.
describe("truncation", () => {
  const tokenizer = openTokenizer(dirOf("all-MiniLM-L6-v2"));
  const item = { prompt: "one two three", response: "four five six" };
  it.each([
    ["right", 6, "[CLS] one two three four [SEP]"],
    ["left", 6, "[CLS] three four five six [SEP]"],
    ["prompt-first", 6, "[CLS] three four five six [SEP]"],
    ["prompt-first", 4, "[CLS] five six [SEP]"],
    ["right", 2, "[CLS] [SEP]"],
  ] as const)("%s to %d tokens", async (truncation, maxLength, expected) => {
    const [encoded] = await encode(tokenizer, [item], { template: "{prompt} {response}", truncation, maxLength });
    expect([words(tokenizer, encoded), encoded.cut]).toEqual([expected, 8 - maxLength]);
  });

  it("prompt-first keeps the template's words and cuts the prompt before the answer", async () => {
    const options = { template: "Q: {prompt} A: {response}", truncation: "prompt-first" } as const;
    const [nine, seven] = [
      await encode(tokenizer, [item], { ...options, maxLength: 9 }),
      await encode(tokenizer, [item], { ...options, maxLength: 7 }),
    ];
    expect(words(tokenizer, nine[0])).toBe("[CLS] q : a : four five six [SEP]");
    expect(words(tokenizer, seven[0])).toBe("[CLS] q : a : six [SEP]");
  });

  it("prompt-first cuts the answer too where it comes before the prompt", async () => {
    const [encoded] = await encode(tokenizer, [item], {
      template: "A: {response} Q: {prompt}",
      truncation: "prompt-first",
      maxLength: 8,
    });
    expect(words(tokenizer, encoded)).toBe("[CLS] a : five six q : [SEP]");
  });

  it("counts code points, not UTF-16 units, when it looks for the prompt", async () => {
    const [encoded] = await encode(tokenizer, [{ prompt: "😀 one", response: "😀 two" }], {
      template: "{prompt} {response}",
      truncation: "prompt-first",
      maxLength: 4,
    });
    expect(words(tokenizer, encoded)).toBe("[CLS] [UNK] two [SEP]");
  });

  // Characters of "one two three" and "four five six", counted by hand.
  it.each([
    ["right", "{prompt} {response}", [{ from: "response", start: 5, stop: 13 }]],
    ["left", "{prompt} {response}", [{ from: "prompt", start: 0, stop: 7 }]],
    ["prompt-first", "{response} {prompt}", [{ from: "prompt", start: 0, stop: 7 }]],
  ] as const)("%s says where it cut", async (truncation, template, cuts) => {
    const options = { template, truncation, maxLength: 6, locateCuts: true };
    const [cut, whole] = await encode(tokenizer, [item, { response: "four" }], options);
    expect(cut.cuts).toEqual(cuts);
    expect(whole.cuts).toBeUndefined();
  });

  it("refuses a length below the special tokens", async () => {
    await expect(encode(tokenizer, [item], { maxLength: 1 })).rejects.toThrow(
      "max_length: expected at least the 2 special tokens",
    );
  });
});

// Rule: TRL's RewardTrainer appends eos to plain texts; here only where the tokenizer does not end texts by itself.
describe("end of sequence", () => {
  const scratch = mkdtempSync(join(tmpdir(), "tokenizer-"));
  afterAll(() => rmSync(scratch, { recursive: true }));
  /** The Llama-style tokenizer, changed. */
  const changed = (settings: object, edit: (definition: any) => void = () => {}) => {
    const dir = mkdtempSync(join(scratch, "x-"));
    cpSync(dirOf("bpe-llama"), dir, { recursive: true });
    const read = (name: string) => JSON.parse(readFileSync(join(dir, name), "utf8"));
    const definition = read("tokenizer.json");
    edit(definition);
    writeFileSync(join(dir, "tokenizer.json"), JSON.stringify(definition));
    writeFileSync(
      join(dir, "tokenizer_config.json"),
      JSON.stringify({ ...read("tokenizer_config.json"), ...settings }),
    );
    return openTokenizer(dir);
  };

  it("is appended by a decoder's tokenizer, kept under truncation, and not in chats", async () => {
    const tokenizer = changed({ pad_token: "<|endoftext|>" });
    const [plain] = await encode(tokenizer, [{ response: "The dog" }]);
    const [cut] = await encode(tokenizer, [{ response: "The lazy dog jumps over and over" }], { maxLength: 3 });
    const [chat] = await encode(tokenizer, [{ prompt: "The dog", response: "jumps" }], { template: "chat" });
    expect([...plain.ids].map((id) => tokenizer.idToToken(id)).filter((token) => token!.startsWith("<|"))).toEqual([
      "<|begin_of_text|>",
      "<|end_of_text|>",
    ]);
    expect([cut.ids[0], cut.ids[2], cut.ids.length]).toEqual([plain.ids[0], tokenizer.eosId, 3]);
    expect([...chat.ids]).not.toContain(tokenizer.eosId);
  });

  // transformers' decoders read the last token that is not padding: were ours another, Python would score otherwise.
  it("never ends a text with the padding token", async () => {
    const tokenizer = changed({ eos_token: "<|eot_id|>", pad_token: "<|eot_id|>" });
    const [chat] = await encode(tokenizer, [{ prompt: "The dog", response: "jumps" }], { template: "chat" });
    expect(tokenizer.appendEos).toBe(false);
    expect([chat.ids.at(-1) === tokenizer.padId, chat.ids.includes(tokenizer.padId)]).toEqual([false, true]);
  });

  it("a special token named for padding pads where none is declared", () => {
    const tokenizer = changed({}, (definition) => (definition.added_tokens[7].content = "<|finetune_right_pad_id|>"));
    expect([tokenizer.padToken, tokenizer.appendEos]).toEqual(["<|finetune_right_pad_id|>", true]);
  });

  it("is left to the post-processor where there is one", () => {
    expect(["all-MiniLM-L6-v2", "bpe-roberta", "unigram"].map((kind) => openTokenizer(dirOf(kind)).appendEos)).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("serves as padding where a tokenizer has none", () => {
    const tokenizer = openTokenizer(dirOf("bpe-llama"));
    expect([tokenizer.padToken, tokenizer.padId]).toEqual(["<|end_of_text|>", tokenizer.eosId]);
  });
});
