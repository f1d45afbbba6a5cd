// In: a program. Out: the bytes of a SavedModel and the names to feed and fetch.
import { createHash } from "node:crypto";
import { encodeBfloat16 } from "../../files/dtypes";
import { DType } from "../binding";
import { consumersOf, fetchedValues, type Attribute, type GraphNode, type GraphValue, type Program } from "./graph";
import { attrValue, functionBody, functionDef, nodeDef, savedModel, type AttributeBytes } from "./protobuf";
import type { Bytes } from "../wire";
import { findRegions, type Region } from "./regions";
import { COMPARISON, REDUCTION } from "./shapeRules";

/** Names of output arguments in function bodies (`ops.pbtxt`); all other unary ops say `y`. */
const OUTPUT_ARGUMENT: ReadonlyMap<string, string> = new Map([
  ...[
    "Add",
    "AddV2",
    "Sub",
    "Mul",
    "RealDiv",
    "Div",
    "DivNoNan",
    "FloorDiv",
    "Pow",
    "Minimum",
    "Maximum",
    "SquaredDifference",
    ...COMPARISON,
  ].map((op) => [op, "z"] as const),
  ...[
    "Const",
    "Reshape",
    "ExpandDims",
    "Slice",
    "PadV2",
    "Select",
    "SelectV2",
    "Identity",
    "Fill",
    "Tile",
    "BroadcastTo",
    ...REDUCTION,
  ].map((op) => [op, "output"] as const),
  ["AddN", "sum"],
  ["Softmax", "softmax"],
  ["LogSoftmax", "logsoftmax"],
  ["Softplus", "activations"],
  ["Relu", "activations"],
  ["Relu6", "activations"],
  ["Elu", "activations"],
  ["Selu", "activations"],
]);
/** Shapes, axes and permutations must be constants inside a function; nothing that XLA needs to know is longer. */
const INLINE_UP_TO = 1024;

export interface EmittedGraph {
  readonly bytes: Bytes;
  /** Names to feed: the arguments, then the variables. */
  readonly feeds: readonly string[];
  /** Names to fetch: the results, then the new states. */
  readonly fetches: readonly string[];
  readonly nodeCount: number;
  readonly regionCount: number;
  readonly functionCount: number;
}

function encode(attribute: Attribute): Bytes {
  switch (attribute.kind) {
    case "ints":
      return attrValue.ints(attribute.value);
    case "shape":
      return attrValue.shape(attribute.value);
    case "bool":
      return attrValue.bool(attribute.value);
    case "string":
      return attrValue.string(attribute.value);
    default:
      return attrValue[attribute.kind](attribute.value);
  }
}

function attributesOf(node: GraphNode): AttributeBytes {
  if (!node.data) return Object.fromEntries(Object.entries(node.attributes).map(([name, a]) => [name, encode(a)]));
  const [{ dtype, shape }] = node.outputs;
  const { data } = node;
  const bytes =
    dtype === DType.BF16
      ? new Uint8Array(encodeBfloat16(data as Float32Array).buffer)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { dtype: attrValue.type(dtype), value: attrValue.tensor(dtype, shape, bytes) };
}

/** Collects node definitions, and functions once each: equal layers then share one compilation. */
class Emitter {
  readonly nodes: Bytes[] = [];
  readonly functions: Bytes[] = [];
  private readonly functionNames = new Map<string, string>();
  private readonly references = new Map<GraphValue, string>();
  private readonly consumers: ReadonlyMap<GraphValue, GraphNode[]>;
  private readonly fetched: ReadonlySet<GraphValue>;

  constructor(program: Program) {
    this.consumers = consumersOf(program.nodes);
    this.fetched = new Set(fetchedValues(program));
  }

  reference(value: GraphValue): string {
    return this.references.get(value)!;
  }

  put(
    name: string,
    op: string,
    inputs: readonly string[],
    attributes: AttributeBytes,
    outputs: readonly GraphValue[],
  ): void {
    this.nodes.push(nodeDef(name, op, inputs, attributes));
    outputs.forEach((value, i) => this.references.set(value, i === 0 ? name : `${name}:${i}`));
  }

  node(node: GraphNode): void {
    const inputs = node.inputs.map((value) => this.reference(value));
    this.put(`n${this.nodes.length}`, node.op, inputs, attributesOf(node), node.outputs);
  }

  placeholder(name: string, value: GraphValue): void {
    const attributes = { dtype: attrValue.type(value.dtype), shape: attrValue.shape(value.shape) };
    this.put(name, "Placeholder", [], attributes, [value]);
  }

