// In: plain values. Out: the bytes of ONNX's NodeProto, TensorProto, ValueInfoProto and what stands around them.
// Reference: onnx/onnx.proto3 of github.com/onnx/onnx, whose field numbers these are.

import { bytesField, concat, floatField, numberField, varint, type Bytes } from "../wire";

/** TensorProto.DataType. */
export const ElementType = { F32: 1, U8: 2, I8: 3, I32: 6, I64: 7, BOOL: 9, F16: 10 } as const;
export type ElementType = (typeof ElementType)[keyof typeof ElementType];

export const ELEMENT_BYTES: Readonly<Record<ElementType, number>> = { 1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2 };

/** An attribute's value and of which kind it is. */
export type Attribute = { readonly int: number } | { readonly float: number } | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A graph's input or output; a name stands for a size that is known when it runs. */
export interface Port {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly (number | string)[];
}

function attributeMessage(name: string, value: Attribute): Bytes {
  const named = bytesField(1, name);
  if ("float" in value) return concat(named, floatField(2, value.float), numberField(20, 1));
  if ("int" in value) return concat(named, numberField(3, value.int), numberField(20, 2));
  return concat(named, ...value.ints.map((item) => numberField(8, item)), numberField(20, 7));
}

export const nodeMessage = ({ name, op, inputs, outputs, attributes }: OnnxNode): Bytes =>
  concat(
    ...inputs.map((input) => bytesField(1, input)),
    ...outputs.map((output) => bytesField(2, output)),
    bytesField(3, name),
    bytesField(4, op),
    ...Object.entries(attributes).map(([key, value]) => bytesField(5, attributeMessage(key, value))),
  );

export function portMessage({ name, type, shape }: Port): Bytes {
  const dimensions = shape.map((size) =>
    bytesField(1, typeof size === "string" ? bytesField(2, size) : numberField(1, size)),
  );
  const tensor = concat(numberField(1, type), bytesField(2, concat(...dimensions)));
  return concat(bytesField(1, name), bytesField(2, bytesField(1, tensor)));
}

/** Where a tensor's bytes lie when they are not in the model's file. */
export interface ExternalPlace {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** A TensorProto up to its bytes, which follow it; or whole, with `external`. */
export function tensorHead(
  { name, type, shape }: { readonly name: string; readonly type: ElementType; readonly shape: readonly number[] },
  bytes: number,
  external?: ExternalPlace,
): Bytes {
  const head = concat(...shape.map((size) => numberField(1, size)), numberField(2, type), bytesField(8, name));
  if (!external) return concat(head, varint((9 << 3) | 2), varint(bytes));
  const entry = (key: string, value: string | number) =>
    bytesField(13, concat(bytesField(1, key), bytesField(2, String(value))));
  const { file, offset, length } = external;
  return concat(head, entry("location", file), entry("offset", offset), entry("length", length), numberField(14, 1));
}
