// In: a policy and prompts. Out: answers drawn from it, token by token, with a key-value cache.
import * as tf from "@tensorflow/tfjs-core";
import { yieldToEvents } from "../interrupt";
import { attention } from "../models/attention";
import { linear, pickRows, rmsNorm, type Forward } from "../models/layers";
import { afterAttention, positioned, rotationOf, type Rotation } from "../models/llama";
import { createRandom, type Random } from "../random";
import type { AnswerIds } from "./logProbabilities";
import { forwardOf, outputTable, type Policy } from "./policy";

export interface SampleOptions {
  /** Divides the logits; 0 takes the most probable token. */
  readonly temperature?: number;
  /** Most tokens of an answer. */
  readonly maxNewTokens?: number;
  readonly seed: number;
  /** Prompts that are answered at once (memory). */
  readonly rowsAtOnce?: number;
  readonly onProgress?: (done: number, total: number) => void;
}

/** One answer of a policy. */
export interface SampledAnswer extends AnswerIds {
  readonly text: string;
}

/** Keys and values of the tokens so far, [B, T, keyValueHeads·D] each, layer by layer. */
type Cache = { key: tf.Tensor3D; value: tf.Tensor3D }[];

/** Finite, so that a row of padding alone gives no NaN. */
const HIDDEN = -1e9;

/**
 * Draws one answer for each prompt; give a prompt n times for n answers. The same seed gives the same answers, whatever
 * the other prompts are.
 *
 * @param prompts as token ids, such as `encodePrompts` makes them
 * @example
 * ```ts
 * const prompts = await encodePrompts(policy, ["2 + 2?"], "{prompt} {response}");
 * const [answer] = await sampleAnswers(policy, prompts, { temperature: 0.7, maxNewTokens: 64, seed: 1 });
 * console.log(answer.text);
 * ```
 */
export async function sampleAnswers(
  policy: Policy,
  prompts: readonly (readonly number[])[],
  options: SampleOptions,
): Promise<SampledAnswer[]> {
  const { rowsAtOnce = 64, seed, onProgress } = options;
  const answers: number[][] = [];
  for (let from = 0; from < prompts.length; from += rowsAtOnce) {
    const some = prompts.slice(from, from + rowsAtOnce);
    const randoms = some.map((_, i) => createRandom(seed * 1_000_003 + from + i));
    answers.push(...tf.tidy(() => decode(policy, some, { ...options, randoms })));
    onProgress?.(answers.length, prompts.length);
    await yieldToEvents();
  }
  const eos = policy.tokenizer.eosId;
  return Promise.all(
    answers.map(async (answer, i) => ({
      prompt: prompts[i],
      answer,
      text: (await policy.tokenizer.decode(answer.filter((id) => id !== eos))).trim(),
    })),
  );
}

interface DecodeOptions extends SampleOptions {
  readonly randoms: readonly Random[];
}

/** The loop: read the prompts once, then one token of every row at a time. Rows are padded on the left. */
function decode(policy: Policy, prompts: readonly (readonly number[])[], options: DecodeOptions): number[][] {
  const { temperature = 1, maxNewTokens = 96, randoms } = options;
  const { config, tokenizer } = policy;
  const T = Math.max(...prompts.map((prompt) => prompt.length));
  const most = Math.min(maxNewTokens, config.maxPositions - T);
  const rotation = rotationOf(config, T + most);
  const answers: number[][] = prompts.map(() => []);
  let next = prompts.flatMap((prompt) => [...new Array<number>(T - prompt.length).fill(tokenizer.padId), ...prompt]);
  const hidden = prompts.flatMap((prompt) => Array.from({ length: T }, (_, t) => (t < T - prompt.length ? HIDDEN : 0)));
  let padding: tf.Tensor2D = tf.tensor2d(hidden, [prompts.length, T]);
  let cache: Cache | null = null;
  const open = new Set(prompts.keys());
  for (let done = 0; done < most && open.size > 0; done++) {
    const ids = tf.tensor2d(next, [prompts.length, next.length / prompts.length], "int32");
    const step = tf.tidy(() => ({
      ...readTokens(policy, ids, { cache, padding, rotation }),
      padding: tf.pad(padding, [
        [0, 0],
        [0, 1],
      ]),
    }));
    const logits = step.logits.dataSync() as Float32Array;
    next = prompts.map((_, b) => {
      const row = logits.subarray(b * config.vocabSize, (b + 1) * config.vocabSize);
      const token = open.has(b) ? drawToken(row, temperature, randoms[b].next()) : tokenizer.padId;
      if (open.has(b)) answers[b].push(token);
      if (token === tokenizer.eosId) open.delete(b);
      return token;
    });
    tf.dispose([ids, step.logits, padding, ...(cache ?? []).flatMap(({ key, value }) => [key, value])]);
    ({ cache, padding } = step);
  }
  return answers;
}

interface ReadState {
  readonly cache: Cache | null;
  /** [B, T]: 0 where a token may be seen, very negative on padding; T counts cached and new tokens. */
  readonly padding: tf.Tensor2D;
  /** Of all positions. */
  readonly rotation: Rotation;
}

