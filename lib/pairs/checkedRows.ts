// In: a file of rows that are no pairs, and how one is read. Out: what the sound rows give, and a list of those at fault.
import { InputError } from "../errors";
import type { RawRow, Row } from "./containers/row";
import { ignoredFields, withoutFields } from "./context";
import { RowFault } from "./faults";
import { faultList, placeOf } from "./readReport";
import { openRows } from "./rows";

export interface CheckedRows<T> {
  readonly rows: readonly T[];
  /** Rows left out because they are at fault, each `file:line: why`. */
  readonly faults: readonly string[];
}

export interface CheckedRowsOptions {
  /** Leave rows at fault out instead of stopping. */
  readonly skip_bad_rows?: boolean;
  /** Fields to read as if they were not there, separated by commas. */
  readonly ignore_fields?: string;
}

/**
 * Reads every row of a file.
 *
 * @param read  a row without the ignored fields, and as it stands in the file; throws RowFault
 * @param isFor whether the file is of this kind at all, by its first sound row
 * @returns null where it is not, or has no rows
 * @throws InputError listing the rows at fault, unless they are to be skipped and some are left
 */
export async function readCheckedRows<T>(
  path: string,
  read: (row: Row, raw: RawRow & { readonly value: Row }) => T,
  { skip_bad_rows = false, ignore_fields }: CheckedRowsOptions = {},
  isFor: (first: Row) => boolean = () => true,
): Promise<CheckedRows<T> | null> {
  const { batches, container } = await openRows(path);
  const ignored = ignoredFields(ignore_fields);
  const rows: T[] = [];
  const faults: string[] = [];
  let decided = false;
  for await (const batch of batches) {
    for (const raw of batch) {
      const { value, fault } = raw;
      if (value && !decided) {
        if (!isFor(value)) return null;
        decided = true;
      }
      try {
        if (!value) throw new RowFault(fault!.reason, fault!.message);
        rows.push(read(withoutFields(value, ignored), { ...raw, value }));
      } catch (error) {
        if (!(error instanceof RowFault)) throw error;
        faults.push(`${placeOf({ path, container }, raw)}: ${error.message}`);
      }
    }
  }
  if (rows.length === 0 && faults.length === 0) return null;
  if (faults.length > 0 && (!skip_bad_rows || rows.length === 0))
    throw new InputError(faultList(path, faults.length + rows.length, faults));
  return { rows, faults };
}
