// In: messages and a tokenizer's chat template. Out: the text Python's `apply_chat_template(messages, tokenize=False)`
// makes.
import { InputError } from "../errors";
import type { Message } from "../pairs/pair";
import { FIXED_DATE, formatFixedDate } from "./clock";
import { str } from "./jinja/print";
import { render } from "./jinja/render";
import { parseTemplate, type Node } from "./jinja/syntax";
import { Callable, toValue, type Value } from "./jinja/values";

export { FIXED_DATE, fixedClock } from "./clock";

export interface ChatTemplateOptions {
  /** Jinja source, as in `tokenizer_config.json` or `chat_template.jinja`. */
  readonly template: string;
  /** Opens an assistant turn after the last message; off for a reward model, whose last message is the answer. */
  readonly addGenerationPrompt?: boolean;
  /** What the template may use by name: `bos_token`, `eos_token`, … A name that is not there is undefined, as in Python. */
  readonly variables?: Readonly<Record<string, unknown>>;
  /** File the template came from, for messages. */
  readonly where?: string;
}

const parsed = new Map<string, readonly Node[]>();

/** `strftime_now`: the fixed date, as a reward must not depend on the day. */
const CLOCK = new Callable("strftime_now", ({ positional: [format] }) => formatFixedDate(str(format)));

/** What transformers hands every template beside the messages; tools and documents are none unless given. */
const ALWAYS = { tools: null, documents: null, continue_final_message: false, date_string: FIXED_DATE };

/**
 * Renders a conversation.
 *
 * @throws InputError when the template cannot be read, uses what is undefined, or refuses the messages (`raise_exception`)
 * Reference: transformers, `utils/chat_template_utils.py`
 * @example
 * ```ts
 * const template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";
 * applyChatTemplate([{ role: "user", content: "2 + 2?" }], { template }); // → "<user>2 + 2?"
 * ```
 */
export function applyChatTemplate(messages: readonly Message[], options: ChatTemplateOptions): string {
  const { template, addGenerationPrompt = false, variables = {}, where = "chat template" } = options;
  try {
    let nodes = parsed.get(template);
    if (!nodes) parsed.set(template, (nodes = parseTemplate(template)));
    const given = { ...ALWAYS, ...variables, messages, add_generation_prompt: addGenerationPrompt };
    const named = Object.entries(given).flatMap(([name, value]): [string, Value][] =>
      value === undefined ? [] : [[name, toValue(value)]],
    );
    return render(nodes, new Map([["strftime_now", CLOCK as Value], ...named]));
  } catch (error) {
    throw new InputError(
      `${where}: expected a template that renders ${messages.map((m) => m.role).join(", ")}, ` +
        `got ${(error as Error).message}; ` +
        "mend the messages, or give a text template with {prompt} and {response}",
    );
  }
}
