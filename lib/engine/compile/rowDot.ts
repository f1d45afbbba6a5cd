// In: a program with attention gradients. Out: the same, with the row sums of softmax's gradient taken where rows are short.
//
// The gradient of P = softmax(S) needs Σⱼ dPᵢⱼ·Pᵢⱼ over T keys. With O = P·V and dP = dO·Vᵀ that is Σ_d dOᵢ_d·Oᵢ_d, over the
// D numbers of a head: Σⱼ (Σ_d dOᵢ_d V_jd) Pᵢⱼ = Σ_d dOᵢ_d (Σⱼ Pᵢⱼ V_jd). Holds for any P, so also under dropout.
// Reference: Dao et al. (2022), FlashAttention, arXiv 2205.14135, appendix B.2.
import { elementCount } from "../../files/pieces";
import {
  attribute,
  copyNode,
  createConst,
  createNode,
  replaceFetched,
  type GraphNode,
  type GraphValue,
  type Program,
} from "./graph";
import { DType } from "../binding";
import { createReshape } from "./simplify";
import { constantOf } from "./shapeRules";

/** Looks through reshapes that keep the last dimension, hence the order of rows. */
function strip(value: GraphValue): GraphValue {
  let inner = value;
  while (inner.node.op === "Reshape" && inner.node.inputs[0].shape.at(-1) === value.shape.at(-1))
    inner = inner.node.inputs[0];
  return inner;
}

/** Factors of an element-wise product of equal shapes. */
function factors(value: GraphValue): GraphValue[] {
  const { node } = value;
  const plain =
    node.op === "Mul" && node.inputs.every((input) => elementCount(input.shape) === elementCount(value.shape));
  return plain ? node.inputs.flatMap((input) => factors(strip(input))) : [value];
}

const isProduct = (node: GraphNode, transposed: boolean): boolean =>
  node.op === "BatchMatMulV2" && !attribute(node, "adj_x") && attribute(node, "adj_y") === transposed;

const sameMembers = (a: readonly GraphValue[], b: readonly GraphValue[]): boolean =>
  a.length === b.length && a.every((value) => b.includes(value));

/** dO and O, when `summed` is dP∘P in the sense above. */
function shortForm(summed: GraphValue, products: readonly GraphNode[]): { dO: GraphValue; O: GraphValue } | null {
  const all = factors(summed);
  for (const dP of all) {
    if (!isProduct(dP.node, true)) continue;
    const [dO, V] = dP.node.inputs;
    const rest = all.filter((value) => value !== dP);
    const forward = products.find(
      (node) => isProduct(node, false) && node.inputs[1] === V && sameMembers(factors(strip(node.inputs[0])), rest),
    );
    if (forward && elementCount(dO.shape) < elementCount(dP.shape)) return { dO, O: forward.outputs[0] };
  }
  return null;
}

export function shortenRowDots(program: Program): Program {
  const products = program.nodes.filter((node) => node.op === "BatchMatMulV2");
  const inserted = new Map<GraphNode, GraphNode[]>();
  const replaced = new Map<GraphValue, GraphValue>();
  for (const node of program.nodes) {
    if (node.op !== "Sum") continue;
    const [summed, axes] = node.inputs;
    const rank = summed.shape.length;
    const overLast = constantOf(axes).length === 1 && (constantOf(axes)[0] + rank) % rank === rank - 1;
    const found = overLast ? shortForm(summed, products) : null;
    if (!found) continue;
    const made = rowDot(found.dO, found.O, node);
    inserted.set(node, made);
    replaced.set(node.outputs[0], made.at(-1)!.outputs[0]);
  }
  if (replaced.size === 0) return program;
  const nodes = program.nodes.flatMap((node) => inserted.get(node) ?? [node]);
  for (const node of nodes) node.inputs = node.inputs.map((value) => replaced.get(value) ?? value);
  const replace = (value: GraphValue) => replaced.get(value) ?? value;
  return replaceFetched({ ...program, nodes }, replace);
}

/** Σ over the last axis of a∘b, in the shape that `sum` had. */
function rowDot(a: GraphValue, b: GraphValue, sum: GraphNode): GraphNode[] {
  const { backward } = sum;
  const product = createNode({
    op: "Mul",
    attributes: { T: { kind: "type", value: a.dtype } },
    inputs: [a, b],
    outputs: [[a.shape, a.dtype]],
    backward,
  });
  const axis = createConst([1], DType.I32, Int32Array.of(a.shape.length - 1));
  const short = copyNode(sum, [product.outputs[0], axis.outputs[0]]);
  const keep = attribute(sum, "keep_dims") === true;
  const rows = keep ? [...a.shape.slice(0, -1), 1] : a.shape.slice(0, -1);
  short.outputs = [{ node: short, index: 0, shape: rows, dtype: a.dtype }];
  return [product, axis, short, ...createReshape(short.outputs[0], sum.outputs[0].shape, backward)];
}
