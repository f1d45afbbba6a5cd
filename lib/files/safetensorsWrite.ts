// In: named tensors. Out: a safetensors file.
import { open, type FileHandle } from "node:fs/promises";
import { encodeBfloat16 } from "./dtypes";
import { elementCount, PIECE_NUMBERS, writeAll } from "./pieces";
import { byteLength } from "./safetensorsHeader";

/** Numbers in order, some at a time. */
export type Pieces = Iterable<Float32Array> | AsyncIterable<Float32Array>;

/** A tensor to be written: all its numbers, or a function that delivers them piece by piece when its turn comes, so that no tensor is held whole. */
export type TensorSource = { readonly shape: readonly number[] } & (
  { readonly data: Float32Array } | { readonly pieces: () => Pieces }
);

/**
 * Writes one file, tensor by tensor, and waits until it is on the disk.
 * Order and padding are those of Python's `safetensors.torch.save_file`: by name, header padded with spaces to 8 bytes.
 *
 * @param options.dtype    what the numbers are stored as; BF16 rounds to nearest, ties to even
 * @param options.metadata strings for `__metadata__`; transformers wants `{format: "pt"}`
 */
export async function writeSafetensors(
  path: string,
  entries: Iterable<readonly [name: string, tensor: TensorSource]>,
  options: { readonly dtype?: "F32" | "BF16"; readonly metadata?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const { dtype = "F32", metadata = { format: "pt" } } = options;
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const file = await open(path, "w");
  try {
    await writeAll(file, headerBytes(sorted, dtype, metadata));
    for (const [name, tensor] of sorted) {
      let count = 0;
      for await (const values of "pieces" in tensor ? tensor.pieces() : [tensor.data]) {
        count += values.length;
        await writeNumbers(file, values, dtype);
      }
      if (count !== elementCount(tensor.shape)) {
        throw new Error(`writeSafetensors: tensor ${name}: shape [${tensor.shape}] does not hold ${count} numbers`);
      }
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

async function writeNumbers(file: FileHandle, values: Float32Array, dtype: "F32" | "BF16"): Promise<void> {
  for (let from = 0; from < values.length; from += PIECE_NUMBERS) {
    const piece = values.subarray(from, from + PIECE_NUMBERS);
    await writeAll(file, dtype === "BF16" ? encodeBfloat16(piece) : piece);
  }
}

function headerBytes(
  sorted: readonly (readonly [string, TensorSource])[],
  dtype: "F32" | "BF16",
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let end = 0;
  const places = sorted.map(([name, { shape }], i) => {
    if (sorted[i + 1]?.[0] === name) throw new Error(`writeSafetensors: tensor ${name} given twice`);
    const start = end;
    end += byteLength(shape, dtype)!;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries([["__metadata__", metadata], ...places])));
  const padded = Math.ceil(json.length / 8) * 8;
  const bytes = Buffer.alloc(8 + padded, " ");
  bytes.writeBigUInt64LE(BigInt(padded));
  json.copy(bytes, 8);
  return bytes;
}
