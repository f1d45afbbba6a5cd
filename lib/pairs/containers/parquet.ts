// In: a Parquet file. Out: rows, a row group at a time; integers come as numbers, times as ISO text.
import { open } from "node:fs/promises";
import { InputError } from "../../errors";
import { type RawRow, checkObject, guardRow } from "./row";

const WINDOW = 2048;

/** BigInt, Date and typed arrays become what JSON would hold, so that a row can be written out again. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint")
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** @throws InputError when the file is torn or uses an encoding that is not known. */
export async function* readParquet(path: string): AsyncGenerator<RawRow[]> {
  const { parquetMetadataAsync, parquetReadObjects } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  const broken = (error: unknown) =>
    new InputError(`${path}: expected a Parquet file, got one that cannot be read (${(error as Error).message}); write it again`);
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const file = {
      byteLength: size,
      slice: async (start: number, end = size) => {
        const bytes = new Uint8Array(end - start);
        await handle.read(bytes, 0, bytes.length, start);
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(file);
    let groupStart = 0;
    for (const group of metadata.row_groups) {
      const rowEnd = groupStart + Number(group.num_rows);
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart: groupStart, rowEnd });
      for (let start = 0; start < rows.length; start += WINDOW) {
        const from = groupStart + start + 1;
        yield rows.slice(start, start + WINDOW).map((row, i) => guardRow(from + i, () => checkObject(plain(row))));
      }
      groupStart = rowEnd;
    }
  } catch (error) {
    throw broken(error);
  } finally {
    await handle.close();
  }
}
