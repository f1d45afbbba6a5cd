// In: a row that asks for rewards, not a pair. Out: its prompt, system prompt and earlier turns included.
import type { Row } from "../containers/row";
import { refusePrinted, type FieldTree, fieldTree, unreadFields } from "../context";
import { get, text } from "../fields";
import type { Message } from "../pair";
import { LEADING_FIELDS, leadingMessages, promptOf, withLead } from "./conversation";
import { isMessageList, promptText, readMessages } from "./messages";

/** A prompt as text, and as messages where the row gives a conversation. */
export interface Asked {
  readonly prompt: string;
  readonly promptMessages?: readonly Message[];
}

/** The fields of such a row: the prompt's and those that hold the answers. */
export const askedFields = (answers: readonly string[]): FieldTree =>
  fieldTree(["prompt", ...LEADING_FIELDS, ...answers]);

/**
 * @param answers the texts of the row's answers
 * @throws RowFault where the row holds context that is not read
 */
export function readAsked(row: Row, fields: FieldTree, answers: readonly string[]): Asked {
  refusePrinted(row, fields);
  const asked = isMessageList(get(row, "prompt")) ? askedMessages(row) : promptOf(row, text(row, "prompt"));
  const contents = (asked.promptMessages ?? []).map(({ content }) => content);
  unreadFields(row, fields, [asked.prompt, ...contents, ...answers], { format: "prompt and answers" });
  return asked;
}

function askedMessages(row: Row): Asked {
  const promptMessages = withLead(leadingMessages(row), readMessages(row.prompt, "prompt"));
  return { prompt: promptText(promptMessages), promptMessages };
}
