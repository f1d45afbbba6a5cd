// In: ops one at a time. Out: the intermediate form every pass reads and returns: nodes in execution order.
import { elementCount } from "../../files/pieces";
import type * as tf from "@tensorflow/tfjs-core";
import { DType } from "../binding";

export type Attribute =
  | { readonly kind: "type" | "int" | "float"; readonly value: number }
  | { readonly kind: "ints"; readonly value: readonly number[] }
  | { readonly kind: "shape"; readonly value: readonly number[] }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "string"; readonly value: string };

export type Attributes = Readonly<Record<string, Attribute>>;

/** One output of a node. */
export interface GraphValue {
  readonly node: GraphNode;
  /** Which of the node's outputs. */
  readonly index: number;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export interface GraphNode {
  readonly op: string;
  attributes: Attributes;
  inputs: GraphValue[];
  outputs: GraphValue[];
  /** Contents of a Const. */
  readonly data?: Float32Array | Int32Array | Uint8Array;
  /** Position among the arguments, for a Placeholder that is one. */
  readonly argument?: number;
  /** The variable a Placeholder stands for. */
  readonly variable?: tf.Variable;
  /** Whether it was recorded after the forward pass of a gradient. */
  readonly backward?: boolean;
  /** A region's level that this node must not fall below (set on recomputed nodes). */
  minimumLevel?: number;
}

/** A recorded function: what it reads, does and returns. Passes take one and give one. */
export interface Program {
  readonly nodes: GraphNode[];
  readonly inputs: readonly GraphValue[];
  readonly results: readonly GraphValue[];
  /** Variables that the function assigned: value on entry and on return. */
  readonly updates: readonly {
    readonly variable: tf.Variable;
    readonly before: GraphValue;
    readonly after: GraphValue;
  }[];
  /** Every variable that the function reads. */
  readonly variables: readonly { readonly variable: tf.Variable; readonly value: GraphValue }[];
}

export const byteCount = (value: GraphValue): number =>
  elementCount(value.shape) * (value.dtype === DType.BF16 ? 2 : value.dtype === DType.BOOL ? 1 : 4);
export const isSource = (node: GraphNode): boolean =>
  node.op === "Const" || node.argument !== undefined || node.variable !== undefined;

export interface NodeOptions {
  readonly op: string;
  readonly attributes?: Attributes;
  readonly inputs?: readonly GraphValue[];
  readonly outputs: readonly (readonly [shape: readonly number[], dtype: DType])[];
  readonly data?: GraphNode["data"];
  readonly argument?: number;
  readonly variable?: tf.Variable;
  readonly backward?: boolean;
}

export function createNode({ outputs, inputs = [], attributes = {}, ...rest }: NodeOptions): GraphNode {
  const node: GraphNode = { ...rest, attributes, inputs: [...inputs], outputs: [] };
  node.outputs = outputs.map(([shape, dtype], index) => ({ node, index, shape, dtype }));
  return node;
}

/** The same node with other inputs; its outputs are new values. */
export function copyNode(node: GraphNode, inputs: readonly GraphValue[]): GraphNode {
  const copy: GraphNode = { ...node, inputs: [...inputs] };
  copy.outputs = node.outputs.map((value) => ({ ...value, node: copy }));
  return copy;
}

export function createConst(shape: readonly number[], dtype: DType, data: NonNullable<GraphNode["data"]>): GraphNode {
  return createNode({
    op: "Const",
    attributes: { dtype: { kind: "type", value: dtype } },
    outputs: [[shape, dtype]],
    data,
  });
}

export function createCast(value: GraphValue, dtype: DType, backward?: boolean): GraphNode {
  const attributes: Attributes = {
    SrcT: { kind: "type", value: value.dtype },
    DstT: { kind: "type", value: dtype },
    Truncate: { kind: "bool", value: false },
  };
  return createNode({ op: "Cast", attributes, inputs: [value], outputs: [[value.shape, dtype]], backward });
}

/** Value of a numeric or boolean attribute. */
export function attribute(
  node: { readonly op: string; readonly attributes: Attributes },
  name: string,
): number | boolean {
  const found = node.attributes[name];
  if (!found) throw new Error(`${node.op}: expected attribute ${name}, got none`);
  return found.value as number | boolean;
}

/** Who reads each value. */
export function consumersOf(nodes: readonly GraphNode[]): Map<GraphValue, GraphNode[]> {
  const consumers = new Map<GraphValue, GraphNode[]>();
  for (const node of nodes)
    for (const value of node.inputs) {
      const list = consumers.get(value);
      if (list) list.push(node);
      else consumers.set(value, [node]);
    }
  return consumers;
}

/** All nodes that a node waits for, and itself. */
export function ancestorsOf(node: GraphNode): Set<GraphNode> {
  const found = new Set([node]);
  for (const one of found) for (const value of one.inputs) found.add(value.node); // a set goes on to what is added meanwhile
  return found;
}

/** The nodes in an order in which every input comes first: as they are, but for those that wait for a later one. */
export function inOrder(nodes: readonly GraphNode[]): GraphNode[] {
  const done = new Set<GraphNode>();
  for (const start of nodes) {
    const stack = [start];
    while (stack.length > 0) {
      const node = stack[stack.length - 1];
      const missing = node.inputs.map((value) => value.node).filter((input) => !done.has(input));
      if (missing.length > 0) stack.push(...missing);
      else done.add(stack.pop()!);
    }
  }
  return [...done];
}

/** Values that leave the graph: results and new states. */
export const fetchedValues = (program: Program): GraphValue[] => [
  ...program.results,
  ...program.updates.map((update) => update.after),
];

/** Drops what no result and no state needs. Arguments stay: the caller feeds them all. */
export function prune(program: Program): Program {
  const live = new Set<GraphNode>();
  const todo = fetchedValues(program).map((value) => value.node);
  while (todo.length > 0) {
    const node = todo.pop()!;
    if (live.has(node)) continue;
    live.add(node);
    for (const value of node.inputs) todo.push(value.node);
  }
  return {
    ...program,
    nodes: program.nodes.filter((node) => live.has(node) || node.argument !== undefined),
    variables: program.variables.filter(({ value }) => live.has(value.node)),
  };
}

/** Replaces every value a program mentions outside its nodes. */
export function mapProgram(program: Program, nodes: GraphNode[], replace: (value: GraphValue) => GraphValue): Program {
  return prune({
    nodes,
    inputs: program.inputs.map(replace),
    results: program.results.map(replace),
    updates: program.updates.map((u) => ({ variable: u.variable, before: replace(u.before), after: replace(u.after) })),
    variables: program.variables.map((v) => ({ variable: v.variable, value: replace(v.value) })),
  });
}

/** For passes that keep the sources: replaces what leaves the graph, and drops what nothing needs any more. */
export function replaceFetched(program: Program, replace: (value: GraphValue) => GraphValue): Program {
  return prune({
    ...program,
    results: program.results.map(replace),
    updates: program.updates.map((update) => ({ ...update, after: replace(update.after) })),
  });
}
