// In: whatever a table is asked to show. Out: its rows, each an object of named values.

/** The part of a danfo.js data frame or series that a table needs; a bare one in a cell prints its internals. */
export interface FrameLike {
  readonly columns: readonly string[];
  /** Rows of a frame, values of a series. */
  readonly values: readonly unknown[];
  readonly index?: readonly (string | number)[];
}

export type NamedValues = Readonly<Record<string, unknown>>;

/** What a table takes: rows in any iterable (a row is an object, a list or a single value), a map, a record, a data frame. */
export type Rows = Iterable<unknown> | FrameLike | object;

export const isFrame = (value: object): value is FrameLike =>
  "columns" in value && Array.isArray(value.columns) && "values" in value && Array.isArray(value.values);

const isIterable = (value: object): value is Iterable<unknown> => Symbol.iterator in value;

/** The rows of a table, and its columns where the rows themselves do not name them all. */
export function rowsOf(given: Rows): { readonly rows: readonly NamedValues[]; readonly columns?: readonly string[] } {
  if (!Array.isArray(given) && isFrame(given)) return frameRows(given);
  if (given instanceof Map) return { rows: [...given].map(([key, value]) => keyed(key, value)) };
  if (isIterable(given)) return { rows: [...given].map(named) };
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

const isRecord = (value: unknown): value is NamedValues =>
  typeof value === "object" && value !== null && !(value instanceof Date);

const named = (row: unknown): NamedValues => (isRecord(row) ? row : { value: row });

const keyed = (key: unknown, value: unknown): NamedValues =>
  isRecord(value) && !Array.isArray(value) ? { name: key, ...value } : { name: key, value };
