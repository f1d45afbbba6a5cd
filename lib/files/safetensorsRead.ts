// In: an open safetensors file and the place of a tensor in it. Out: its numbers as float32, whole or some rows at a time.
import type { FileHandle } from "node:fs/promises";
import { InputError } from "../errors";
import { decodeFloats, DTYPE_BITS, isFloatDtype, type FloatDtype } from "./dtypes";
import { PIECE_BYTES, rowRanges } from "./pieces";
import type { TensorPlace } from "./safetensorsHeader";

export interface TensorEntry {
  /** As it was stored: F32, F16, BF16 or F64. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Fills `into` from `position` on, in pieces. */
export async function fill(file: FileHandle, into: Uint8Array, position: number, at: string): Promise<Uint8Array> {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await file.read(into, done, Math.min(PIECE_BYTES, into.length - done), position + done);
    if (bytesRead === 0)
      throw new InputError(
        `${at}: expected ${into.length - done} more bytes, got the end of the file; fetch or save it again`,
      );
    done += bytesRead;
  }
  return into;
}

/** @throws InputError for a tensor whose numbers are no floats */
export function requireFloats(dtype: string, at: string): asserts dtype is FloatDtype {
  if (!isFloatDtype(dtype))
    throw new InputError(
      `${at}: expected F32, F16, BF16 or F64, got ${dtype}; take a checkpoint that is not quantised`,
    );
}

/** The numbers of a tensor in order, some whole rows at a time. */
export async function* readPieces(
  file: FileHandle,
  place: TensorPlace,
  path: string,
  dataStart: number,
): AsyncGenerator<Float32Array> {
  const rowBytes = (place.end - place.start) / Math.max(1, place.shape[0] ?? 1);
  for (const [from, to] of rowRanges(place.shape)) {
    const part = { ...place, start: place.start + from * rowBytes, end: place.start + to * rowBytes };
    yield (await readTensor(file, part, path, dataStart)).data;
  }
}

export async function readTensor(
  file: FileHandle,
  place: TensorPlace,
  path: string,
  dataStart: number,
): Promise<TensorEntry> {
  const { name, dtype, shape } = place;
  const at = `${path}: tensor ${JSON.stringify(name)}`;
  requireFloats(dtype, at);
  const data = new Float32Array(((place.end - place.start) * 8) / DTYPE_BITS[dtype]);
  const from = dataStart + place.start,
    bytes = place.end - place.start;
  if (dtype === "F32") {
    await fill(file, new Uint8Array(data.buffer), from, at);
  } else {
    const scratch = new Uint8Array(Math.min(PIECE_BYTES, bytes));
    for (let done = 0; done < bytes; done += scratch.length) {
      const piece = scratch.subarray(0, Math.min(scratch.length, bytes - done));
      decodeFloats(await fill(file, piece, from + done, at), dtype, data, (done * 8) / DTYPE_BITS[dtype]);
    }
  }
  return { dtype, shape, data };
}