/** Reads new tokens [B, N] behind those of the cache. @returns logits of the last token [B, V] and the longer cache */
export function readTokens(
  policy: Policy,
  ids: tf.Tensor2D,
  { cache, padding, rotation }: ReadState,
): { logits: tf.Tensor2D; cache: Cache } {
  const forward = forwardOf(policy);
  const { config } = policy;
  const [B, N] = ids.shape;
  const T = padding.shape[1];
  const bias = biasOf(padding, N);
  const at = rotationAt(rotation, T - N, N);
  const rows = tf.gather(policy.parameters.get("model.embed_tokens.weight")!, ids);
  let x = tf.reshape(rows, [B * N, config.hiddenSize]) as tf.Tensor2D;
  const longer = Array.from({ length: config.layers }, (_, i) => {
    const layer = `model.layers.${i}`;
    const normed = rmsNorm(forward, x, `${layer}.input_layernorm`);
    const query = positioned(forward, normed, { layer, name: "q", B, rotation: at });
    const own = keysAndValues(forward, normed, { layer, B, rotation: at });
    const key = cache ? tf.concat3d([cache[i].key, own.key], 1) : own.key;
    const value = cache ? tf.concat3d([cache[i].value, own.value], 1) : own.value;
    const flat = (states: tf.Tensor3D) => tf.reshape(states, [B * T, states.shape[2]]) as tf.Tensor2D;
    const mixed = attention(forward, { query, key: flat(key), value: flat(value), bias, causal: true });
    x = afterAttention(forward, x, mixed, layer);
    return { key, value };
  });
  const last = tf.tensor1d(Int32Array.from({ length: B }, (_, b) => b * N + N - 1));
  const states = rmsNorm(forward, pickRows(x, last), "model.norm");
  return { logits: tf.matMul(states, outputTable(policy) as unknown as tf.Tensor2D, false, true), cache: longer };
}

function keysAndValues(
  forward: Forward,
  normed: tf.Tensor2D,
  { layer, B, rotation }: { readonly layer: string; readonly B: number; readonly rotation: Rotation },
): { key: tf.Tensor3D; value: tf.Tensor3D } {
  const byText = (states: tf.Tensor2D) => tf.reshape(states, [B, -1, states.shape[1]]) as tf.Tensor3D;
  return {
    key: byText(positioned(forward, normed, { layer, name: "k", B, rotation })),
    value: byText(linear(forward, normed, `${layer}.self_attn.v_proj`)),
  };
}

/** [B, 1, N, T]: padding and the future are hidden from the N newest of T tokens. */
function biasOf(padding: tf.Tensor2D, N: number): tf.Tensor4D {
  const [B, T] = padding.shape;
  const ask = tf.reshape(tf.range(T - N, T), [N, 1]);
  const future = tf.cast(tf.greater(tf.reshape(tf.range(0, T), [1, T]), ask), "float32");
  return tf.add(tf.reshape(padding, [B, 1, 1, T]), tf.reshape(tf.mul(future, HIDDEN), [1, 1, N, T]));
}

function rotationAt({ cosine, sine }: Rotation, from: number, count: number): Rotation {
  const rows = (table: tf.Tensor) => tf.slice(table, [from, 0, 0], [count, 1, table.shape[2]!]);
  return { cosine: rows(cosine), sine: rows(sine) };
}

/** The token whose share of the distribution holds the uniform number `at`. */
export function drawToken(logits: Float32Array, temperature: number, at: number): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  if (temperature === 0) return best;
  const power = (i: number) => Math.exp((logits[i] - logits[best]) / temperature);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += power(i);
  let left = at * sum;
  for (let i = 0; i < logits.length; i++) if ((left -= power(i)) < 0) return i;
  return best;
}

/**
 * Token ids of prompts, up to where the answer begins; of a long one the end, so that half of the model's length is left.
 *
 * @example
 * ```ts
 * console.log(await encodePrompts(policy, ["2 + 2?"], "Question: {prompt}\nAnswer: {response}"));
 * ```
 */
export async function encodePrompts(
  { tokenizer, config }: Policy,
  prompts: readonly string[],
  template: string,
): Promise<number[][]> {
  const items = prompts.map((prompt) => ({ prompt, response: "" }));
  const options = { template, maxLength: Math.floor(config.maxPositions / 2), truncation: "left" } as const;
  return (await tokenizer.encode(items, options)).map(({ ids }) => Array.from(ids));
}

/**
 * Token ids of answers with the end of sequence.
 *
 * @example
 * ```ts
 * console.log(await encodeAnswers(policy, ["It is four."]));
 * ```
 */
export async function encodeAnswers({ tokenizer, config }: Policy, answers: readonly string[]): Promise<number[][]> {
  const items = answers.map((response) => ({ prompt: "", response }));
  const options = { template: "{response}", maxLength: config.maxPositions, truncation: "right" } as const;
  const end = tokenizer.eosId === null ? [] : [tokenizer.eosId];
  return (await tokenizer.encode(items, options)).map(({ ids }) => [...ids, ...end]);
}
