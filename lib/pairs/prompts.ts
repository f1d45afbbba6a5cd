// In: a file of pairs, or of anything with a prompt. Out: its prompts.
import { InputError } from "../errors";
import type { Row } from "./containers/row";
import { detectFormat } from "./formats";
import { isLeftOut } from "./formats/format";
import { isMessageList, promptText, readMessages } from "./formats/messages";
import { RowFault } from "./faults";
import { openRows } from "./rows";

/** Fields that hold a prompt in evaluation files without pairs. */
const FIELDS = ["prompt", "question_text", "question", "instruction", "query", "input", "messages"] as const;

/** The prompt that a field states; undefined where none does. */
function statedPrompt(row: Row): string | undefined {
  for (const field of FIELDS) {
    const value = Object.hasOwn(row, field) ? row[field] : undefined;
    if (typeof value === "string" && value.trim() !== "") return value;
    if (isMessageList(value)) {
      const messages = readMessages(value, field);
      const last = messages.at(-1)?.role === "assistant" ? messages.slice(0, -1) : messages;
      return promptText(last);
    }
  }
  return undefined;
}

/** Implicit prompts: as the pair format finds them. */
function pairPrompt(row: Row, path: string): string | undefined {
  const outcome = detectFormat([row], path).convert([row], { minimum_gap: 0 })[0];
  return outcome && !isLeftOut(outcome) ? outcome.prompt : undefined;
}

/**
 * One prompt a row, in order; rows without one are passed over.
 *
 * @throws InputError when the file cannot be read or not one row has a prompt
 */
export async function* readPrompts(path: string): AsyncGenerator<string> {
  const { batches } = await openRows(path);
  let found = 0;
  for await (const batch of batches)
    for (const { value } of batch) {
      let prompt: string | undefined;
      try {
        prompt = value && (statedPrompt(value) ?? pairPrompt(value, path));
      } catch (error) {
        if (!(error instanceof RowFault) && !(error instanceof InputError)) throw error;
      }
      if (prompt === undefined || prompt.trim() === "") continue;
      found++;
      yield prompt;
    }
  if (found === 0)
    throw new InputError(
      `${path}: expected rows with a prompt (${FIELDS.join(", ")}), got none; name the evaluation file`,
    );
}
