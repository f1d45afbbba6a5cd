// In: prompts as token ids. Out: what a policy goes on with, token by token, with a key-value cache.
import * as tf from "@tensorflow/tfjs-core";
import { yieldToEvents } from "../interrupt";
import { attention } from "../models/attention";
import { linear, pickRows, rmsNorm, type Forward } from "../models/layers";
import { afterAttention, positioned, rotationOf, type Rotation } from "../models/llama";
import type { Random } from "../random";
import { forwardOf, outputTable, type Policy } from "./policy";

/** Keys and values of the tokens so far, [B, T, keyValueHeads·D] each, layer by layer. */
type Cache = { key: tf.Tensor3D; value: tf.Tensor3D }[];

/** Finite, so that a row of padding alone gives no NaN. */
const HIDDEN = -1e9;

export interface DecodeOptions {
  /** Divides the logits; 0 takes the most probable token. */
  readonly temperature: number;
  /** Most tokens of an answer. */
  readonly maxNewTokens: number;
  /** One for each row. */
  readonly randoms: readonly Random[];
  readonly signal: AbortSignal;
}

interface DecodeState {
  readonly cache: Cache | null;
  readonly padding: tf.Tensor2D;
}

const tensorsOf = ({ cache, padding }: DecodeState): tf.Tensor[] => [
  padding,
  ...(cache ?? []).flatMap(({ key, value }) => [key, value]),
];

/**
 * The loop: read the prompts once, then one token of every row at a time. Rows are padded on the left.
 *
 * @throws the signal's reason, between two tokens
 */
export async function decode(
  policy: Policy,
  prompts: readonly (readonly number[])[],
  options: DecodeOptions,
): Promise<number[][]> {
  const { temperature, maxNewTokens, randoms, signal } = options;
  const { config, tokenizer } = policy;
  const T = Math.max(...prompts.map((prompt) => prompt.length));
  const most = Math.min(maxNewTokens, config.maxPositions - T);
  const rotation = tf.tidy(() => ({ ...rotationOf(config, T + most) }));
  const answers: number[][] = prompts.map(() => []);
  let next = prompts.flatMap((prompt) => [...new Array<number>(T - prompt.length).fill(tokenizer.padId), ...prompt]);
  const hidden = prompts.flatMap((prompt) => Array.from({ length: T }, (_, t) => (t < T - prompt.length ? HIDDEN : 0)));
  let state: DecodeState = { cache: null, padding: tf.tensor2d(hidden, [prompts.length, T]) };
  const open = new Set(prompts.keys());
  try {
    for (let done = 0; done < most && open.size > 0; done++) {
      const { logits, ...longer } = readNext(policy, next, { ...state, rotation });
      tf.dispose(tensorsOf(state));
      state = longer;
      next = prompts.map((_, b) => {
        const row = logits.subarray(b * config.vocabSize, (b + 1) * config.vocabSize);
        const token = open.has(b) ? drawToken(row, temperature, randoms[b].next()) : tokenizer.padId;
        if (open.has(b)) answers[b].push(token);
        if (token === tokenizer.eosId) open.delete(b);
        return token;
      });
      await yieldToEvents();
      signal.throwIfAborted();
    }
  } finally {
    tf.dispose([...tensorsOf(state), ...Object.values(rotation)]);
  }
  return answers;
}

/** Reads the rows' next tokens. @returns logits of the last one, [B·V], and the state behind it */
function readNext(policy: Policy, tokens: readonly number[], state: ReadState): DecodeState & { logits: Float32Array } {
  const { padding } = state;
  const rows = padding.shape[0];
  const step = tf.tidy(() => {
    const ids = tf.tensor2d([...tokens], [rows, tokens.length / rows], "int32");
    const onePlaceMore: [number, number][] = [
      [0, 0],
      [0, 1],
    ];
    return { ...readTokens(policy, ids, state), padding: tf.pad(padding, onePlaceMore) };
  });
  const logits = step.logits.dataSync() as Float32Array;
  step.logits.dispose();
  return { ...step, logits };
}

interface ReadState {
  readonly cache: Cache | null;
  /** [B, T]: 0 where a token may be seen, very negative on padding; T counts cached and new tokens. */
  readonly padding: tf.Tensor2D;
  /** Of all positions. */
  readonly rotation: Rotation;
}

/** Reads new tokens [B, N] behind those of the cache. @returns logits of the last token [B, V] and the longer cache */
function readTokens(
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
