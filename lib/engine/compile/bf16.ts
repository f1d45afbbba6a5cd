// In: a program in f32. Out: the same with its matrix products in bfloat16.
//
// Products take most of the time and bf16 instructions halve it. TensorFlow accumulates them in f32; master weights, sums,
// normalisations and the loss stay f32. Casts are shared between readers and move before Reshape, Transpose and ConcatV2,
// so that data is moved in the narrow type.
import { elementCount } from "../../files/pieces";
import { DType } from "../binding";
import { copyNode, createCast, createNode, mapProgram, type GraphNode, type GraphValue, type Program } from "./graph";
import { unreshaped } from "./softmax";

const PRODUCT: ReadonlySet<string> = new Set(["MatMul", "BatchMatMulV2"]);
const MOVE: ReadonlySet<string> = new Set(["Reshape", "Transpose", "ConcatV2"]);
/** Smaller products (heads, tests) cost more to cast than they save. */
const SMALLEST = 4096;

interface Narrowing {
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** The first output stays f32; the second becomes its bf16 copy. */
  readonly copies?: true;
}

/** Fused kernels: which of their inputs and outputs become bf16. */
const FUSED: ReadonlyMap<string, Narrowing> = new Map([
  ["RewardbookAttention", { inputs: [0, 1, 2], outputs: [0] }],
  ["RewardbookAttentionGradient", { inputs: [0, 1, 2, 4, 6], outputs: [0, 1, 2] }],
  ["RewardbookSelfAttention", { inputs: [0], outputs: [0] }],
  ["RewardbookSelfAttentionGradient", { inputs: [0, 3, 5], outputs: [0] }],
  ["RewardbookAddNorm", { inputs: [0], outputs: [1], copies: true }],
  ["RewardbookAddNormGradient", { inputs: [0], outputs: [1], copies: true }],
  ["RewardbookGelu", { inputs: [0], outputs: [0] }],
  ["RewardbookGeluGradient", { inputs: [0, 2], outputs: [0, 2] }],
]);

/**
 * A softmax of masked products. The products are rounded to bf16 anyway and the mask adds 0 or a huge number, so nothing
 * is lost by a softmax that reads and writes bf16 (it computes in f32), and half the memory traffic is.
 */
function isAttention(node: GraphNode): boolean {
  if (node.op !== "Softmax" || node.outputs[0].dtype !== DType.F32 || elementCount(node.outputs[0].shape) <= SMALLEST)
    return false;
  const masked = unreshaped(node.inputs[0]).node;
  const summands = /^Add(V2)?$/.test(masked.op) ? masked.inputs : [node.inputs[0]];
  return summands.some((value) => PRODUCT.has(unreshaped(value).node.op));
}

/** A program on its way to bf16. */
interface Rewrite {
  /** The new program so far. */
  readonly nodes: GraphNode[];
  /** Value of the old program → the same in the new one. */
  readonly wide: Map<GraphValue, GraphValue>;
  /** Value of the new program → its bf16 copy. */
  readonly narrow: Map<GraphValue, GraphValue>;
}

function add({ nodes }: Rewrite, node: GraphNode): GraphNode {
  nodes.push(node);
  return node;
}

/** The node computing in bf16. */
function addRetyped(
  rewrite: Rewrite,
  node: GraphNode,
  inputs: GraphValue[],
  outputs: (readonly [readonly number[], DType])[],
): GraphNode {
  const attributes = { ...node.attributes, T: { kind: "type", value: DType.BF16 } as const };
  return add(rewrite, createNode({ op: node.op, attributes, inputs, outputs, backward: node.backward }));
}

function toNarrow(rewrite: Rewrite, value: GraphValue): GraphValue {
  const known = rewrite.narrow.get(value);
  if (known) return known;
  const { node } = value;
  if (node.op === "Cast" && node.inputs[0].dtype === DType.BF16) return node.inputs[0]; // a weight that is kept in bf16
  const moved = () => [...node.inputs.slice(0, -1).map((input) => toNarrow(rewrite, input)), node.inputs.at(-1)!];
  const made = MOVE.has(node.op)
    ? addRetyped(rewrite, node, moved(), [[value.shape, DType.BF16]])
    : add(rewrite, createCast(value, DType.BF16, node.backward));
  rewrite.narrow.set(value, made.outputs[0]);
  return made.outputs[0];
}

/** `made` stands for `value` from now on, as f32. */
function replace(rewrite: Rewrite, value: GraphValue, made: GraphValue): void {
  const narrow = made.dtype === DType.BF16 && value.dtype === DType.F32;
  const wide = narrow ? add(rewrite, createCast(made, DType.F32, value.node.backward)).outputs[0] : made;
  if (narrow) rewrite.narrow.set(wide, made);
  rewrite.wide.set(value, wide);
}

/** A product or a softmax: all it reads and writes. */
function narrowAll(rewrite: Rewrite, node: GraphNode, inputs: GraphValue[]): void {
  const [out] = node.outputs;
  const made = addRetyped(
    rewrite,
    node,
    inputs.map((value) => toNarrow(rewrite, value)),
    [[out.shape, DType.BF16]],
  );
  replace(rewrite, out, made.outputs[0]);
}

/** A fused kernel: what its narrowing names. */
function narrowSome(rewrite: Rewrite, node: GraphNode, inputs: GraphValue[], narrows: Narrowing): void {
  const operands = inputs.map((value, i) => (narrows.inputs.includes(i) ? toNarrow(rewrite, value) : value));
  const isCopy = (i: number) => narrows.copies === true && i === 1;
  const outputs = node.outputs.map(
    ({ dtype, shape }, i) =>
      [isCopy(i) ? node.outputs[0].shape : shape, narrows.outputs.includes(i) ? DType.BF16 : dtype] as const,
  );
  const made = addRetyped(rewrite, node, operands, outputs);
  if (narrows.copies) rewrite.narrow.set(made.outputs[0], made.outputs[1]);
  node.outputs.forEach((value, i) => {
    if (!isCopy(i)) replace(rewrite, value, made.outputs[i]); // the copy is read by nobody yet
  });
}

function keep(rewrite: Rewrite, node: GraphNode, inputs: GraphValue[]): void {
  const copy = add(rewrite, copyNode(node, inputs));
  node.outputs.forEach((value, i) => rewrite.wide.set(value, copy.outputs[i]));
}

export function toBf16(program: Program): Program {
  const rewrite: Rewrite = { nodes: [], wide: new Map(), narrow: new Map() };
  for (const node of program.nodes) {
    const inputs = node.inputs.map((value) => rewrite.wide.get(value)!);
    const [out] = node.outputs;
    const isLarge = elementCount(out.shape) > SMALLEST;
    const fused = FUSED.get(node.op);
    if (fused && isLarge) narrowSome(rewrite, node, inputs, fused);
    else if (isAttention(node) || (PRODUCT.has(node.op) && out.dtype === DType.F32 && isLarge))
      narrowAll(rewrite, node, inputs);
    else keep(rewrite, node, inputs);
  }
  return mapProgram(program, rewrite.nodes, (value) => rewrite.wide.get(value)!);
}
