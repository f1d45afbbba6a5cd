// In: the bytes of a stored tensor. Out: float32 numbers, and back.
import { InputError } from "../errors";

/** Bits an element takes, by safetensors dtype (safetensors 0.8, `enum Dtype`). */
export const DTYPE_BITS: Readonly<Record<string, number>> = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
};

/** Dtypes that are read as float32 numbers. */
export const FLOAT_DTYPES = ["F32", "F16", "BF16", "F64"] as const;
export type FloatDtype = (typeof FLOAT_DTYPES)[number];

export function isFloatDtype(dtype: string): dtype is FloatDtype {
  return (FLOAT_DTYPES as readonly string[]).includes(dtype);
}

/** float32 of every float16, by its 16 bits: a look-up is five times as fast as the arithmetic. */
let halves: Float32Array | undefined;

function halfTable(): Float32Array {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31,
      fraction = bits & 1023,
      sign = bits & 0x8000 ? -1 : 1;
    halves[bits] =
      exponent === 31
        ? fraction
          ? NaN
          : sign * Infinity
        : exponent === 0
          ? sign * fraction * 2 ** -24
          : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return halves;
}

/**
 * Reads little-endian elements into `out` from `start` on.
 *
 * @param bytes whole elements, its offset in its buffer a multiple of the element's size
 */
export function decodeFloats(bytes: Uint8Array, dtype: FloatDtype, out: Float32Array, start: number): void {
  const { buffer, byteOffset, byteLength } = bytes;
  if (dtype === "F32") out.set(new Float32Array(buffer, byteOffset, byteLength / 4), start);
  else if (dtype === "F64") out.set(new Float64Array(buffer, byteOffset, byteLength / 8), start);
  else if (dtype === "BF16") {
    const source = new Uint16Array(buffer, byteOffset, byteLength / 2);
    const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < source.length; i++) words[start + i] = source[i] << 16;
  } else {
    const source = new Uint16Array(buffer, byteOffset, byteLength / 2),
      table = halfTable();
    for (let i = 0; i < source.length; i++) out[start + i] = table[source[i]];
  }
}

/** The 16 bits of bfloat16 nearest to each float32, ties to even, NaN kept NaN. */
export function encodeBfloat16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    out[i] = (word & 0x7fffffff) > 0x7f800000 ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}

const HALF_MAX = 65504;

/**
 * The 16 bits of IEEE half precision nearest to each float32, ties to even.
 *
 * @param name of the tensor, for the message
 * @throws InputError for a number too large for half precision
 */
export function encodeFloat16(values: Float32Array, name: string): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    if (!(Math.abs(values[i]) < HALF_MAX + 16))
      throw new InputError(`${name}: expected numbers up to ${HALF_MAX} for fp16, got ${values[i]}; export as fp32`);
    out[i] = halfBits(words[i]);
  }
  return out;
}

function halfBits(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const exponent = ((word >>> 23) & 0xff) - 112; // of the half: 15 − 127
  const mantissa = (word & 0x7fffff) | 0x800000;
  if (exponent < -10) return sign;
  // Below the smallest normal number the leading one is shifted in with the rest.
  const shift = exponent > 0 ? 13 : 14 - exponent;
  const kept = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  const rounded = kept + (rest > half || (rest === half && kept & 1) ? 1 : 0);
  return sign + (exponent > 0 ? (exponent << 10) + rounded - 0x400 : rounded);
}
