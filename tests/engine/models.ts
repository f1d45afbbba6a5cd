// Small models in plain tfjs for the engine's tests: one BERT-like, one Llama-like, weights in Hugging Face orientation.
import * as tf from "@tensorflow/tfjs-core";

export interface TinyModel {
  readonly parameters: Map<string, tf.Variable>;
  loss(ids: tf.Tensor2D, mask: tf.Tensor2D): tf.Scalar;
  /** Loss and gradients, in the order of the parameters. */
  gradients(ids: tf.Tensor, mask: tf.Tensor): tf.Tensor[];
  dispose(): void;
}

interface Sizes {
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly inner: number;
  readonly vocabulary: number;
  readonly scale: number;
}

const linear = (x: tf.Tensor, w: tf.Tensor) => tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D, false, true);
const heads = (x: tf.Tensor, B: number, T: number, A: number) =>
  tf.transpose(tf.reshape(x, [B, T, A, x.size / (B * T * A)]), [0, 2, 1, 3]);
const merge = (x: tf.Tensor) => tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [x.shape[0] * x.shape[2]!, -1]);
const firstMinusSecond = (r: tf.Tensor, B: number) => tf.sub(tf.slice(r, [0], [B / 2]), tf.slice(r, [B / 2], [B / 2]));

function build(
  shapes: Record<string, number[]>,
  scale: number,
  loss: (p: Map<string, tf.Variable>) => TinyModel["loss"],
): TinyModel {
  let seed = 1;
  const parameters = new Map<string, tf.Variable>();
  for (const [name, shape] of Object.entries(shapes)) {
    const start = name.endsWith("norm") ? 1 : 0;
    const value = tf.tidy(() => tf.add(tf.randomNormal(shape, 0, scale, "float32", seed++), start));
    parameters.set(name, tf.variable(value));
    value.dispose();
  }
  const f = loss(parameters);
  return {
    parameters,
    loss: f,
    gradients: (ids, mask) => {
      const list = [...parameters.values()];
      const { value, grads } = tf.variableGrads(() => f(ids as tf.Tensor2D, mask as tf.Tensor2D), list);
      return [value, ...list.map((p) => grads[p.name])];
    },
    dispose: () => parameters.forEach((p) => p.dispose()),
  };
}

export function bertLike({ layers, width: H, heads: A, inner: I, vocabulary: V, scale }: Sizes): TinyModel {
  const shapes: Record<string, number[]> = {
    words: [V, H],
    positions: [512, H],
    "embedding.norm": [H],
    embeddingBias: [H],
    head: [1, H],
  };
  for (let i = 0; i < layers; i++)
    Object.assign(shapes, {
      [`${i}.q`]: [H, H],
      [`${i}.qb`]: [H],
      [`${i}.k`]: [H, H],
      [`${i}.v`]: [H, H],
      [`${i}.o`]: [H, H],
      [`${i}.ob`]: [H],
      [`${i}.1.norm`]: [H],
      [`${i}.1.bias`]: [H],
      [`${i}.up`]: [I, H],
      [`${i}.upb`]: [I],
      [`${i}.down`]: [H, I],
      [`${i}.2.norm`]: [H],
      [`${i}.2.bias`]: [H],
    });
  return build(shapes, scale, (p) => {
    const w = (name: string) => p.get(name)!;
    const norm = (x: tf.Tensor, gain: tf.Tensor, bias: tf.Tensor) => {
      const d = tf.sub(x, tf.mean(x, -1, true));
      return tf.add(tf.mul(tf.mul(d, tf.rsqrt(tf.add(tf.mean(tf.square(d), -1, true), 1e-12))), gain), bias);
    };
    const gelu = (x: tf.Tensor) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.mul(x, Math.SQRT1_2))));
    return (ids, mask) => {
      const [B, T] = ids.shape;
      const positions = tf.expandDims(tf.slice(w("positions"), [0, 0], [T, H]), 0);
      let x: tf.Tensor = norm(tf.add(tf.gather(w("words"), ids), positions), w("embedding.norm"), w("embeddingBias"));
      x = tf.reshape(x, [B * T, H]);
      const bias = tf.reshape(tf.mul(tf.sub(1, mask), -1e9), [B, 1, 1, T]);
      for (let i = 0; i < layers; i++) {
        const l = (name: string) => w(`${i}.${name}`);
        const [q, k, v] = [tf.add(linear(x, l("q")), l("qb")), linear(x, l("k")), linear(x, l("v"))].map((y) =>
          heads(y, B, T, A),
        );
        const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(H / A));
        const context = merge(tf.matMul(tf.softmax(tf.add(scores, bias)), v));
        x = norm(tf.add(x, tf.add(linear(context, l("o")), l("ob"))), l("1.norm"), l("1.bias"));
        x = norm(tf.add(x, linear(gelu(tf.add(linear(x, l("up")), l("upb"))), l("down"))), l("2.norm"), l("2.bias"));
      }
      const first = tf.reshape(tf.slice(tf.reshape(x, [B, T, H]), [0, 0, 0], [B, 1, H]), [B, H]);
      const scores = tf.reshape(linear(first, w("head")), [B]);
      return tf.mean(tf.softplus(tf.neg(firstMinusSecond(scores, B))));
    };
  });
}

