// In: a safetensors file and the place of a matrix in it. Out: single rows of it, read when they are asked for: of a large table a text meets few.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { InputError } from "../errors";
import { decodeFloats } from "./dtypes";
import { checkFinite } from "./finite";
import { requireFloats } from "./safetensorsRead";
import type { TensorPlace } from "./safetensorsHeader";

/** A matrix [rows, columns] that stays in its file, which is kept open. */
export interface RowsOnFile {
  readonly shape: readonly number[];
  /** Changes with the file: its path, size and time. */
  readonly version: string;
  /**
   * Writes rows one after another.
   *
   * @param into float32, rows.length × columns numbers or more
   * @throws InputError where the file was written over since it was opened, or a number is not finite
   */
  read(rows: ArrayLike<number>, into: Float32Array): void;
  close(): void;
}

/** @throws InputError for a dtype without floats */
export function openRows(path: string, { name, dtype, shape, start, end }: TensorPlace, dataStart: number): RowsOnFile {
  const at = `${path}: tensor ${JSON.stringify(name)}`;
  requireFloats(dtype, at);
  const columns = shape[1];
  const bytes = Buffer.alloc((end - start) / shape[0]);
  const file = openSync(path, "r");
  const versionNow = () => {
    const { size, mtimeMs } = fstatSync(file);
    return `${path} ${size} ${mtimeMs}`;
  };
  const version = versionNow();
  return {
    shape,
    version,
    read(rows, into) {
      if (versionNow() !== version)
        throw new InputError(`${path}: expected the file as it was opened, got another since; load the model again`);
      for (let i = 0; i < rows.length; i++) {
        readWhole(file, bytes, dataStart + start + rows[i] * bytes.length, at);
        decodeFloats(bytes, dtype, into, i * columns);
        checkFinite(into.subarray(i * columns, (i + 1) * columns), at, () => `in row ${rows[i]}`);
      }
    },
    close: () => closeSync(file),
  };
}

function readWhole(file: number, into: Uint8Array, position: number, at: string): void {
  for (let done = 0; done < into.length;) {
    const read = readSync(file, into, done, into.length - done, position + done);
    if (read === 0) throw new InputError(`${at}: expected more bytes, got the end of the file; fetch or save it again`);
    done += read;
  }
}
