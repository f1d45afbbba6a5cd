// In: a tokenizer, a session of onnxruntime and how texts are made (texts.json). Out: rewards, as `rewardbook score` gives them.
// Runs in browsers and in Node.

/**
 * @param {object} parts
 * @param {{encode(text: string, options: object): {ids: number[]}}} parts.tokenizer of @huggingface/tokenizers
 * @param {object} parts.session onnxruntime's session of the exported model
 * @param {Function} parts.Tensor onnxruntime's class
 * @param {{template: string, maxLength: number, truncation: string, head: number[], tail: number[], padId: number}} parts.texts
 * @returns {(prompt: string, answer: string) => Promise<{reward: number, tokens: number, cut: number}>}
 */
export function createReward({ tokenizer, session, Tensor, texts }) {
  return async (prompt, answer) => {
    const { ids, cut } = encode(tokenizer, texts, prompt, answer);
    const row = (values) => new Tensor("int64", BigInt64Array.from(values, BigInt), [1, ids.length]);
    const feeds = { input_ids: row(ids), attention_mask: row(ids.map(() => 1)) };
    if (session.inputNames.includes("token_type_ids")) feeds.token_type_ids = row(ids.map(() => 0));
    const { logits } = await session.run(feeds);
    const [reward] = logits.data;
    if (!Number.isFinite(reward)) throw new Error(`the model gave ${reward}`);
    return { reward, tokens: ids.length, cut };
  };
}

/** Token ids of a text: the tokenizer's own around what fits. */
function encode(tokenizer, { template, maxLength, truncation, head, tail, padId }, prompt, answer) {
  const parts = template.split(/(\{prompt\}|\{response\})/);
  const text = parts.map((part) => (part === "{prompt}" ? prompt : part === "{response}" ? answer : part)).join("");
  const body = tokenizer.encode(text.replace(/\p{Surrogate}/gu, "\uFFFD"), { add_special_tokens: false }).ids;
  const room = maxLength - head.length - tail.length;
  const cut = Math.max(0, body.length - room);
  if (cut > 0 && (truncation === "prompt-first" || !template.endsWith("{response}")))
    throw new Error(`this text has ${body.length} tokens, ${cut} too many`);
  const kept = truncation === "left" ? body.slice(cut) : body.slice(0, room);
  const ids = [...head, ...kept, ...tail];
  return { ids: ids.length > 0 ? ids : [padId], cut };
}
