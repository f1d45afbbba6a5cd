// In: a program. Out: the same with sums of squares over a whole tensor as L2Loss.
//
// XLA reduces a whole tensor to one number on one thread; TensorFlow's L2Loss (half the sum of squares) uses them all.
import { elementCount } from "../../files/pieces";
import {
  createConst,
  createNode,
  isSource,
  replaceFetched,
  type GraphNode,
  type GraphValue,
  type Program,
} from "./graph";
import { DType } from "../binding";
import { constantOf } from "./shapeRules";

/** Below this a dispatched op costs more than the loop. */
const LARGE = 65536;

/** x, when the node is Σ x² over all axes of a tensor that exists in memory anyway. */
function squared(node: GraphNode): GraphValue | null {
  if (node.op !== "Sum") return null;
  const [value, axes] = node.inputs;
  const whole = constantOf(axes).length === value.shape.length;
  const [x] = value.node.inputs;
  const inMemory = value.node.op === "Square" && isSource(x.node);
  return whole && inMemory && elementCount(x.shape) > LARGE && node.outputs[0].shape.length === 0 ? x : null;
}

export function sumSquares(program: Program): Program {
  const nodes: GraphNode[] = [];
  const replaced = new Map<GraphValue, GraphValue>();
  for (const node of program.nodes) {
    node.inputs = node.inputs.map((value) => replaced.get(value) ?? value);
    const x = squared(node);
    if (!x) {
      nodes.push(node);
      continue;
    }
    const attributes = { T: { kind: "type", value: x.dtype } } as const;
    const half = createNode({
      op: "L2Loss",
      attributes,
      inputs: [x],
      outputs: [[[], x.dtype]],
      backward: node.backward,
    });
    const two = createConst([], DType.F32, Float32Array.of(2));
    const whole = createNode({
      op: "Mul",
      attributes,
      inputs: [half.outputs[0], two.outputs[0]],
      outputs: [[[], x.dtype]],
      backward: node.backward,
    });
    nodes.push(half, two, whole);
    replaced.set(node.outputs[0], whole.outputs[0]);
  }
  const replace = (value: GraphValue) => replaced.get(value) ?? value;
  return replaceFetched({ ...program, nodes }, replace);
}
