// In: a file of {prompt, response} rows. Out: the rows, or null where the file holds preference pairs instead.
import { readCheckedRows, type CheckedRows, type CheckedRowsOptions } from "./checkedRows";
import { get, has, text } from "./fields";
import { type Asked, askedFields, readAsked } from "./formats/asked";
import { isMessageList, readAnswer } from "./formats/messages";
import type { Message } from "./pair";

/** One answer to score, with the row it came from. */
export interface ResponseRow extends Asked {
  readonly response: string;
  /** Its turns, where it is more than one assistant message. */
  readonly responseMessages?: readonly Message[];
  readonly raw: Readonly<Record<string, unknown>>;
}

type Answer = ReturnType<typeof readAnswer>;

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
      const { text: response, messages }: Answer = isMessageList(get(row, "response"))
        ? readAnswer(row.response, "response")
        : { text: text(row, "response") };
      const texts = [response, ...(messages ?? []).map(({ content }) => content)];
      return { ...readAsked(row, FIELDS, texts), response, responseMessages: messages, raw: value };
    },
    options,
    (first) => has(first, "response") && !has(first, "chosen"),
  );
