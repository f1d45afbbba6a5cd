// In: a tokenizer's definition. Out: the same tokenizer in which no text can spell a special token.
import { randomBytes } from "node:crypto";
import type { TokenizerDefinition } from "./tokenizerFiles";

/** Special tokens under secret names: what a user writes stays text, what a template writes becomes the token. */
export interface SpecialTokens {
  /** Definition for the engine, in which every special token goes by its secret name. */
  readonly definition: object;
  /** Ids of all special tokens. */
  readonly ids: ReadonlySet<number>;
  /** Their texts. */
  readonly contents: readonly string[];
  /** Whether the model never makes one of them from pieces: a Unigram's vocabulary, or a merge, may spell them. */
  readonly plain: boolean;
  /** Gives the special tokens of a trusted text their secret names. */
  withSecretNames(text: string): string;
  /** Sets special-token text in user data aside while a chat template gets its secret names; `putBack` undoes it. */
  setAside(text: string): string;
  putBack(text: string): string;
  /** The text with its special tokens spelt out again. */
  withOwnNames(text: string): string;
}

/**
 * Renames every special token to a name with 64 random bits, in the added tokens and in the model's vocabulary.
 *
 * The npm engine lacks Python's `encode_special_tokens = True`. Renaming gives its ids and closes the hole it leaves:
 * a Unigram or BPE model that has `<s>` among its pieces makes the token from user text even then.
 */
export function nameSecretly(definition: TokenizerDefinition): SpecialTokens {
  const nonce = randomBytes(8).toString("hex");
  const special = definition.added_tokens.filter((token) => token.special && token.content !== "");
  const secrets = new Map(special.map(({ content }, i) => [content, `${nonce}x${i}x`]));
  const contents = [...secrets.keys()];
  const longestFirst = [...contents].sort((a, b) => b.length - a.length);
  const anySpecial = new RegExp(
    longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")).join("|") || "(?!)",
    "g",
  );
  const aside = new RegExp(`${nonce}y(\\d+)y`, "g"),
    secret = new RegExp(`${nonce}x(\\d+)x`, "g");
  return {
    definition: renamed(definition, secrets),
    ids: new Set(special.map((token) => token.id)),
    contents,
    plain: staysText(definition, secrets),
    withSecretNames: (text) => text.replace(anySpecial, (content) => secrets.get(content)!),
    setAside: (text) => text.replace(anySpecial, (content) => `${nonce}y${contents.indexOf(content)}y`),
    putBack: (text) => text.replace(aside, (_, i) => contents[Number(i)]),
    withOwnNames: (text) => text.replace(secret, (_, i) => contents[Number(i)]),
  };
}

function staysText({ model }: TokenizerDefinition, secrets: ReadonlyMap<string, string>): boolean {
  if (model.type === "WordPiece") return true;
  const merged = (merge: string | [string, string]) =>
    typeof merge === "string" ? merge.replace(" ", "") : merge.join("");
  return (
    model.type === "BPE" && !model.ignore_merges && !(model.merges ?? []).some((merge) => secrets.has(merged(merge)))
  );
}

function renamed(definition: TokenizerDefinition, secrets: ReadonlyMap<string, string>): object {
  const { model } = definition;
  const name = (token: string) => secrets.get(token) ?? token;
  // fromEntries, not assignment: a piece may be called __proto__
  const vocab = Array.isArray(model.vocab)
    ? model.vocab.map(([piece, score]) => [name(piece), score])
    : Object.fromEntries(Object.entries(model.vocab).map(([piece, id]) => [name(piece), id]));
  const merges = model.merges?.filter((merge) => {
    const [left, right] = typeof merge === "string" ? merge.split(" ") : merge;
    return !secrets.has(left) && !secrets.has(right) && !secrets.has(left + right);
  });
  return {
    ...definition,
    truncation: null,
    padding: null,
    added_tokens: definition.added_tokens.map((token) =>
      token.special ? { ...token, content: name(token.content) } : token,
    ),
    model: {
      ...model,
      vocab,
      ...(merges && { merges }),
      ...(model.unk_token != null && { unk_token: name(model.unk_token) }),
    },
  };
}
