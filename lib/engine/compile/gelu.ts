// In: a program. Out: the same, its backward pass taking gelu's results from the kernel of gelu's gradient.
//
// That kernel computes Φ(x) anyway, so x·Φ(x) costs it one more write; kept from the forward pass the results are a quarter of
// what an encoder's layers keep.
import { ancestorsOf, inOrder, type GraphNode, type GraphValue, type Program } from "./graph";

/** Lets the gradient's kernel write its gelu's result. @returns that value */
function ask(gradient: GraphNode, { shape, dtype }: GraphValue): GraphValue {
  gradient.attributes = { ...gradient.attributes, again: { kind: "bool", value: true } };
  return (gradient.outputs[2] = { node: gradient, index: 2, shape, dtype });
}

export function geluAgain(program: Program): Program {
  const { nodes } = program;
  const gelus = nodes.filter((node) => node.op === "RewardbookGelu");
  for (const gradient of nodes.filter((node) => node.op === "RewardbookGeluGradient")) {
    const [product, bias] = gradient.inputs;
    const kept = gelus.find(({ inputs }) => inputs[0] === product && inputs[1] === bias)?.outputs[0];
    if (!kept) continue;
    const before = ancestorsOf(gradient);
    const readers = nodes.filter((node) => node.backward && node.inputs.includes(kept) && !before.has(node));
    if (readers.length === 0) continue;
    const again = ask(gradient, kept);
    for (const node of readers) node.inputs = node.inputs.map((value) => (value === kept ? again : value));
  }
  return { ...program, nodes: inOrder(nodes) };
}
