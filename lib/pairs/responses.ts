// In: a file of {prompt, response} rows. Out: the rows, or null where the file holds preference pairs instead.
import { readCheckedRows, type CheckedRows, type CheckedRowsOptions } from "./checkedRows";
import { has, text } from "./fields";
import { type Asked, askedFields, readAsked } from "./formats/asked";

/** One answer to score, with the row it came from. */
export interface ResponseRow extends Asked {
  readonly response: string;
  readonly raw: Readonly<Record<string, unknown>>;
}

const FIELDS = askedFields(["response", "id", "score"]);

/**
 * Reads rows of one prompt and one answer each.
 *
 * @returns null when the first sound row has no `response`: a file of pairs
 * @throws InputError listing the rows at fault, unless they are to be skipped
 */
export const readResponses = (path: string, options?: CheckedRowsOptions): Promise<CheckedRows<ResponseRow> | null> =>
  readCheckedRows(
    path,
    (row, { value }) => {
      const response = text(row, "response");
      return { ...readAsked(row, FIELDS, [response]), response, raw: value };
    },
    options,
    (first) => has(first, "response") && !has(first, "chosen"),
  );
