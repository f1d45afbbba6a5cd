// In: plain values. Out: the bytes of protocol buffers' fields, of which TensorFlow's and ONNX's messages are made.
// Reference: protobuf.dev/programming-guides/encoding.

export type Bytes = Uint8Array;

/** A base-128 number, two's complement in 64 bits when negative. */
export function varint(value: number | bigint): Bytes {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest > 127n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

export const concat = (...parts: readonly Bytes[]): Bytes => Buffer.concat(parts);
/** Field of wire type 0: a number. */
export const numberField = (field: number, value: number): Bytes => concat(varint(field << 3), varint(value));
/** Field of wire type 2: a string, bytes or a message. */
export function bytesField(field: number, content: Bytes | string): Bytes {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  return concat(varint((field << 3) | 2), varint(bytes.length), bytes);
}

/** Field of wire type 5: a float32. */
export function floatField(field: number, value: number): Bytes {
  const out = Buffer.alloc(5);
  out[0] = (field << 3) | 5;
  out.writeFloatLE(value, 1);
  return out;
}
