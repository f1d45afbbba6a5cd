// In: a layer as a function. Out: its value; on request its inner values are computed again in the backward pass.

import * as tf from "@tensorflow/tfjs-core";
import { isHalf } from "./halfStorage";
import { parameter, stored, type Forward } from "./layers";

/** A layer as a function of its input and of tensors that carry no gradient (masks, rotations). */
type LayerBody = (forward: Forward, x: tf.Tensor2D, constants: readonly tf.Tensor[]) => tf.Tensor2D;

/**
 * Runs a layer; with `recompute`, so that its inner values are not kept for the backward pass but computed again there.
 *
 * @param prefix    what the names of the layer's parameters begin with
 * @param constants tensors made in this call that the layer uses, but its parameters
 * Reference: Chen et al. (2016), Training deep nets with sublinear memory cost, arXiv 1604.06174.
 */
export function runLayer(
  forward: Forward,
  x: tf.Tensor2D,
  { prefix, constants }: { prefix: string; constants: readonly tf.Tensor[] },
  body: LayerBody,
): tf.Tensor2D {
  if (!forward.recompute) return body(forward, x, constants);
  // halves stay outside: they carry no gradient, and their values are made where they are used
  const names = [...forward.parameters.keys()].filter(
    (name) => name.startsWith(prefix) && !isHalf(stored(forward, name)),
  );
  const inputs = [x, ...names.map((name) => parameter(forward, name))];
  const firstPlace = forward.dropout.place;
  const run = ([start, ...values]: tf.Tensor[], rest: readonly tf.Tensor[]) => {
    forward.dropout.place = firstPlace; // the same masks both times
    return body(
      {
        ...forward,
        parameters: new Map([...forward.parameters, ...names.map((name, i) => [name, values[i]] as const)]),
      },
      start as tf.Tensor2D,
      rest,
    );
  };
  const layer = tf.customGrad((...args) => {
    const values = args.slice(0, -1) as tf.Tensor[];
    const save = args[args.length - 1] as tf.GradSaveFunc;
    save([...values, ...constants]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [start, ...values] = saved.slice(0, inputs.length);
      return outsideTape(() =>
        tf.grads((...again) => run(again, saved.slice(inputs.length)))([after(dy, start), ...values], dy),
      );
    };
    return { value: run(values, constants), gradFunc };
  });
  return layer(...inputs) as tf.Tensor2D;
}

/** tfjs forgets the gradient under way when another begins inside it: its tape is put aside meanwhile. */
function outsideTape<T>(gradients: () => T): T {
  const { state } = tf.engine();
  const tape = state.activeTape;
  try {
    return gradients();
  } finally {
    state.activeTape = tape;
  }
}

/** x, but not before `other` is known. The zero added must not be one to a graph optimizer: it would merge both passes. */
function after(other: tf.Tensor, x: tf.Tensor): tf.Tensor {
  const corner = tf.slice(tf.reshape(other, [-1]), [0], [1]);
  return tf.add(x, tf.relu(tf.neg(tf.abs(corner))));
}
