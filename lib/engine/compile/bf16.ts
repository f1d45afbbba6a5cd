// In: a program in f32. Out: the same with its matrix products in bfloat16.
//
// Products take most of the time and bf16 instructions halve it. TensorFlow accumulates them in f32; master weights, sums,
// normalisations and the loss stay f32. Casts are shared between readers and move before Reshape, Transpose and ConcatV2,
// so that data is moved in the narrow type.
import { DType } from "../binding";
import { copyNode, createCast, createNode, elementCount, mapProgram, type GraphNode, type GraphValue, type Program } from "./graph";
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
  ["RewardbookGeluGradient", { inputs: [0, 2], outputs: [0] }],
]);

/**
 * A softmax of masked products. The products are rounded to bf16 anyway and the mask adds 0 or a huge number, so nothing
 * is lost by a softmax that reads and writes bf16 (it computes in f32), and half the memory traffic is.
 */
function isAttention(node: GraphNode): boolean {
  if (node.op !== "Softmax" || node.outputs[0].dtype !== DType.F32 || elementCount(node.outputs[0].shape) <= SMALLEST) return false;
  const masked = unreshaped(node.inputs[0]).node;
  const summands = /^Add(V2)?$/.test(masked.op) ? masked.inputs : [node.inputs[0]];
  return summands.some((value) => PRODUCT.has(unreshaped(value).node.op));
}

export function toBf16(program: Program): Program {
  const nodes: GraphNode[] = [];
  const wide = new Map<GraphValue, GraphValue>(); // value of the old program → the same in the new one
  const narrow = new Map<GraphValue, GraphValue>(); // value of the new program → its bf16 copy
  const add = (node: GraphNode): GraphValue => {
    nodes.push(node);
    return node.outputs[0];
  };
  const retyped = (node: GraphNode, inputs: GraphValue[], shape: readonly number[]) => {
    const attributes = { ...node.attributes, T: { kind: "type", value: DType.BF16 } as const };
    return add(createNode({ op: node.op, attributes, inputs, outputs: [[shape, DType.BF16]], backward: node.backward }));
  };
  const toNarrow = (value: GraphValue): GraphValue => {
    const known = narrow.get(value);
    if (known) return known;
    const { node } = value;
    if (node.op === "Cast" && node.inputs[0].dtype === DType.BF16) return node.inputs[0]; // a weight that is kept in bf16
    const result = MOVE.has(node.op)
      ? retyped(node, [...node.inputs.slice(0, -1).map(toNarrow), node.inputs.at(-1)!], value.shape)
      : add(createCast(value, DType.BF16, node.backward));
    narrow.set(value, result);
    return result;
  };
  const fuse = (node: GraphNode, inputs: GraphValue[]) => {
    const narrows = FUSED.get(node.op)!;
    const operands = inputs.map((value, i) => (narrows.inputs.includes(i) ? toNarrow(value) : value));
    const shapeOf = (i: number) => (narrows.copies && i === 1 ? node.outputs[0] : node.outputs[i]).shape;
    const outputs = node.outputs.map(({ dtype }, i) => [shapeOf(i), narrows.outputs.includes(i) ? DType.BF16 : dtype] as const);
    const attributes = { ...node.attributes, T: { kind: "type", value: DType.BF16 } as const };
    const made = createNode({ op: node.op, attributes, inputs: operands, outputs, backward: node.backward });
    nodes.push(made);
    if (narrows.copies) narrow.set(made.outputs[0], made.outputs[1]);
    node.outputs.forEach((value, i) => {
      const output = made.outputs[i];
      if (narrows.copies && i === 1) return; // nobody reads it by itself
      const result = output.dtype === DType.BF16 ? add(createCast(output, DType.F32, node.backward)) : output;
      if (result !== output) narrow.set(result, output);
      wide.set(value, result);
    });
  };
  for (const node of program.nodes) {
    const inputs = node.inputs.map((value) => wide.get(value)!);
    const [out] = node.outputs;
    if (FUSED.has(node.op) && elementCount(out.shape) > SMALLEST) fuse(node, inputs);
    else if (isAttention(node)) {
      const weights = retyped(node, [toNarrow(inputs[0])], out.shape);
      const result = add(createCast(weights, DType.F32, node.backward));
      narrow.set(result, weights);
      wide.set(out, result);
    } else if (PRODUCT.has(node.op) && out.dtype === DType.F32 && elementCount(out.shape) > SMALLEST) {
      const product = retyped(node, inputs.map(toNarrow), out.shape);
      const result = add(createCast(product, DType.F32, node.backward));
      narrow.set(result, product);
      wide.set(out, result);
    } else {
      const copy = copyNode(node, inputs);
      nodes.push(copy);
      node.outputs.forEach((value, i) => wide.set(value, copy.outputs[i]));
    }
  }
  return mapProgram(program, nodes, (value) => wide.get(value)!);
}
