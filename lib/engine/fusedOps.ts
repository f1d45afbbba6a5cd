// In: tensors while a function is being traced. Out: what the fused kernels of lib/engine/kernels make of them, or null where
// there are none: then the same is computed op by op. Set-up compiles them; they are TensorFlow operations of this project.
import { existsSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { projectPath } from "../files/paths";
import { DType, nativeBackend, type NativeAttribute, type NativeBackend } from "./binding";

/** RB_KERNELS_FILE names another build, such as one with sanitizers. */
const MODULE = process.env.RB_KERNELS_FILE ?? projectPath(".cache", "kernels", "rewardbook_kernels.node");

/** Of the operations: kernels/operations.cc has the same number. */
const REVISION = 2;

let loaded: string | null = null;

/**
 * Registers the kernels with the TensorFlow library that is loaded. RB_KERNELS=0 leaves them out; a name (baseline, avx2,
 * avx512, avx512bf16) asks for that instruction set.
 */
export function loadKernels(): void {
  if (process.env.RB_KERNELS === "0" || !existsSync(MODULE)) return;
  try {
    const found = require(MODULE) as { instructions: string; revision?: number };
    if (found.revision !== REVISION) throw new Error("compiled from sources of another version");
    loaded = found.instructions;
  } catch (error) {
    console.warn(
      `kernels: ${(error as Error).message.split("\n")[0]}; going on without them, slower; run npm run setup`,
    );
  }
}

/** The instruction set of the fused kernels that compiled graphs use, or null without them. */
export function kernelInstructions(): string | null {
  const native = nativeBackend();
  return native && !native.binding.isUsingGpuDevice() ? loaded : null;
}

/** The backend, where the kernels can be used: while a graph is recorded. Eager code is the reference and does without. */
function kernels(): NativeBackend | null {
  const native = kernelInstructions() === null ? null : nativeBackend();
  return native?.binding.recording ? native : null;
}

/** Whether the functions below return a tensor now: for callers whose operands would be work done in vain. */
export const usesKernels = (): boolean => kernels() !== null;

function execute(
  native: NativeBackend,
  op: string,
  attributes: NativeAttribute[],
  inputs: tf.Tensor[],
  outputs: number,
): tf.Tensor[] {
  const type = { name: "T", type: native.binding.TF_ATTR_TYPE, value: DType.F32 };
  const results = native.binding.executeOp(op, [type, ...attributes], native.getInputTensorIds(inputs), outputs);
  return results.map((result) => native.createOutputTensor(result));
}

interface Heads {
  /**
   * [B, T]: 0 on padding, else the number of the text that the token belongs to; tokens see their own text. Causal, it may be
   * [B, 2, T]: then the second row has the number of a text before it, in the same row, which the token's text goes on from and
   * sees as well; 0 where there is none.
   */
  readonly segmentIds: tf.Tensor;
  readonly heads: number;
  readonly keyValueHeads: number;
  /** Tokens see none that come later. */
  readonly causal: boolean;
}

export interface FusedAttention extends Heads {
  /** [B·T, heads·D]. */
  readonly query: tf.Tensor2D;
  /** [B·T, keyValueHeads·D], likewise `value`. */
  readonly key: tf.Tensor2D;
  readonly value: tf.Tensor2D;
}

const headAttributes = (
  { TF_ATTR_INT, TF_ATTR_BOOL }: NativeBackend["binding"],
  { heads, keyValueHeads, causal }: Heads,
): NativeAttribute[] => [
  { name: "heads", type: TF_ATTR_INT, value: heads },
  { name: "key_value_heads", type: TF_ATTR_INT, value: keyValueHeads },
  { name: "causal", type: TF_ATTR_BOOL, value: causal },
];

/**
 * softmax(q·kᵀ/√D)·v within each text, without writing the products to memory; 0 on padding.
 *
 * @returns [B·T, heads·D], or null where the kernels cannot be used
 * Reference: Dao et al. (2022), FlashAttention, arXiv 2205.14135.
 */
export function fusedAttention({ query, key, value, ...rest }: FusedAttention): tf.Tensor2D | null {
  return attend("RewardbookAttention", [query, key, value], rest);
}

export interface FusedSelfAttention extends Heads {
  /** [B·T, (heads + 2·keyValueHeads)·D]: queries, keys and values side by side. */
  readonly product: tf.Tensor2D;
  /** [(heads + 2·keyValueHeads)·D], added to each row. */
  readonly bias: tf.Tensor;
}

/** The same for queries, keys and values that come from one product. */
export function fusedSelfAttention({ product, bias, ...rest }: FusedSelfAttention): tf.Tensor2D | null {
  return attend("RewardbookSelfAttention", [product, bias], rest);
}

function attend(op: string, operands: tf.Tensor[], heads: Heads): tf.Tensor2D | null {
  const native = kernels();
  if (!native) return null;
  const attributes = headAttributes(native.binding, heads);
  const count = operands.length;
  const fused = tf.customGrad((...args) => {
    const inputs = args.slice(0, count) as tf.Tensor[];
    const save = args[count] as unknown as tf.GradSaveFunc;
    const [mixed, logSum] = execute(native, op, attributes, [...inputs, heads.segmentIds], 2);
    save([...inputs, heads.segmentIds, mixed, logSum]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      execute(native, `${op}Gradient`, attributes, [...saved, dy], count);
    return { value: mixed, gradFunc };
  });
  return fused(...operands) as tf.Tensor2D;
}

export interface FusedAddNorm {
  /** [N, H], likewise `residual`. */
  readonly product: tf.Tensor2D;
  readonly residual: tf.Tensor2D;
  /** [H] of the product, then weight and bias of the normalisation. */
  readonly bias: tf.Tensor;
  readonly weight: tf.Tensor;
  readonly beta: tf.Tensor;
  readonly epsilon: number;
}

/** Layer normalisation of product + bias + residual: [N, H], or null where the kernels cannot be used. */
export function fusedAddNorm({ product, residual, bias, weight, beta, epsilon }: FusedAddNorm): tf.Tensor2D | null {
  const native = kernels();
  if (!native) return null;
  const attributes = [{ name: "epsilon", type: native.binding.TF_ATTR_FLOAT, value: epsilon }];
  const norm = tf.customGrad((...args) => {
    const inputs = args.slice(0, 5) as tf.Tensor[];
    const save = args[5] as unknown as tf.GradSaveFunc;
    const [normed, , statistics] = execute(native, "RewardbookAddNorm", attributes, inputs, 3);
    save([...inputs, statistics]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [dx, , ofBias, ofWeight, ofBeta] = execute(
        native,
        "RewardbookAddNormGradient",
        attributes,
        [...saved, dy],
        5,
      );
      return [dx, ofBias, dx.clone(), ofWeight, ofBeta];
    };
    return { value: normed, gradFunc };
  });
  return norm(product, bias, residual, weight, beta) as tf.Tensor2D;
}

/** gelu(product + bias) with the exact Φ: [N, I], or null where the kernels cannot be used. */
export function fusedGelu(product: tf.Tensor2D, bias: tf.Tensor): tf.Tensor2D | null {
  const native = kernels();
  if (!native) return null;
  const gelu = tf.customGrad((...args) => {
    const inputs = args.slice(0, 2) as tf.Tensor[];
    const save = args[2] as unknown as tf.GradSaveFunc;
    save(inputs);
    const [value] = execute(native, "RewardbookGelu", [], inputs, 1);
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        execute(native, "RewardbookGeluGradient", [], [...saved, dy], 3).slice(0, 2), // the third: compile/gelu.ts
    };
  });
  return gelu(product, bias) as tf.Tensor2D;
}

/**
 * One parameter's AdamW update in one pass over memory.
 *
 * @param coefficients [8] finite (1 or 0), then as `prepare` in adamw.ts has them
 * @param inPlace      writes over parameter and moments, which nothing else in the graph may read and nothing outside may share
 * @returns the new parameter and moments, or null where the kernels cannot be used
 */
export function fusedAdamW(
  state: { parameter: tf.Tensor; average: tf.Tensor; square: tf.Tensor },
  gradient: tf.Tensor,
  { coefficients, inPlace }: { readonly coefficients: tf.Tensor; readonly inPlace: boolean },
): tf.Tensor[] | null {
  const native = kernels();
  if (!native) return null;
  return execute(
    native,
    "RewardbookAdamW",
    [{ name: "in_place", type: native.binding.TF_ATTR_BOOL, value: inPlace }],
    [state.parameter, state.average, state.square, gradient, coefficients],
    3,
  );
}
