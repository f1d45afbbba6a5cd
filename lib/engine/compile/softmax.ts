// In: a program in f32. Out: the same with the scale of attention scores moved from the scores to the queries.
//
// c·(q·kᵀ) = (c·q)·kᵀ: queries are D numbers a row, scores T. What remains between product and softmax is the mask, which
// adds 0 or a huge number and so rounds nothing: the softmax can then take bf16 scores without a second rounding.
import { elementCount } from "../../files/pieces";
import { copyNode, createNode, replaceFetched, type GraphNode, type GraphValue, type Program } from "./graph";

/** Looks through reshapes. */
export function unreshaped(value: GraphValue): GraphValue {
  return value.node.op === "Reshape" ? unreshaped(value.node.inputs[0]) : value;
}

const isScalarConst = (value: GraphValue): boolean => value.node.data !== undefined && elementCount(value.shape) === 1;

export function scaleQueries(program: Program): Program {
  const readers = new Map<GraphValue, number>();
  for (const node of program.nodes) for (const value of node.inputs) readers.set(value, (readers.get(value) ?? 0) + 1);
  for (const value of program.results) readers.set(value, 2);
  const replaced = new Map<GraphValue, GraphValue>();
  const nodes: GraphNode[] = [];
  for (const node of program.nodes) {
    node.inputs = node.inputs.map((value) => replaced.get(value) ?? value);
    const scaled = scaledProduct(node, readers);
    if (!scaled) {
      nodes.push(node);
      continue;
    }
    // the product moves here, behind its scale; nothing reads the old one any more
    nodes.push(...scaled.made);
    replaced.set(node.outputs[0], scaled.result);
  }
  if (replaced.size === 0) return program;
  const replace = (value: GraphValue) => replaced.get(value) ?? value;
  return replaceFetched({ ...program, nodes }, replace);
}

/** For Mul(Reshape*(product), scalar) with an only reader each: the scaled product anew. */
function scaledProduct(
  node: GraphNode,
  readers: ReadonlyMap<GraphValue, number>,
): { made: GraphNode[]; result: GraphValue } | null {
  if (node.op !== "Mul" || node.backward) return null;
  const [scores, scale] = isScalarConst(node.inputs[1]) ? node.inputs : [node.inputs[1], node.inputs[0]];
  if (!isScalarConst(scale)) return null;
  const product = unreshaped(scores).node;
  const [query] = product.inputs;
  const alone = readers.get(scores) === 1 && readers.get(product.outputs[0]) === 1;
  if (product.op !== "BatchMatMulV2" || !alone || elementCount(query.shape) >= elementCount(scores.shape)) return null;
  const small = createNode({
    op: "Mul",
    attributes: node.attributes,
    inputs: [query, scale],
    outputs: [[query.shape, query.dtype]],
    backward: node.backward,
  });
  const again = copyNode(product, [small.outputs[0], ...product.inputs.slice(1)]);
  const made = [small, again];
  const rebuild = (value: GraphValue): GraphValue => {
    if (value.node === product) return again.outputs[0];
    const copy = copyNode(value.node, [rebuild(value.node.inputs[0]), value.node.inputs[1]]);
    made.push(copy);
    return copy.outputs[0];
  };
  return { made, result: rebuild(scores) };
}
