// In: a folder with a tokenizer, a seed, the first and the last mutation. Out: a line a mutation on stdout: its number
// before it is tried, then "opened", "refused" or an unclear error. The process that the engine aborts has said which it was.
const { mkdtempSync, copyFileSync, existsSync, readFileSync, rmSync, writeFileSync, writeSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const { openTokenizer } = require("../../dist/lib/text/tokenizer");
const { InputError, UsageError } = require("../../dist/lib/errors");
const { createRandom } = require("../../dist/lib/random");

const [source, seed, from, to] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const say = (text) => writeSync(1, text);
const original = readFileSync(join(source, "tokenizer.json"), "utf8");
const TYPES =
  "WordPiece WordLevel BPE Unigram BertNormalizer Sequence NFC Lowercase Replace Prepend Strip Precompiled BertPreTokenizer ByteLevel Metaspace Whitespace Split Punctuation Digits TemplateProcessing RobertaProcessing BertProcessing Fuse ByteFallback".split(
    " ",
  );
const NUMBERS = [-1, 0, 1, 2, 7, 99, 1e6, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 1e18, 0.5, -0.5];

/** All places of a JSON value; of long lists and objects only some. */
function places(value, random, found = [], depth = 0) {
  if (typeof value !== "object" || value === null) return found;
  const keys = Object.keys(value);
  const some = keys.length > 40 ? Array.from({ length: 6 }, () => keys[random.integer(keys.length)]) : keys;
  for (const key of some) {
    found.push([value, key]);
    places(value[key], random, found, depth + 1);
  }
  return found;
}

function mutateText(text, random) {
  const at = random.integer(text.length + 1);
  const letter = String.fromCodePoint([82, 65, 32, 0, 0x23, 0xe9, 0x1f600, 0x5b, 0x28, 0x2581][random.integer(10)]);
  return [
    text.slice(0, at) + letter + text.slice(at + 1),
    text.slice(0, at) + letter + text.slice(at),
    text.slice(0, at) + text.slice(at + 1),
    "",
    TYPES[random.integer(TYPES.length)],
  ][random.integer(5)];
}

function mutate(json, random) {
  const found = places(json, random);
  const [holder, key] = found[random.integer(found.length)];
  const value = holder[key];
  const other = () => {
    const [object, name] = found[random.integer(found.length)];
    return structuredClone(object[name]);
  };
  const put = (next) =>
    Object.defineProperty(holder, key, { value: next, enumerable: true, writable: true, configurable: true });
  const action = random.integer(8);
  if (action === 0 && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (action === 0) delete holder[key];
  else if (action === 1) put([null, {}, [], "", true, false, -1][random.integer(7)]);
  else if (action === 2) put(other());
  else if (typeof value === "string") put(mutateText(value, random));
  else if (typeof value === "number") put(NUMBERS[random.integer(NUMBERS.length)]);
  else if (typeof value === "boolean") put(!value);
  else if (Array.isArray(value)) put(random.integer(2) ? [...value, ...value.slice(0, 1)] : value.slice(1));
  else if (typeof value === "object" && value !== null) {
    const names = Object.keys(value);
    if (names.length > 0) delete value[names[random.integer(names.length)]];
  } else put(other());
}

async function main() {
  const dir = mkdtempSync(join(tmpdir(), "fuzz-"));
  for (const name of ["tokenizer_config.json", "special_tokens_map.json"])
    if (existsSync(join(source, name))) copyFileSync(join(source, name), join(dir, name));
  const items = ["Hello wörld, 123 don't", "", "日本 [CLS] <s> 😀 \u0000 a\u0301", "x".repeat(300)].map((response) => ({
    prompt: "Why? <unk>",
    response,
  }));
  for (let i = from; i < to; i++) {
    const random = createRandom(seed * 1e6 + i);
    const json = JSON.parse(original);
    for (let n = 1 + random.integer(2); n > 0; n--) mutate(json, random);
    writeFileSync(join(dir, "tokenizer.json"), JSON.stringify(json));
    say(`${i} `);
    if (process.env.SHOW) copyFileSync(join(dir, "tokenizer.json"), process.env.SHOW);
    try {
      const tokenizer = openTokenizer(dir);
      const encoded = await tokenizer.encode(items, {
        template: "Q: {prompt}\n\nA: {response}",
        maxLength: 64,
        truncation: "right",
      });
      for (const { ids } of encoded) tokenizer.idToToken(ids[0]);
      say("opened\n");
    } catch (error) {
      const known = error instanceof InputError || error instanceof UsageError;
      say(
        known && error.message.startsWith(dir)
          ? "refused\n"
          : `unclear ${String(error.stack).replaceAll("\n", " | ")}\n`,
      );
    }
  }
  rmSync(dir, { recursive: true });
}

void main();
