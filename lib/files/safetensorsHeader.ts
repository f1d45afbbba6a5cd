// In: the bytes of a safetensors header. Out: where each tensor lies, every rule of the format checked.
import { InputError } from "../errors";
import { DTYPE_BITS } from "./dtypes";

/** Where one tensor lies: bytes [start, end) counted from the end of the header. */
export interface TensorPlace {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, TensorPlace>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Largest header the format allows (safetensors, MAX_HEADER_SIZE). */
export const MAX_HEADER_BYTES = 100_000_000;

const REMEDY = "fetch or save the file again";

/**
 * Parses and checks a header: UTF-8 JSON object, no name twice, sizes that are plain integers, `bytes = shape × dtype`,
 * ranges that follow each other from 0 to the end of the data without hole, overlap or rest.
 *
 * @param bytes     the header without its length field
 * @param dataBytes bytes that follow it in the file
 * @param where     path of the file, for messages
 * @throws InputError naming the file and the tensor
 * Reference: https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs (Metadata::validate)
 */
export function parseHeader(bytes: Uint8Array, dataBytes: number, where: string): SafetensorsHeader {
  const json = parseStrictJson(bytes, where);
  const tensors: TensorPlace[] = [];
  const metadata = new Map<string, string>();
  for (const [name, entry] of json) {
    if (name === "__metadata__") {
      for (const [key, value] of asObject(entry, `${where}: __metadata__`)) {
        if (typeof value !== "string")
          throw new InputError(`${where}: __metadata__.${key}: expected a string, got ${show(value)}; ${REMEDY}`);
        metadata.set(key, value);
      }
    } else tensors.push(parsePlace(name, entry, where));
  }
  tensors.sort((a, b) => a.start - b.start || a.end - b.end);
  checkContiguous(tensors, dataBytes, where);
  return { tensors: new Map(tensors.map((place) => [place.name, place])), metadata };
}

/** Lengths as the format counts them; also refuses products beyond what a number can hold exactly. */
export function byteLength(shape: readonly number[], dtype: string): number | null {
  let elements = 1;
  for (const size of shape) elements *= size;
  const bits = shape.includes(0) ? 0 : elements * DTYPE_BITS[dtype];
  return Number.isSafeInteger(bits) && bits % 8 === 0 ? bits / 8 : null;
}

function parsePlace(name: string, entry: unknown, where: string): TensorPlace {
  const at = `${where}: tensor ${show(name)}`;
  const { dtype, shape, data_offsets: offsets } = Object.fromEntries(asObject(entry, at)) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_BITS, dtype)) {
    throw new InputError(
      `${at}: dtype: expected one of ${Object.keys(DTYPE_BITS).join(", ")}, got ${show(dtype)}; ${REMEDY}`,
    );
  }
  if (!isSizes(shape))
    throw new InputError(`${at}: shape: expected a list of sizes below 2^53, got ${show(shape)}; ${REMEDY}`);
  if (!isSizes(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw new InputError(`${at}: data_offsets: expected [start, end], got ${show(offsets)}; ${REMEDY}`);
  }
  const expected = byteLength(shape, dtype);
  if (expected !== offsets[1] - offsets[0]) {
    throw new InputError(
      `${at}: expected ${expected ?? "a whole number below 2^50 of"} bytes (${dtype} ${show(shape)}), ` +
        `got ${offsets[1] - offsets[0]}; ${REMEDY}`,
    );
  }
  return { name, dtype, shape, start: offsets[0], end: offsets[1] };
}

function checkContiguous(tensors: readonly TensorPlace[], dataBytes: number, where: string): void {
  let reached = 0;
  for (const { name, start, end } of tensors) {
    if (start !== reached) {
      throw new InputError(
        `${where}: tensor ${show(name)}: expected its data to start at byte ${reached}, ` +
          `got ${start} (a hole or an overlap); ${REMEDY}`,
      );
    }
    reached = end;
  }
  if (reached !== dataBytes) {
    const last = tensors.at(-1);
    throw new InputError(
      `${where}: expected ${reached} bytes of data${last ? ` (tensor ${show(last.name)} ends there)` : ""}, ` +
        `got ${dataBytes}; ` +
        `the file is ${dataBytes < reached ? "cut short" : "longer than its header says"}: ${REMEDY}`,
    );
  }
}

function parseStrictJson(bytes: Uint8Array, where: string): [string, unknown][] {
  let text: string, value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new InputError(`${where}: header: expected UTF-8, got other bytes; ${REMEDY}`);
  }
  if (text[0] !== "{")
    throw new InputError(`${where}: header: expected a JSON object, got ${show(text.slice(0, 20))}; ${REMEDY}`);
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${where}: header: expected JSON, got ${clip((error as Error).message)}; ${REMEDY}`);
  }
  checkTokens(text, where);
  return asObject(value, `${where}: header`);
}

/** What JSON.parse hides: a key given twice, a lone surrogate, a size written as 1e3 or beyond 2^53. */
function checkTokens(text: string, where: string): void {
  const keys: Set<string>[] = [];
  const colon = /\s*:/y;
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}]|-?\d[\d.eE+-]*/g;
  for (let match = tokens.exec(text); match; match = tokens.exec(text)) {
    const [token] = match;
    if (token === "{") keys.push(new Set());
    else if (token === "}") keys.pop();
    else if (token[0] !== '"') {
      if (!/^\d+$/.test(token))
        throw new InputError(`${where}: header: expected whole numbers, got ${clip(token)}; ${REMEDY}`);
    } else {
      const word = JSON.parse(token) as string;
      if (/\p{Surrogate}/u.test(word))
        throw new InputError(
          `${where}: header: expected Unicode text, got a lone surrogate in ${clip(token)}; ${REMEDY}`,
        );
      colon.lastIndex = tokens.lastIndex;
      if (!colon.test(text)) continue; // a value, not a key
      const seen = keys.at(-1)!;
      if (seen.has(word))
        throw new InputError(`${where}: tensor ${show(word)}: expected each name once, got it twice; ${REMEDY}`);
      seen.add(word);
    }
  }
}

function asObject(value: unknown, at: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new InputError(`${at}: expected an object, got ${show(value)}; ${REMEDY}`);
  }
  return Object.entries(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}

const clip = (text: string) => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
const show = (value: unknown) => clip(JSON.stringify(value) ?? String(value));
