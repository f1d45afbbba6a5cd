// In: a template, a prompt and an answer. Out: the text the model reads.
import { UsageError } from "../errors";

/** Input text of the original notebook. */
export const DEFAULT_TEMPLATE = "Question:\n{prompt}\n\nAnswer:\n{response}";
/** Stands for the tokenizer's own chat template. */
export const CHAT_TEMPLATE = "chat";
/** Stands for a text that is a rendered chat already, special tokens spelt out: the answer is the whole text. */
export const RENDERED_CHAT = "rendered chat";

/** Whether the text holds its own special tokens, so that the tokenizer adds none. */
export const isChat = (template: string): boolean => template === CHAT_TEMPLATE || template === RENDERED_CHAT;

/** One piece of a rendered text, and where it came from. */
export interface TextPart {
  readonly from: "template" | "prompt" | "response";
  readonly text: string;
}

/**
 * The parts a template is made of, in order. `{prompt}` and `{response}` are replaced once: braces inside the data
 * stay as they are.
 *
 * @throws UsageError when the template does not hold `{response}` exactly once, or `{prompt}` more than once
 */
export function templateParts(
  template: string,
  texts: { readonly prompt: string; readonly response: string },
): TextPart[] {
  const pieces = template.split(/(\{prompt\}|\{response\})/);
  const count = (name: string) => pieces.filter((piece) => piece === name).length;
  if (count("{response}") !== 1 || count("{prompt}") > 1) {
    throw new UsageError(
      `template: expected {response} once and {prompt} at most once, got ${JSON.stringify(template)}; ` +
        `for example ${JSON.stringify(DEFAULT_TEMPLATE)}, or "${CHAT_TEMPLATE}" for the tokenizer's chat template`,
    );
  }
  return pieces
    .map((piece): TextPart =>
      piece === "{prompt}"
        ? { from: "prompt", text: texts.prompt }
        : piece === "{response}"
          ? { from: "response", text: texts.response }
          : { from: "template", text: piece },
    )
    .filter((part) => part.from !== "template" || part.text !== "");
}

/**
 * The rendered text. @throws as `templateParts`
 *
 * @example
 * ```ts
 * renderTemplate("Question: {prompt}\nAnswer: {response}", { prompt: "2 + 2?", response: "4" }); // → "Question: 2 + 2?\nAnswer: 4"
 * ```
 */
export function renderTemplate(
  template: string,
  texts: { readonly prompt: string; readonly response: string },
): string {
  return templateParts(template, texts)
    .map((part) => part.text)
    .join("");
}
