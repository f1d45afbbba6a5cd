// In: a Parquet file. Out: rows, a row group at a time; integers come as numbers, times as ISO text.
import { open } from "node:fs/promises";
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { InputError } from "../../errors";
import { type RawRow, checkObject, guardRow } from "./row";

const BATCH = 2048;
/** Decoded bytes that are held at once; a larger row group is read in windows of rows. */
const WINDOW_BYTES = 1 << 26;

/** BigInt, Date and typed arrays become what JSON would hold, so that a row can be written out again. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint")
    return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
      ? Number(value)
      : String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number | bigint>, plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

/** Rows from start to end, each column by itself: the bytes of one column chunk are in memory at a time. */
async function readWindow(
  { file, metadata, compressors, columns }: Source,
  rowStart: number,
  rowEnd: number,
): Promise<Record<string, unknown>[]> {
  const { parquetReadObjects } = await import("hyparquet");
  const rows: Record<string, unknown>[] = Array.from({ length: rowEnd - rowStart }, () => Object.create(null));
  for (const column of columns) {
    const values = await parquetReadObjects({ file, metadata, compressors, columns: [column], rowStart, rowEnd });
    values.forEach((value, i) => (rows[i][column] = value[column]));
  }
  return rows;
}

interface Source {
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly compressors: Compressors;
  readonly columns: readonly string[];
}

/**
 * How many windows a row group is read in. Pages before a window are passed over unread in flat columns only, so a group
 * with nested columns is read at once.
 */
function windowsOf(group: FileMetaData["row_groups"][number]): number {
  const flat = group.columns.every(({ meta_data: column }) => column?.path_in_schema.length === 1);
  return flat ? Math.max(1, Math.ceil(Number(group.total_byte_size) / WINDOW_BYTES)) : 1;
}

/** @throws InputError when the file is torn or uses an encoding that is not known. */
export async function* readParquet(path: string): AsyncGenerator<RawRow[]> {
  const { parquetMetadataAsync, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
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
    const source = {
      file,
      metadata,
      compressors,
      columns: parquetSchema(metadata).children.map(({ element }) => element.name),
    };
    let groupStart = 0;
    for (const group of metadata.row_groups) {
      const groupEnd = groupStart + Number(group.num_rows);
      const size = Math.ceil((groupEnd - groupStart) / windowsOf(group));
      for (let start = groupStart; start < groupEnd; start += size) {
        const rows = await readWindow(source, start, Math.min(groupEnd, start + size));
        for (let at = 0; at < rows.length; at += BATCH)
          yield rows.slice(at, at + BATCH).map((row, i) => guardRow(start + at + i + 1, () => checkObject(plain(row))));
      }
      groupStart = groupEnd;
    }
  } catch (error) {
    throw new InputError(
      `${path}: expected a Parquet file, got one that cannot be read (${(error as Error).message}); write it again`,
    );
  } finally {
    await handle.close();
  }
}
