// In: a Parquet file. Out: rows, a row group at a time; integers come as numbers, times as ISO text.
import { open } from "node:fs/promises";
import type { AsyncBuffer, Compressors, FileMetaData } from "hyparquet";
import { InputError } from "../../errors";
import { systemFault } from "../../files/systemError";
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

/** Rows are held to what the columns hold: a damaged count would ask for memory without end. */
function checkCounts({ row_groups: groups, num_rows: all }: FileMetaData): void {
  let rows = 0n;
  for (const { num_rows: count, columns } of groups) {
    rows += count;
    for (const { meta_data: column } of columns) {
      const flat = column?.path_in_schema.length === 1;
      if (count < 0n || (flat && column.num_values !== count))
        throw new Error(`parquet row group of ${count} rows with a column of ${column?.num_values} values`);
    }
  }
  if (rows !== all) throw new Error(`parquet of ${all} rows with row groups of ${rows}`);
}

/** What the reader says of the format, where it says it; else it stumbled over parts that do not fit. */
function damaged(path: string, error: unknown): InputError {
  const message = error instanceof Error ? error.message : "";
  const why = /^(parquet|thrift|snappy|brotli|zstd|gzip|lz4)/i.test(message)
    ? message
    : "its parts do not fit together";
  return new InputError(
    `${path}: expected a Parquet file, got a damaged or unknown one (${why.slice(0, 160)}); write or fetch it again`,
    { cause: error },
  );
}

let listening = false;
/**
 * Of several columns that cannot be read the reader waits for the first only; the others' rejections would end the
 * process. The first has been reported: they are taken note of, all others end the process as before.
 */
function hearOtherColumns(): void {
  if (listening) return;
  listening = true;
  process.on("unhandledRejection", (reason) => {
    if (reason instanceof Error && reason.stack?.includes("hyparquet")) return;
    setImmediate(() => {
      throw reason;
    });
  });
}

/** @throws InputError when the file is torn or uses an encoding that is not known. */
export async function* readParquet(path: string): AsyncGenerator<RawRow[]> {
  const { parquetMetadataAsync, parquetSchema } = await import("hyparquet");
  const { compressors } = await import("hyparquet-compressors");
  hearOtherColumns();
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    const file = {
      byteLength: size,
      // Places outside the file give what there is: a rejection here would end the process, nobody waits for some of them.
      slice: async (from: number, to = size) => {
        const start = Math.min(Math.max(0, from), size);
        const bytes = new Uint8Array(Math.max(0, Math.min(to, size) - start) || 0);
        await handle.read(bytes, 0, bytes.length, start);
        return bytes.buffer;
      },
    };
    // its marks for maps follow counts of children without end when they are damaged
    const metadata = await parquetMetadataAsync(file, { geoparquet: false });
    checkCounts(metadata);
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
    throw systemFault(error, path) ?? damaged(path, error);
  } finally {
    await handle.close();
  }
}
