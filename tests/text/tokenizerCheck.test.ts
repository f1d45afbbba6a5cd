// tokenizer.json with a fault: an error naming file and field. The engine ends the process for some of them (docs/upstream).
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { InputError } from "../../lib/errors";
import { openTokenizer } from "../../lib/text/tokenizer";

const goldens = join(__dirname, "..", "goldens", "text");
const scratch = mkdtempSync(join(tmpdir(), "tokenizers-"));
afterAll(() => rmSync(scratch, { recursive: true }));

type Json = Record<string, any>;
/** A copy of a tokenizer with its definition changed. */
function changed(name: string, change: (json: Json) => void): string {
  const dir = mkdtempSync(join(scratch, `${name}-`));
  cpSync(join(goldens, name), dir, { recursive: true });
  const path = join(dir, "tokenizer.json");
  const json = JSON.parse(readFileSync(path, "utf8")) as Json;
  change(json);
  writeFileSync(path, JSON.stringify(json));
  return dir;
}

describe.each<[what: string, tokenizer: string, change: (json: Json) => void, says: string]>([
  ["one letter of a template", "wordpiece", (j) => (j.post_processor.single[0].SpecialToken.id = "[CLR]"), "[CLR]"],
  [
    "a template's token that is no token",
    "wordpiece",
    (j) => (j.post_processor.special_tokens["[CLS]"].tokens = ["[CLR]"]),
    "post_processor.special_tokens",
  ],
  [
    "a template's id of another token",
    "unigram",
    (j) => (j.post_processor.special_tokens["<s>"].ids = [7]),
    "expected the id 0",
  ],
  [
    "an id beyond the vocabulary",
    "bpe-roberta",
    (j) => (j.post_processor.cls = ["<s>", 5_000_000]),
    "post_processor.cls",
  ],
  [
    "a template inside a sequence",
    "bpe-llama",
    (j) => delete j.post_processor.processors[1].special_tokens["<|begin_of_text|>"],
    "post_processor.processors.1",
  ],
  [
    "a prefix that right pieces lack",
    "bpe-metaspace",
    (j) => (j.model.continuing_subword_prefix = "##"),
    "model.merges.0",
  ],
  ["a merge of three", "bpe-roberta", (j) => (j.model.merges[3] = "a b c"), "model.merges.3"],
  ["a negative id", "wordpiece", (j) => (j.model.vocab["[SEP]"] = -3), "[SEP]"],
  ["an unknown piece beyond the list", "unigram", (j) => (j.model.unk_id = 100_000), "model.unk_id"],
  ["a piece without score", "unigram", (j) => (j.model.vocab[9] = ["x"]), "model.vocab.9"],
  ["no table of characters", "unigram", (j) => (j.normalizer = { type: "Precompiled" }), "no precompiled_charsmap"],
  [
    "a torn table of characters",
    "unigram",
    (j) => (j.normalizer.normalizers[0] = { type: "Precompiled", precompiled_charsmap: "AAAAAA==" }),
    "normalizer.normalizers.0",
  ],
  // a trie of two units whose root leads to unit 256
  [
    "a table that leads out of itself",
    "unigram",
    (j) =>
      (j.normalizer = {
        type: "Precompiled",
        precompiled_charsmap: Buffer.from([8, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0]).toString("base64"),
      }),
    "leads out",
  ],
])("%s", (_what, name, change, says) => {
  test(`is named: ${says}`, () => {
    const dir = changed(name, change);
    expect(() => openTokenizer(dir)).toThrow(InputError);
    expect(() => openTokenizer(dir)).toThrow(join(dir, "tokenizer.json"));
    expect(() => openTokenizer(dir)).toThrow(says);
  });
});

test("an unknown piece without a token for it is named when it is met", async () => {
  const dir = changed("wordpiece", (json) => (json.model.unk_token = "[NONE]"));
  const tokenizer = openTokenizer(dir);
  const encoded = tokenizer.encode([{ prompt: "日本", response: "😀" }], {
    template: "{prompt}{response}",
    maxLength: 9,
    truncation: "right",
  });
  await expect(encoded).rejects.toThrow(join(dir, "tokenizer.json"));
});

test("ids with a hole count up to the largest, so that the model's table must reach there", () => {
  expect(openTokenizer(changed("bpe-llama", (json) => (json.model.vocab["!"] = 90_000))).vocabSize).toBe(90_001);
});

// In processes of their own: an abort names the mutation by the last line.
describe.each(["wordpiece", "bpe-roberta", "unigram", "bpe-llama", "bpe-metaspace"])("mutations of %s", (name) => {
  test("are opened or refused by the file's name; none ends the process", () => {
    const script = join(__dirname, "fuzzTokenizers.cjs");
    const child = spawnSync("node", [script, join(goldens, name), "1", "0", "300"], { encoding: "utf8" });
    const lines = child.stdout.trim().split("\n");
    expect({ code: child.status, last: lines.at(-1), stderr: child.stderr }).toEqual({
      code: 0,
      last: expect.stringMatching(/^299 /),
      stderr: "",
    });
    expect(lines.filter((line) => !/^\d+ (opened|refused)$/.test(line))).toEqual([]);
    expect(lines.filter((line) => line.endsWith("opened")).length).toBeGreaterThan(50);
  });
});
