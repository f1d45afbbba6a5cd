// In: whatever a table is asked to show. Out: its rows, each an object of named values.
import { UsageError } from "../errors";

/** The part of a danfo.js data frame or series that a table needs; a bare one in a cell prints its internals. */
export interface FrameLike {
  readonly columns: readonly string[];
  /** Rows of a frame, values of a series. */
  readonly values: readonly unknown[];
  readonly index?: readonly (string | number)[];
}

export type NamedValues = Readonly<Record<string, unknown>>;

/**
 * What a table takes: rows in any iterable (a row is an object, a list or a single value), a map, a record, columns by their
 * names (`{ epoch: [1, 2], loss: [0.6, 0.5] }`), a data frame.
 */
export type Rows = Iterable<unknown> | FrameLike | object;

export const isFrame = (value: object): value is FrameLike =>
  "columns" in value && Array.isArray(value.columns) && "values" in value && Array.isArray(value.values);

const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value;

/**
 * The rows of a table, and its columns where the rows themselves do not name them all.
 *
 * @throws UsageError for a single value, which has no rows
 */
export function rowsOf(given: Rows): { readonly rows: readonly NamedValues[]; readonly columns?: readonly string[] } {
  if (typeof given !== "object" || given === null)
    throw new UsageError(`createTable: expected rows, got ${String(given)}; put a single value into a list`);
  if (!Array.isArray(given) && isFrame(given)) return frameRows(given);
  if (given instanceof Map) return { rows: [...given].map(([key, value]) => keyed(key, value)) };
  if (isIterable(given)) return { rows: [...given].map(named) };
  if (isColumns(given)) return { rows: columnRows(given), columns: Object.keys(given) };
  return { rows: Object.entries(given).map(([key, value]) => keyed(key, value)) };
}

/** An index that is more than row numbers is the first column. */
function frameRows({ columns, values, index = [] }: FrameLike) {
  const labelled = index.some((label, i) => label !== i);
  const all = labelled ? ["index", ...columns] : [...columns];
  const rows = values.map((row, i) => {
    const cells = Array.isArray(row) ? row : [row];
    const entries = columns.map((name, c): [string, unknown] => [name, cells[c]]);
    return Object.fromEntries(labelled ? [["index", index[i]], ...entries] : entries) as NamedValues;
  });
  return { rows, columns: all };
}

type Column = ArrayLike<unknown> & Iterable<unknown>;

const isList = (value: unknown): value is Column =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** Lists of one length under names: the columns of a table. */
function isColumns(given: object): given is Readonly<Record<string, Column>> {
  const lists: unknown[] = Object.values(given);
  return lists.length > 0 && lists.every(isList) && new Set(lists.map(({ length }) => length)).size === 1;
}

const columnRows = (columns: Readonly<Record<string, Column>>): NamedValues[] =>
  Array.from(Object.values(columns)[0], (_, i) =>
    Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]])),
  );

const isRecord = (value: unknown): value is NamedValues =>
  typeof value === "object" && value !== null && !(value instanceof Date);

const named = (row: unknown): NamedValues => (isRecord(row) ? row : { value: row });

const keyed = (key: unknown, value: unknown): NamedValues =>
  isRecord(value) && !Array.isArray(value) ? { name: key, ...value } : { name: key, value };
