// In: a path. Out: its rows, whichever container they are in.
import { InputError } from "../errors";
import { type Opened, openFile } from "./bytes";
import { readCsv } from "./containers/csv";
import { readJsonList } from "./containers/json";
import { readJsonLines } from "./containers/jsonl";
import { readParquet } from "./containers/parquet";
import type { RawRow } from "./containers/row";

export type Container = "jsonl" | "json" | "csv" | "tsv" | "parquet";

/** Rows of a file in batches. */
export interface Rows {
  readonly container: Container;
  readonly batches: AsyncGenerator<RawRow[]>;
}

/** By magic bytes, then by extension, then by the first character. */
function containerOf(path: string, { head }: Opened): Container {
  if (head.toString("latin1") === "PAR1") return "parquet";
  const extension = /\.(jsonl|ndjson|json|csv|tsv|parquet)$/i.exec(path.replace(/\.gz$/i, ""))?.[1].toLowerCase();
  if (extension === "ndjson") return "jsonl";
  if (extension === "parquet")
    throw new InputError(
      `${path}: expected a Parquet file, got something else (no PAR1 at its start); check how it was written`,
    );
  if (extension) return extension as Container;
  const start = head
    .toString("latin1")
    .replace(/^\xef\xbb\xbf/, "")
    .trimStart()[0];
  if (start === "[") return "json";
  if (start === "{") return "jsonl";
  throw new InputError(
    `${path}: expected a .jsonl, .json, .csv or .parquet file (or .gz of one); rename it to say which it is`,
  );
}

/** @throws InputError when the file is missing, empty, a directory, or of no known container. */
export async function openRows(path: string): Promise<Rows> {
  const opened = await openFile(path);
  const container = containerOf(path, opened);
  const batches = {
    jsonl: () => readJsonLines(opened.bytes()),
    json: () => readJsonList(opened.bytes(), path),
    csv: () => readCsv(opened.bytes(), path, ","),
    tsv: () => readCsv(opened.bytes(), path, "\t"),
    parquet: () => readParquet(path),
  }[container]();
  return { container, batches };
}