/** RMSNorm, rotary positions, grouped queries, SwiGLU, causal mask; the last position is scored. */
export function llamaLike({ layers, width: H, heads: A, inner: I, vocabulary: V, scale }: Sizes): TinyModel {
  const KV = A / 2;
  const D = H / A;
  const shapes: Record<string, number[]> = { words: [V, H], "final.norm": [H], head: [1, H] };
  for (let i = 0; i < layers; i++)
    Object.assign(shapes, {
      [`${i}.1.norm`]: [H],
      [`${i}.q`]: [H, H],
      [`${i}.k`]: [KV * D, H],
      [`${i}.v`]: [KV * D, H],
      [`${i}.o`]: [H, H],
      [`${i}.2.norm`]: [H],
      [`${i}.gate`]: [I, H],
      [`${i}.up`]: [I, H],
      [`${i}.down`]: [H, I],
    });
  const rms = (x: tf.Tensor, gain: tf.Tensor) =>
    tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-6))), gain);
  return build(shapes, scale, (p) => (ids, mask) => {
    const w = (name: string) => p.get(name)!;
    const [B, T] = ids.shape;
    const angles = Float32Array.from(
      { length: T * D },
      (_, n) => Math.floor(n / D) * 10000 ** ((-2 * (n % (D / 2))) / D),
    );
    const cos = tf.tensor(angles.map(Math.cos), [1, 1, T, D]);
    const sin = tf.tensor(angles.map(Math.sin), [1, 1, T, D]);
    const rotate = (x: tf.Tensor) => {
      const [a, b] = tf.split(x, 2, 3);
      return tf.add(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(b), a], 3), sin));
    };
    const repeat = (x: tf.Tensor) =>
      tf.reshape(tf.tile(tf.reshape(x, [B * KV, 1, T, D]), [1, A / KV, 1, 1]), [B, A, T, D]);
    const causal = tf.tensor(
      Float32Array.from({ length: T * T }, (_, n) => (n % T > Math.floor(n / T) ? -1e9 : 0)),
      [1, 1, T, T],
    );
    const bias = tf.add(causal, tf.reshape(tf.mul(tf.sub(1, mask), -1e9), [B, 1, 1, T]));
    let x: tf.Tensor = tf.reshape(tf.gather(w("words"), ids), [B * T, H]);
    for (let i = 0; i < layers; i++) {
      const l = (name: string) => w(`${i}.${name}`);
      const h = rms(x, l("1.norm"));
      const q = rotate(heads(linear(h, l("q")), B, T, A));
      const k = repeat(rotate(heads(linear(h, l("k")), B, T, KV)));
      const v = repeat(heads(linear(h, l("v")), B, T, KV));
      const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(D));
      x = tf.add(x, linear(merge(tf.matMul(tf.softmax(tf.add(scores, bias)), v)), l("o")));
      const z = rms(x, l("2.norm"));
      const gate = linear(z, l("gate"));
      x = tf.add(x, linear(tf.mul(tf.mul(gate, tf.sigmoid(gate)), linear(z, l("up"))), l("down")));
    }
    const last = tf.reshape(tf.slice(tf.reshape(x, [B, T, H]), [0, T - 1, 0], [B, 1, H]), [B, H]);
    const scores = tf.reshape(linear(rms(last, w("final.norm")), w("head")), [B]);
    return tf.mean(tf.softplus(tf.neg(firstMinusSecond(scores, B))));
  });
}

/** Token ids and a mask whose odd rows are shorter (left of the last position, so that a decoder's head is not masked). */
export function batch(
  B: number,
  T: number,
  vocabulary: number,
  padded = Math.floor(T / 4),
): [tf.Tensor2D, tf.Tensor2D] {
  const ids = tf.randomUniform<tf.Rank.R2>([B, T], 0, vocabulary, "int32", 3);
  const mask = Float32Array.from({ length: B * T }, (_, n) =>
    Math.floor(n / T) % 2 === 1 && n % T > 0 && n % T <= padded ? 0 : 1,
  );
  return [ids, tf.tensor2d(mask, [B, T])];
}

/** ‖a − b‖ / ‖b‖ over all tensors together. */
export function relativeL2(a: readonly tf.Tensor[], b: readonly tf.Tensor[]): number {
  let [difference, norm] = [0, 0];
  a.forEach((x, i) => {
    const [p, q] = [x.dataSync(), b[i].dataSync()];
    for (let j = 0; j < p.length; j++) {
      difference += (p[j] - q[j]) ** 2;
      norm += q[j] ** 2;
    }
  });
  return Math.sqrt(difference / norm);
}
