// In: gradients and a learning rate. Out: updated weights, by AdamW with a clipped gradient.
import * as tf from "@tensorflow/tfjs-core";
import { InputError } from "../errors";
import { nativeBackend } from "./binding";
import { compile } from "./compile";
import { fusedAdamW, usesKernels } from "./fusedOps";

export interface AdamWOptions {
  /** Decoupled decay: each step shrinks a weight by learningRate·weightDecay. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Largest global gradient norm; longer gradients are scaled down to it. Infinity for none. */
  readonly gradClip: number;
  /** As in `compile`. */
  readonly xla?: boolean;
  /** Which parameters decay (by custom not biases and normalisations). */
  readonly decays: (name: string) => boolean;
}

export interface AdamW {
  /**
   * One update. Gradients come in the order of the parameters; the caller keeps them and owns the two scalars:
   * `gradNorm` before clipping, and `skipped`, 1 when the norm was not finite and nothing changed, else 0.
   */
  step(gradients: readonly tf.Tensor[], learningRate: number): { gradNorm: tf.Scalar; skipped: tf.Scalar };
  /**
   * The same update as plain ops, for a function that is being compiled.
   *
   * @param losses changes nothing unless these are finite, too
   * @returns the norm before clipping, and `skipped`
   */
  apply(gradients: readonly tf.Tensor[], learningRate: tf.Scalar, losses?: tf.Tensor): tf.Tensor[];
  /** The live state by name: `step`, `exp_avg.NAME`, `exp_avg_sq.NAME`. Save it with the weights to resume exactly. */
  state(): Map<string, tf.Tensor>;
  /** Takes over a saved state. @throws {InputError} when a name is missing or a shape differs. */
  restore(state: ReadonlyMap<string, tf.Tensor>): void;
  dispose(): void;
}

interface Slot {
  readonly name: string;
  readonly parameter: tf.Variable;
  readonly average: tf.Variable;
  readonly square: tf.Variable;
  readonly decays: boolean;
}

/** Numbers of the parameters that one graph updates. */
const GROUP_SIZE = 8e6;
/** Keeps the scale finite for a gradient of zero (torch.nn.utils.clip_grad_norm_ adds the same). */
const CLIP_EPSILON = 1e-6;

/**
 * AdamW: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², w ← w·(1−ηλ) − η·m̂ / (√v̂ + ε), m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ),
 * with g scaled by min(1, clip/‖g‖). A few compiled graphs serve batches of every shape.
 *
 * Reference: Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization, algorithm 2; arithmetic as torch.optim.AdamW.
 *
 * @example
 * ```ts
 * const optimizer = createAdamW(new Map([["w", tf.variable(tf.zeros([2]))]]), {
 *   ...{ weightDecay: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, gradClip: 1 },
 *   decays: () => true,
 * });
 * console.log(optimizer);
 * ```
 */
export function createAdamW(parameters: ReadonlyMap<string, tf.Variable>, options: AdamWOptions): AdamW {
  const zeros = (shape: number[]) => tf.tidy(() => tf.variable(tf.zeros(shape), false));
  const slots: Slot[] = [...parameters].map(([name, parameter]) => ({
    name,
    parameter,
    average: zeros(parameter.shape),
    square: zeros(parameter.shape),
    decays: options.weightDecay > 0 && options.decays(name),
  }));
  const count = tf.tidy(() => tf.variable(tf.scalar(0), false));
  const apply: AdamW["apply"] = (gradients, learningRate, losses) => {
    const { norm, skipped, coefficients } = prepare(count, options, { gradients, learningRate, losses });
    updateSlots(slots, { coefficients, gradients, inPlace: false }); // the graph may have other readers
    return [norm, skipped];
  };
  const begin = compile(
    (learningRate, ...gradients) => {
      const { norm, skipped, coefficients } = prepare(count, options, {
        gradients,
        learningRate: learningRate as tf.Scalar,
      });
      return [norm, skipped, ...coefficients];
    },
    { name: "gradient norm", precision: "f32", xla: false },
  );
  // Without kernels weights and moments live twice while a graph writes the new ones: a few parameters at a time, that is little memory.
  const groups = inGroups(slots).map((members) => ({
    members,
    update: compile(
      (...args) => {
        const [coefficients, gradients] = [args.slice(0, COEFFICIENTS), args.slice(COEFFICIENTS)];
        updateSlots(members, { coefficients, gradients, inPlace: true });
        return [];
      },
      { name: "AdamW", precision: "f32", xla: options.xla, maxGraphs: 1 },
    ),
  }));
  const state = () =>
    new Map<string, tf.Tensor>([
      ["step", count],
      ...slots.flatMap(({ name, average, square }) => [
        [`exp_avg.${name}`, average] as const,
        [`exp_avg_sq.${name}`, square] as const,
      ]),
    ]);
  return {
    step(gradients, learningRate) {
      const rate = tf.scalar(learningRate);
      const [gradNorm, skipped, ...coefficients] = begin(rate, ...gradients);
      let done = 0;
      for (const { members, update } of groups) {
        for (const { parameter, average, square } of members) [parameter, average, square].forEach(unshare);
        update(...coefficients, ...gradients.slice(done, (done += members.length)));
      }
      tf.dispose([rate, ...coefficients]);
      return { gradNorm: gradNorm as tf.Scalar, skipped: skipped as tf.Scalar };
    },
    apply,
    state,
    restore: (saved) => {
      for (const [name, target] of state()) {
        const source = saved.get(name);
        const wanted = `[${target.shape}]`;
        if (!source)
          throw new InputError(
            `optimizer state ${name}: expected a tensor ${wanted}, got none; start without --resume`,
          );
        if (`[${source.shape}]` !== wanted)
          throw new InputError(
            `optimizer state ${name}: expected shape ${wanted}, got [${source.shape}]; resume with the model it was saved with`,
          );
        // A variable that is given itself would dispose of its own values.
        if (source !== target) (target as tf.Variable).assign(source);
      }
    },
    dispose: () => {
      begin.dispose();
      for (const { update } of groups) update.dispose();
      for (const tensor of state().values()) tensor.dispose();
    },
  };
}

