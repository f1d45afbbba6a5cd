// In: a checkpoint's tokenizer.json. Out: the same for runtimes that take special tokens of user text for special tokens.

import type { Tokenizer } from "../text/tokenizer";
import { isChat } from "../text/template";
import { readTokenizerFiles, type TokenizerDefinition } from "../text/tokenizerFiles";

type Json = Readonly<Record<string, unknown>>;

/**
 * Where the template names no special token, the tokenizer looks for none: `[SEP]` in an answer stays text, as it does
 * when the model is trained. They go from `added_tokens` to the vocabulary, where the post-processor finds them.
 * The end-of-sequence token that Rewardbook appends is appended by the post-processor.
 */
export function exportedTokenizer(tokenizer: Tokenizer, template: string): (json: Json) => Json {
  const { definition } = readTokenizerFiles(tokenizer.dir);
  const named = isChat(template) || tokenizer.specialTexts.some((text) => template.includes(text));
  return (json) => {
    const plain = named ? json : withoutSpecials(json, definition);
    return tokenizer.appendEos ? withEnd(plain, tokenizer) : plain;
  };
}

function withoutSpecials(json: Json, { added_tokens, model }: TokenizerDefinition): Json {
  if (Array.isArray(model.vocab)) return json; // a Unigram makes special tokens of text by their pieces, too
  const special = added_tokens.filter((token) => token.special);
  const vocab = Object.fromEntries([
    ...Object.entries(model.vocab),
    ...special.map(({ content, id }) => [content, id] as const),
  ]);
  return { ...json, added_tokens: added_tokens.filter((token) => !token.special), model: { ...model, vocab } };
}

function withEnd(json: Json, { eosToken, eosId }: Tokenizer): Json {
  const token = { SpecialToken: { id: eosToken, type_id: 0 } };
  const ending = {
    type: "TemplateProcessing",
    single: [{ Sequence: { id: "A", type_id: 0 } }, token],
    pair: [{ Sequence: { id: "A", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }, token],
    special_tokens: { [eosToken!]: { id: eosToken, ids: [eosId], tokens: [eosToken] } },
  };
  const before = json.post_processor as Json | null;
  const processors = before === null || before === undefined ? [ending] : [before, ending];
  return { ...json, post_processor: { type: "Sequence", processors } };
}
