// In: operations, one after another. Out: an ONNX graph of them: nodes in order, constants, and weights that are read when it is written.

import { elementCount } from "../../files/pieces";
import { ELEMENT_BYTES, ElementType, type Attribute, type OnnxNode, type Port } from "./messages";

/** The name of a tensor in the graph. */
export type Value = string;

/** A tensor that the file holds. Its bytes are asked for once, when they are written, and come in order, some at a time. */
export interface Initializer {
  readonly name: Value;
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly bytes: () => Iterable<Uint8Array>;
}

export interface OnnxGraph {
  readonly nodes: OnnxNode[];
  readonly initializers: Initializer[];
  readonly inputs: Port[];
  readonly outputs: Port[];
}

/** A graph that grows: each operation gives the name of its (first) output. */
export interface GraphBuilder {
  readonly graph: OnnxGraph;
  input(port: Port): Value;
  /** An operation with one output. */
  op(type: string, inputs: readonly Value[], attributes?: Readonly<Record<string, Attribute>>): Value;
  /** An operation with several. */
  ops(type: string, inputs: readonly Value[], outputs: number): Value[];
  /** Numbers of the algorithm; equal ones are kept once. A scalar without a shape. */
  floats(values: readonly number[], shape?: readonly number[]): Value;
  integers(values: readonly number[], shape?: readonly number[]): Value;
  /** A weight; asked for twice under a name, it is kept once. */
  weight(initializer: Initializer): Value;
  output(port: Port, value: Value): void;
}

export const initializerBytes = ({ type, shape }: Initializer): number => elementCount(shape) * ELEMENT_BYTES[type];

/** The bytes of a typed array. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

export function createGraph(): GraphBuilder {
  const graph: OnnxGraph = { nodes: [], initializers: [], inputs: [], outputs: [] };
  const known = new Set<Value>();
  const keep = (initializer: Initializer): Value => {
    if (!known.has(initializer.name)) graph.initializers.push(initializer);
    known.add(initializer.name);
    return initializer.name;
  };
  const constant = (type: ElementType, data: ArrayBufferView, values: readonly number[], shape: readonly number[]) =>
    keep({
      name: `constant/${type}/${shape.join("x")}/${values.join(",")}`,
      type,
      shape,
      bytes: () => [bytesOf(data)],
    });
  const shapeFor = (values: readonly number[]) => (values.length === 1 ? [] : [values.length]);
  const ops = (op: string, inputs: readonly Value[], count: number, attributes = {}) => {
    const name = `${op}_${graph.nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) => `${name}/${i}`);
    graph.nodes.push({ name, op, inputs, outputs, attributes });
    return outputs;
  };
  return {
    graph,
    input(port) {
      graph.inputs.push(port);
      return port.name;
    },
    op: (type, inputs, attributes) => ops(type, inputs, 1, attributes)[0],
    ops,
    floats: (values, shape = shapeFor(values)) => constant(ElementType.F32, Float32Array.from(values), values, shape),
    integers: (values, shape = shapeFor(values)) =>
      constant(ElementType.I64, BigInt64Array.from(values, BigInt), values, shape),
    weight: keep,
    output(port, value) {
      graph.nodes.push({ name: port.name, op: "Identity", inputs: [value], outputs: [port.name], attributes: {} });
      graph.outputs.push(port);
    },
  };
}
