// In: the content of tokenizer.json. Out: nothing, or what is wrong with it, before the engine sees it: some faults do not
// come back from the engine as errors, they end the whole process (docs/upstream/tokenizers-panics.md).
import { InputError } from "../errors";
import { charsmapFault } from "./charsmapCheck";
import { typeName } from "../pairs/faults";

type Fields = Readonly<Record<string, unknown>>;
type Fail = (at: string, expected: string, got: unknown) => never;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isId = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 2 ** 32;
const shown = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : typeName(value);

/**
 * Checks what the engine takes for granted: entries of the vocabulary, parts of the merges, and that each special token
 * of the post-processor is a token with the id that is written there.
 *
 * @returns one more than the largest id
 * @throws InputError naming the file and the field
 */
export function checkTokenizer(definition: Fields, path: string): number {
  const fail: Fail = (at, expected, got) => {
    throw new InputError(`${path}: ${at}: expected ${expected}, got ${shown(got)}; fetch the model again`);
  };
  const model = definition.model as Fields;
  const ids = vocabularyIds(model, fail);
  for (const [i, token] of (definition.added_tokens as readonly { id: number; content: string }[]).entries()) {
    if (!isId(token.id)) fail(`added_tokens.${i}.id`, "an id from 0", token.id);
    ids.set(token.content, token.id);
  }
  checkMerges(model, fail);
  checkProcessor(definition.post_processor, "post_processor", ids, fail);
  checkNormalizer(definition.normalizer, "normalizer", fail);
  let largest = -1;
  for (const id of ids.values()) largest = Math.max(largest, id);
  return largest + 1;
}

/** The id of each piece. A Unigram model lists its pieces with their scores, in the order of their ids. */
function vocabularyIds(model: Fields, fail: Fail): Map<string, number> {
  const ids = new Map<string, number>();
  if (Array.isArray(model.vocab)) {
    for (const [i, entry] of (model.vocab as unknown[]).entries()) {
      if (!Array.isArray(entry) || entry.length !== 2 || typeof entry[0] !== "string" || typeof entry[1] !== "number")
        return fail(`model.vocab.${i}`, "a piece with its score", entry);
      ids.set(entry[0], i);
    }
    const { unk_id: unknown } = model;
    if (unknown != null && !(isId(unknown) && unknown < ids.size))
      fail("model.unk_id", "the place of a piece", unknown);
    return ids;
  }
  const pieces = model.vocab as Fields;
  for (const piece of Object.keys(pieces)) {
    const id = pieces[piece];
    if (!isId(id)) return fail(`model.vocab.${JSON.stringify(piece)}`, "an id from 0", id);
    ids.set(piece, id);
  }
  return ids;
}

/** The engine cuts the prefix of inner pieces off the right part of each merge, whether it is there or not. */
function checkMerges({ merges, continuing_subword_prefix: prefix }: Fields, fail: Fail): void {
  if (merges == null) return;
  if (!Array.isArray(merges)) return fail("model.merges", "a list", merges);
  for (const [i, merge] of (merges as unknown[]).entries()) {
    const parts = typeof merge === "string" ? merge.split(" ") : merge;
    if (!Array.isArray(parts) || parts.length !== 2 || parts.some((part) => typeof part !== "string"))
      return fail(`model.merges.${i}`, "two pieces", merge);
    if (typeof prefix === "string" && !(parts[1] as string).startsWith(prefix))
      return fail(`model.merges.${i}`, `a right piece that begins with ${JSON.stringify(prefix)}`, parts[1]);
  }
}

function checkNormalizer(normalizer: unknown, at: string, fail: Fail): void {
  if (!isFields(normalizer)) return;
  if (Array.isArray(normalizer.normalizers))
    normalizer.normalizers.forEach((part, i) => checkNormalizer(part, `${at}.normalizers.${i}`, fail));
  if (normalizer.type !== "Precompiled") return;
  const fault = charsmapFault(normalizer.precompiled_charsmap);
  if (fault !== null) fail(at, "SentencePiece's table of characters", fault);
}

function checkProcessor(processor: unknown, at: string, ids: ReadonlyMap<string, number>, fail: Fail): void {
  if (!isFields(processor)) return; // none, or the engine says what is wrong
  const token = (place: string, content: unknown, id: unknown) => {
    const known = typeof content === "string" ? ids.get(content) : undefined;
    if (known === undefined) fail(place, "a token of the vocabulary", content);
    if (known !== id) fail(place, `the id ${known} of ${shown(content)}`, id);
  };
  if (Array.isArray(processor.processors))
    processor.processors.forEach((part, i) => checkProcessor(part, `${at}.processors.${i}`, ids, fail));
  for (const role of ["sep", "cls"]) {
    const pair = processor[role];
    if (Array.isArray(pair)) token(`${at}.${role}`, pair[0], pair[1]);
  }
  if ("single" in processor || "pair" in processor) checkTemplate(processor, at, { token, fail });
}

/** The engine looks each special token of a template up in `special_tokens` and does not expect to miss one. */
function checkTemplate(
  processor: Fields,
  at: string,
  { token, fail }: { token: (place: string, content: unknown, id: unknown) => void; fail: Fail },
): void {
  const special = isFields(processor.special_tokens) ? processor.special_tokens : {};
  for (const [name, entry] of Object.entries(special)) {
    const place = `${at}.special_tokens.${JSON.stringify(name)}`;
    const { id, ids, tokens } = isFields(entry) ? entry : fail(place, "a token with its ids", entry);
    if (id !== name) fail(`${place}.id`, shown(name), id);
    if (!Array.isArray(ids) || !Array.isArray(tokens) || ids.length !== tokens.length)
      return fail(place, "as many ids as tokens", ids);
    tokens.forEach((content, i) => token(place, content, ids[i]));
  }
  for (const kind of ["single", "pair"]) {
    const pieces = processor[kind];
    for (const piece of Array.isArray(pieces) ? (pieces as unknown[]) : [pieces]) {
      const name = typeof piece === "string" ? templateName(piece) : specialName(piece);
      if (name !== null && !(typeof name === "string" && Object.hasOwn(special, name)))
        fail(`${at}.${kind}`, `one of the special tokens ${Object.keys(special).map(shown).join(", ")}`, name);
    }
  }
}

const specialName = (piece: unknown): unknown =>
  isFields(piece) && "SpecialToken" in piece ? (isFields(piece.SpecialToken) ? piece.SpecialToken.id : null) : null;

/** The short form of a template, `[CLS]:0` or `$A:1`; null for a text. */
const templateName = (piece: string): string | null => (piece.startsWith("$") ? null : piece.replace(/:\d+$/, ""));
