// In: plain values. Out: the bytes of TensorFlow's NodeDef, FunctionDef, GraphDef and SavedModel messages.
// Written by hand: six message types do not pay for a protobuf library and its generated code.
import { type DType } from "../binding";
import { bytesField, concat, floatField, numberField, varint, type Bytes } from "../wire";

const shapeMessage = (shape: readonly number[]): Bytes =>
  concat(...shape.map((dimension) => bytesField(2, numberField(1, dimension))));
const packed = (values: readonly number[]): Bytes => concat(...values.map(varint));

/** Encoders of AttrValue, one a kind (`attr_value.proto`). */
export const attrValue = {
  type: (dtype: number) => numberField(6, dtype),
  types: (dtypes: readonly number[]) => bytesField(1, bytesField(6, packed(dtypes))),
  int: (value: number) => numberField(3, value),
  ints: (values: readonly number[]) => bytesField(1, bytesField(3, packed(values))),
  bool: (value: boolean) => numberField(5, value ? 1 : 0),
  float: (value: number) => floatField(4, value),
  string: (value: string) => bytesField(2, value),
  shape: (shape: readonly number[]) => bytesField(7, shapeMessage(shape)),
  func: (name: string) => bytesField(10, bytesField(1, name)),
  tensor: (dtype: DType, shape: readonly number[], data: Bytes) =>
    bytesField(8, concat(numberField(1, dtype), bytesField(2, shapeMessage(shape)), bytesField(4, data))),
};

export type AttributeBytes = Readonly<Record<string, Bytes>>;

const attributeMap = (attributes: AttributeBytes): Bytes =>
  concat(
    ...Object.entries(attributes).map(([name, value]) =>
      bytesField(5, concat(bytesField(1, name), bytesField(2, value))),
    ),
  );

export function nodeDef(name: string, op: string, inputs: readonly string[], attributes: AttributeBytes): Bytes {
  const references = inputs.map((input) => bytesField(3, input));
  return concat(bytesField(1, name), bytesField(2, op), ...references, attributeMap(attributes));
}

export interface FunctionArgument {
  readonly name: string;
  readonly dtype: DType;
}

/** FunctionDef without its name, so that equal functions can be found by their bytes. */
export interface FunctionBody {
  readonly signature: Bytes;
  readonly definition: Bytes;
}

export function functionBody(options: {
  readonly inputs: readonly FunctionArgument[];
  readonly outputs: readonly (FunctionArgument & { readonly source: string })[];
  readonly nodes: readonly Bytes[];
  readonly attributes: AttributeBytes;
}): FunctionBody {
  const argument = (field: number) => (a: FunctionArgument) =>
    bytesField(field, concat(bytesField(1, a.name), numberField(3, a.dtype)));
  return {
    signature: concat(...options.inputs.map(argument(2)), ...options.outputs.map(argument(3))),
    definition: concat(
      ...options.nodes.map((node) => bytesField(3, node)),
      ...options.outputs.map((o) => bytesField(4, concat(bytesField(1, o.name), bytesField(2, o.source)))),
      attributeMap(options.attributes),
    ),
  };
}

export const functionDef = (name: string, body: FunctionBody): Bytes =>
  concat(bytesField(1, concat(bytesField(1, name), body.signature)), body.definition);

/** The oldest graph version that has every op used here (`graph.proto`, VersionDef.producer). */
const GRAPH_VERSION = 1882;

/** A SavedModel holding one graph, tagged `serve`. */
export function savedModel(nodes: readonly Bytes[], functions: readonly Bytes[]): Bytes {
  const graph = concat(
    ...nodes.map((node) => bytesField(1, node)),
    bytesField(2, concat(...functions.map((f) => bytesField(1, f)))),
    bytesField(4, numberField(1, GRAPH_VERSION)),
  );
  const meta = concat(bytesField(4, "serve"), bytesField(5, "2.21.0"));
  return concat(numberField(1, 1), bytesField(2, concat(bytesField(1, meta), bytesField(2, graph))));
}