  /** A call of the region's function, which XLA compiles when it first runs. */
  region(region: Region): void {
    const members = new Set(region);
    const outputs = region
      .flatMap((node) => node.outputs)
      .filter((v) => this.fetched.has(v) || (this.consumers.get(v) ?? []).some((n) => !members.has(n)));
    const { inputs, body } = regionBody(region, outputs);
    const key = Buffer.concat([body.signature, body.definition]).toString("latin1");
    let name = this.functionNames.get(key);
    if (!name) {
      // Named by what it does: all sessions of the process share the names, and XLA's cache on disk goes by them, too.
      name = `f${createHash("sha256").update(key, "latin1").digest("hex").slice(0, 32)}`;
      this.functionNames.set(key, name);
      this.functions.push(functionDef(name, body));
    }
    const attributes = {
      Tin: attrValue.types(inputs.map((v) => v.dtype)),
      Tout: attrValue.types(outputs.map((v) => v.dtype)),
      f: attrValue.func(name),
      _XlaMustCompile: attrValue.bool(true),
    };
    this.put(
      `c${this.nodes.length}`,
      "PartitionedCall",
      inputs.map((v) => this.reference(v)),
      attributes,
      outputs,
    );
  }

  fetch(name: string, value: GraphValue): void {
    this.nodes.push(nodeDef(name, "Identity", [this.reference(value)], { T: attrValue.type(value.dtype) }));
  }
}

function regionBody(region: Region, outputs: readonly GraphValue[]) {
  const inputs: GraphValue[] = [];
  const references = new Map<GraphValue, string>();
  const nodes: Bytes[] = [];
  const refer = (value: GraphValue): string => {
    const known = references.get(value);
    if (known) return known;
    const { data } = value.node;
    let reference: string;
    if (data && data.length <= INLINE_UP_TO) {
      const name = `k${nodes.length}`;
      nodes.push(nodeDef(name, "Const", [], attributesOf(value.node)));
      reference = `${name}:output:0`;
    } else reference = `i${inputs.push(value) - 1}`;
    references.set(value, reference);
    return reference;
  };
  region.forEach((node, i) => {
    const operands = node.inputs.map(refer);
    nodes.push(nodeDef(`n${i}`, node.op, operands, attributesOf(node)));
    const argument = OUTPUT_ARGUMENT.get(node.op) ?? "y";
    node.outputs.forEach((value) => references.set(value, `n${i}:${argument}:${value.index}`));
  });
  const body = functionBody({
    inputs: inputs.map((value, i) => ({ name: `i${i}`, dtype: value.dtype })),
    outputs: outputs.map((value, i) => ({ name: `o${i}`, dtype: value.dtype, source: references.get(value)! })),
    nodes,
    attributes: { _XlaMustCompile: attrValue.bool(true), _noinline: attrValue.bool(true) },
  });
  return { inputs, body };
}

/** Nodes and regions in an order in which every input comes first. */
function* executionOrder(program: Program, regionOf: ReadonlyMap<GraphNode, Region>): Generator<GraphNode | Region> {
  const unitOf = (node: GraphNode): GraphNode | Region => regionOf.get(node) ?? node;
  const done = new Set<GraphNode | Region>();
  const open = new Set<GraphNode | Region>();
  for (const start of program.nodes) {
    const stack = [unitOf(start)];
    while (stack.length > 0) {
      const unit = stack[stack.length - 1];
      if (done.has(unit)) {
        stack.pop();
        continue;
      }
      const members = Array.isArray(unit) ? unit : [unit];
      const missing = members
        .flatMap((n) => n.inputs)
        .map((v) => unitOf(v.node))
        .filter((u) => u !== unit && !done.has(u));
      if (missing.length > 0) {
        if (missing.some((u) => open.has(u)))
          throw new Error("compile: two regions wait for each other; please report this graph");
        open.add(unit);
        stack.push(...missing);
        continue;
      }
      stack.pop();
      open.delete(unit);
      done.add(unit);
      yield unit;
    }
  }
}

/**
 * Writes a program as a SavedModel.
 *
 * @param options.regions whether element-wise groups become XLA functions
 */
export function emit(program: Program, options: { readonly regions: boolean }): EmittedGraph {
  const found = options.regions ? findRegions(program) : { regions: [], regionOf: new Map<GraphNode, Region>() };
  const emitter = new Emitter(program);
  const variableName = new Map(program.variables.map(({ value }, i) => [value.node, `v${i}`]));
  for (const unit of executionOrder(program, found.regionOf)) {
    if (Array.isArray(unit)) emitter.region(unit);
    else if (unit.argument !== undefined) emitter.placeholder(`x${unit.argument}`, unit.outputs[0]);
    else if (unit.variable) emitter.placeholder(variableName.get(unit)!, unit.outputs[0]);
    else emitter.node(unit);
  }
  const fetched = fetchedValues(program);
  fetched.forEach((value, i) => emitter.fetch(`r${i}`, value));
  return {
    bytes: savedModel(emitter.nodes, emitter.functions),
    feeds: [...program.inputs.map((_, i) => `x${i}:0`), ...program.variables.map((_, i) => `v${i}:0`)],
    fetches: fetched.map((_, i) => `r${i}:0`),
    nodeCount: emitter.nodes.length,
    regionCount: found.regions.length,
    functionCount: emitter.functions.length,
  };
}
