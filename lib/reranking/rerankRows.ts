// In: a file of prompts with several candidate answers each. Out: the rows, checked.
import { InputError } from "../errors";
import type { RawRow, Row } from "../pairs/containers/row";
import { readCheckedRows, type CheckedRows, type CheckedRowsOptions } from "../pairs/checkedRows";
import { RowFault, typeName } from "../pairs/faults";
import { get, list } from "../pairs/fields";
import type { Message } from "../pairs/pair";
import { isMessageList, readAnswer } from "../pairs/formats/messages";
import { type Asked, askedFields, readAsked } from "../pairs/formats/asked";

export interface Candidate {
  readonly text: string;
  /** Its turns, where it is more than one assistant message. */
  readonly messages?: readonly Message[];
  /** Known quality, any scale, higher is better; null where the row gives none. */
  readonly quality: number | null;
}

/** One prompt with two candidate answers or more. */
export interface RerankRow extends Asked {
  /** Line (JSONL) or row number in the file. */
  readonly line: number;
  readonly candidates: readonly Candidate[];
  /** Index of the best candidate, from 0; null where the row does not say. */
  readonly best: number | null;
}

/**
 * Reads rows `{prompt, candidates: [text… or {text, quality}], best?: index}`; messages may stand for a text.
 *
 * @throws InputError listing the rows at fault by line, unless they are to be skipped, or when no row is left
 * @example
 * ```ts
 * const { rows, faults } = await readRerankRows("candidates.jsonl", { skip_bad_rows: true });
 * console.log(rows.length, faults);
 * ```
 */
export async function readRerankRows(path: string, options?: CheckedRowsOptions): Promise<CheckedRows<RerankRow>> {
  const read = await readCheckedRows(path, rerankRow, options);
  if (read) return read;
  throw new InputError(`${path}: expected rows {prompt, candidates}, got an empty file; write one prompt a line`);
}

const FIELDS = askedFields(["candidates", "best", "id", "question_id"]);

function rerankRow(value: Row, { line }: RawRow): RerankRow {
  const given = list(value, "candidates");
  if (given.length < 2)
    throw new RowFault("invalid_value", `candidates: expected two answers or more, got ${given.length}`);
  const candidates = given.map(candidate);
  const rated = candidates.filter(({ quality }) => quality !== null).length;
  if (rated !== 0 && rated !== candidates.length) {
    throw new RowFault(
      "missing_field",
      `candidates: expected a quality for all ${candidates.length} or for none, got ${rated}`,
    );
  }
  const texts = candidates.flatMap(({ text, messages = [] }) => [text, ...messages.map(({ content }) => content)]);
  return {
    line,
    ...readAsked(value, FIELDS, texts),
    candidates,
    best: bestIndex(get(value, "best"), candidates.length),
  };
}

function candidate(item: unknown, index: number): Candidate {
  const where = `candidates[${index}]`;
  if (typeof item === "string") return { text: item, quality: null };
  if (isMessageList(item)) return { ...readAnswer(item, where), quality: null };
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw new RowFault(
      "wrong_type",
      `${where}: expected a string, messages or {text or messages, quality}, got ${typeName(item)}`,
    );
  }
  const { text: given, messages, quality } = item as Record<string, unknown>;
  if (given !== undefined && messages !== undefined)
    throw new RowFault("invalid_value", `${where}: expected text or messages, got both; remove one`);
  if (messages === undefined && typeof given !== "string")
    throw new RowFault("wrong_type", `${where}.text: expected a string, got ${typeName(given)}`);
  const answer = messages === undefined ? { text: given as string } : readAnswer(messages, `${where}.messages`);
  if (quality === undefined || quality === null) return { ...answer, quality: null };
  if (typeof quality !== "number" || !Number.isFinite(quality)) {
    throw new RowFault("wrong_type", `${where}.quality: expected a finite number, got ${typeName(quality)}`);
  }
  return { ...answer, quality };
}

function bestIndex(best: unknown, candidates: number): number | null {
  if (best === undefined || best === null) return null;
  if (typeof best === "number" && Number.isInteger(best) && best >= 0 && best < candidates) return best;
  const got = typeof best === "number" ? best : typeName(best);
  throw new RowFault(
    "invalid_value",
    `best: expected the index of a candidate from 0 to ${candidates - 1}, got ${got}`,
  );
}
