// In: the shape of a tensor, or bytes. Out: the same a piece at a time, so that no large tensor is read, held or written at once.
import type { FileHandle } from "node:fs/promises";

/** Read or written at once: far below Node's limit of 2 GiB, large enough that calls do not count. */
export const PIECE_BYTES = 8 * 1024 * 1024;
/** The same in float32 numbers. */
export const PIECE_NUMBERS = PIECE_BYTES / 4;

/** Numbers in a tensor. */
export const elementCount = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The rows [from, to) of a tensor's first axis, in order: as many as make a piece, or one; a scalar is one row. */
export function* rowRanges(shape: readonly number[]): Generator<[from: number, to: number]> {
  const [rows, ...rest] = shape.length > 0 ? shape : [1];
  const columns = elementCount(rest);
  const step = Math.max(1, Math.floor(PIECE_NUMBERS / Math.max(1, columns)));
  for (let from = 0; from < rows; from += step) yield [from, Math.min(rows, from + step)];
}

/** @param at position in the file; behind what was written last when left out */
export async function writeAll(file: FileHandle, data: NodeJS.ArrayBufferView, at?: number): Promise<void> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (let done = 0; done < bytes.length;) {
    const length = Math.min(PIECE_BYTES, bytes.length - done);
    done += (await file.write(bytes, done, length, at === undefined ? undefined : at + done)).bytesWritten;
  }
}
