// In: messages and a tokenizer's chat template. Out: the text Python's `apply_chat_template(messages, tokenize=False)`
// makes.
import { Template } from "@huggingface/jinja";
import { InputError } from "../errors";
import type { Message } from "../pairs/pair";

export interface ChatTemplateOptions {
  /** Jinja source, as in `tokenizer_config.json` or `chat_template.jinja`. */
  readonly template: string;
  /** Opens an assistant turn after the last message; off for a reward model, whose last message is the answer. */
  readonly addGenerationPrompt?: boolean;
  /** What the template may use by name: `bos_token`, `eos_token`, … */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** File the template came from, for messages. */
  readonly where?: string;
}

/**
 * Llama-3's templates write today's date into the system turn unless they are told one; a reward must not depend on
 * the day. The date is the one those templates fall back to; in Python: `apply_chat_template(…, date_string="26 Jul
 * 2024")`.
 */
const FIXED_DATE = "26 Jul 2024";

const parsed = new Map<string, Template>();

/**
 * Renders a conversation.
 *
 * @throws InputError when the template cannot be read or refuses the messages (`raise_exception`)
 * Reference: transformers, `utils/chat_template_utils.py`
 */
export function applyChatTemplate(messages: readonly Message[], options: ChatTemplateOptions): string {
  const { template, addGenerationPrompt = false, variables = {}, where = "chat template" } = options;
  try {
    let compiled = parsed.get(template);
    if (!compiled) parsed.set(template, (compiled = new Template(template)));
    return compiled.render({
      date_string: FIXED_DATE,
      ...variables,
      messages: messages.map(({ role, content }) => ({ role, content })),
      add_generation_prompt: addGenerationPrompt,
    });
  } catch (error) {
    throw new InputError(
      `${where}: expected a template that renders ${messages.map((m) => m.role).join(", ")}, ` +
        `got ${(error as Error).message}; ` +
        "mend the messages, or give a text template with {prompt} and {response}",
    );
  }
}