/** Parameters in their order, in groups of about so many numbers. */
function inGroups(slots: readonly Slot[]): Slot[][] {
  const groups: Slot[][] = [];
  let room = 0;
  for (const slot of slots) {
    if (slot.parameter.size > room || groups.length === 0) {
      groups.push([]);
      room = GROUP_SIZE;
    }
    groups[groups.length - 1].push(slot);
    room -= slot.parameter.size;
  }
  return groups;
}

/** Gives a variable numbers of its own where a clone, or the tensor it was made of, shares them: an update in place would change that, too. */
function unshare(variable: tf.Variable): void {
  const shared = (nativeBackend()?.tensorMap.get(variable.dataId).refCount ?? 1) > 1;
  if (shared) tf.tidy(() => variable.assign(tf.add(variable, 0)));
}

/** Scalars that `updateSlots` takes. */
const COEFFICIENTS = 8;

/** Counts the step; the norm before clipping, and what all parameters share. */
function prepare(
  count: tf.Variable,
  options: AdamWOptions,
  {
    gradients,
    learningRate,
    losses,
  }: { readonly gradients: readonly tf.Tensor[]; readonly learningRate: tf.Scalar; readonly losses?: tf.Tensor },
): { norm: tf.Tensor; skipped: tf.Tensor; coefficients: tf.Tensor[] } {
  const { beta1, beta2, epsilon, gradClip, weightDecay } = options;
  const norm = tf.sqrt(tf.addN(gradients.map((gradient) => tf.sum(tf.square(gradient)))));
  const finite = tf.isFinite(losses ? tf.add(norm, tf.sum(losses)) : norm);
  const step = tf.add(count, tf.cast(finite, "float32"));
  count.assign(step as never);
  const scale = Number.isFinite(gradClip) ? tf.minimum(1, tf.div(gradClip, tf.add(norm, CLIP_EPSILON))) : tf.scalar(1);
  // 1 − βᵗ = −expm1(t·ln β): exact where 1 − pow(β, t) loses digits
  const correction = (beta: number) => tf.neg(tf.expm1(tf.mul(tf.maximum(step, 1), Math.log(beta))));
  // A step that is skipped runs with coefficients that change nothing, on numbers that are finite. All that is one number
  // a step goes into the coefficients: without fusion each operation on a tensor is a pass through memory.
  const when = (then: tf.Tensor | number, otherwise: number) => tf.where(finite, then, otherwise);
  const root2 = tf.sqrt(correction(beta2));
  const coefficients = [
    finite,
    when(beta1, 1), // kept of the average
    when(beta2, 1), // and of the square
    when(tf.mul(scale, 1 - beta1), 0), // taken of the gradient
    when(tf.mul(tf.square(scale), 1 - beta2), 0), // and of its square
    when(tf.mul(tf.div(learningRate, correction(beta1)), root2), 0),
    tf.mul(root2, epsilon),
    tf.sub(1, when(tf.mul(learningRate, weightDecay), 0)),
  ];
  return { norm, skipped: tf.sub(1, tf.cast(finite, "float32")), coefficients };
}

interface SlotUpdate {
  readonly coefficients: readonly tf.Tensor[];
  readonly gradients: readonly tf.Tensor[];
  /** Whether the kernel may write over parameters and moments. */
  readonly inPlace: boolean;
}

function updateSlots(slots: readonly Slot[], { coefficients, gradients, inPlace }: SlotUpdate): void {
  const [finite, keep1, keep2, take1, take2, rate, floor, shrink] = coefficients;
  if (usesKernels()) {
    const packed = (last: tf.Tensor) => tf.stack([tf.cast(finite, "float32"), ...coefficients.slice(1, -1), last]);
    const [decaying, plain] = [packed(shrink), packed(tf.scalar(1))];
    slots.forEach((slot, i) => {
      const updated = fusedAdamW(slot, gradients[i], { coefficients: slot.decays ? decaying : plain, inPlace })!;
      [slot.parameter, slot.average, slot.square].forEach((variable, k) => variable.assign(updated[k] as never));
    });
    return;
  }
  slots.forEach(({ parameter, average, square, decays }, i) => {
    const gradient = select(finite, gradients[i], average);
    const m = tf.add(tf.mul(average, keep1), tf.mul(gradient, take1));
    const v = tf.add(tf.mul(square, keep2), tf.mul(tf.square(gradient), take2));
    const shrunk = decays ? tf.mul(parameter, shrink) : parameter;
    parameter.assign(tf.sub(shrunk, tf.div(tf.mul(m, rate), tf.add(tf.sqrt(v), floor))) as never);
    average.assign(m as never);
    square.assign(v as never);
  });
}

/** One of two tensors of the same shape. `tf.where` would first make a condition for each number. */
function select(condition: tf.Tensor, then: tf.Tensor, otherwise: tf.Tensor): tf.Tensor {
  if (!nativeBackend()) return tf.where(condition, then, otherwise);
  return tf.engine().runKernel("Select", { condition, t: then, e: otherwise }) as tf.Tensor;
}
