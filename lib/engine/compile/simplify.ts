// In: a program as recorded. Out: the same without ops that change nothing and without repetitions.
//
// Gradients are full of them: the gradient of a look-up transposes a whole table by the identity, a sum's gradient reshapes
// to the shape it has, and every use of a value brings its own copy of the same Fill.
import { copyNode, createConst, createNode, mapProgram, type GraphNode, type GraphValue, type Program } from "./graph";
import { DType } from "../binding";
import { constantOf } from "./shapeRules";

const sameShape = (a: GraphValue, b: GraphValue): boolean =>
  a.shape.length === b.shape.length && a.shape.every((d, i) => d === b.shape[i]);

/** Whether the node returns its first input as it is. */
function isIdentity(node: GraphNode): boolean {
  const [input] = node.inputs;
  switch (node.op) {
    case "Identity":
      return true;
    case "Reshape":
      return sameShape(input, node.outputs[0]);
    case "Transpose":
      return constantOf(node.inputs[1]).every((axis, i) => axis === i);
    case "Tile":
      return constantOf(node.inputs[1]).every((multiple) => multiple === 1);
    default:
      return false;
  }
}

export function simplify(program: Program): Program {
  const nodes: GraphNode[] = [];
  const replaced = new Map<GraphValue, GraphValue>();
  const known = new Map<string, GraphNode>();
  const ids = new Map<GraphValue, number>();
  const idOf = (value: GraphValue): number => ids.get(value) ?? (ids.set(value, ids.size), ids.size - 1);
  const add = (node: GraphNode): GraphNode => {
    nodes.push(node);
    return node;
  };
  /** An equal node made before, or this one. Sources stay apart: they differ in what they stand for. */
  const shared = (node: GraphNode): GraphNode => {
    if (node.op === "Const" || node.op === "Placeholder") return add(node);
    const key = [node.op, JSON.stringify(node.attributes), ...node.inputs.map(idOf)].join("|");
    const earlier = known.get(key);
    if (earlier) return earlier;
    known.set(key, node);
    return add(node);
  };
  for (const node of program.nodes) {
    const inputs = node.inputs.map((value) => replaced.get(value)!);
    if (isIdentity(node)) {
      replaced.set(node.outputs[0], inputs[0]);
      continue;
    }
    if (node.op === "Reshape" && inputs[0].node.op === "Reshape") inputs[0] = inputs[0].node.inputs[0];
    const result = shared(copyNode(node, inputs));
    node.outputs.forEach((value, i) => replaced.set(value, result.outputs[i]));
  }
  return mapProgram(program, nodes, (value) => replaced.get(value)!);
}

/** A Reshape node, with the constant it needs. */
export function createReshape(value: GraphValue, shape: readonly number[], backward?: boolean): GraphNode[] {
  const target = createConst([shape.length], DType.I32, Int32Array.from(shape));
  const reshape = createNode({
    op: "Reshape",
    attributes: { T: { kind: "type", value: value.dtype }, Tshape: { kind: "type", value: DType.I32 } },
    inputs: [value, target.outputs[0]],
    outputs: [[shape, value.dtype]],
    backward,
  });
  return [target, reshape];
}
