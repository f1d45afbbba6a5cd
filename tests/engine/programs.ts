// Programs for the pass tests: recorded from tfjs code, and run again through a graph without any further pass.
import * as tf from "@tensorflow/tfjs-core";
import { nativeBackend } from "../../lib/engine/binding";
import { emit } from "../../lib/engine/compile/emit";
import { byteCount, type Program } from "../../lib/engine/compile/graph";
import { findRegions } from "../../lib/engine/compile/regions";
import { loadSession } from "../../lib/engine/compile/session";
import { trace, type TracedFunction } from "../../lib/engine/compile/trace";
import { createRandom } from "../../lib/random";

export const record = (fn: TracedFunction, ...args: tf.Tensor[]): Program => trace(nativeBackend()!, "test", fn, args);

export function execute(program: Program, args: tf.Tensor[], regions = false): tf.Tensor[] {
  const session = loadSession(nativeBackend()!, "test", program, emit(program, { regions }));
  const results = session.run(args);
  session.dispose();
  return results;
}

export const count = (program: Program, op: string): number => program.nodes.filter((node) => node.op === op).length;

/** Bytes that pass from one region to another. */
export function bytesBetweenRegions(program: Program): number {
  const { regionOf } = findRegions(program);
  const crossing = program.nodes.flatMap((node) =>
    node.inputs.filter((value) => regionOf.get(value.node) && regionOf.get(value.node) !== regionOf.get(node)),
  );
  return [...new Set(crossing)].reduce((total, value) => total + byteCount(value), 0);
}

/** Normal numbers of a seed. */
export const normal = (seed: number, shape: number[], scale = 1) => {
  const random = createRandom(seed);
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal() * scale),
    shape,
  );
};

/** ‖a − b‖ / ‖b‖ */
export const relative = (a: tf.Tensor, b: tf.Tensor): number =>
  tf.tidy(() => tf.div(tf.norm(tf.sub(a, b)), tf.norm(b)).dataSync()[0]);
