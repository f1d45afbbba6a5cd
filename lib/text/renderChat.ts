// In: a prompt and an answer of a chat. Out: the rendered conversation in parts, so that truncation knows the prompt
// from the answer.
import { InputError } from "../errors";
import type { Message } from "../pairs/pair";
import { applyChatTemplate } from "./chatTemplate";
import type { SpecialTokens } from "./specialTokens";
import type { TextPart } from "./template";
import type { TextItem } from "./textItem";
import type { TokenizerFiles } from "./tokenizerFiles";

/** A text as the engine gets it; its parts only when it must be cut. */
export interface RenderedText {
  readonly text: string;
  parts(): TextPart[];
}

/**
 * Renders the chat template over the conversation and the answer.
 *
 * @throws InputError when the tokenizer has no chat template, or it refuses the messages
 */
export function renderChat(
  item: TextItem,
  special: SpecialTokens,
  { settings, chatFile, dir }: Pick<TokenizerFiles, "settings" | "chatFile"> & { readonly dir: string },
): RenderedText {
  const { chat_template: template, bos_token, eos_token, pad_token, unk_token, cls_token, sep_token } = settings;
  if (!template) {
    throw new InputError(
      `${dir}: expected a tokenizer with a chat template, got one without; ` +
        `give a text template such as "{prompt}\\n{response}"`,
    );
  }
  const hide = ({ role, content }: Message): Message => ({
    role: special.setAside(role),
    content: special.setAside(content),
  });
  const prompt = (item.promptMessages ?? [{ role: "user", content: item.prompt }]).map(hide);
  const answer = (item.responseMessages ?? [{ role: "assistant", content: item.response }]).map(hide);
  const variables = definedOnly({ bos_token, eos_token, pad_token, unk_token, cls_token, sep_token });
  const render = (messages: readonly Message[]) =>
    applyChatTemplate(messages, { template, variables, where: `${chatFile}: chat template` });
  const named = (text: string) => special.putBack(special.withSecretNames(text));
  const text = render([...prompt, ...answer]);
  return {
    text: named(text),
    parts: () =>
      splitRendered(text, render, prompt, answer).map(({ from, text: part }) => ({ from, text: named(part) })),
  };
}

/** A token that the tokenizer lacks is undefined in Python's templates too: printing it gives nothing, joining it raises. */
const definedOnly = (tokens: Readonly<Record<string, string | null | undefined>>) =>
  Object.fromEntries(Object.entries(tokens).filter(([, token]) => token != null));

/**
 * Cuts the rendered text at the edges of the conversation's and the answer's content. The edges are learnt from a
 * second rendering with marks for contents, because a content may occur in the template as well. Templates may trim
 * the answer.
 */
function splitRendered(
  text: string,
  render: (messages: readonly Message[]) => string,
  prompt: readonly Message[],
  answer: readonly Message[],
): TextPart[] {
  const mark = (i: number) => `rewardbookMark${i}x`;
  const marked = render([...prompt, ...answer].map(({ role }, i) => ({ role, content: mark(i) })));
  const last = mark(prompt.length + answer.length - 1);
  const [beforeAnswer] = marked.split(mark(prompt.length));
  const [throughAnswer, tail = ""] = marked.split(last);
  const turns = throughAnswer.slice(beforeAnswer.length) + last;
  const withContents = (contents: readonly string[]) =>
    contents.reduce((filled, content, i) => filled.replace(mark(prompt.length + i), () => content), turns);
  const contents = answer.map(({ content }) => content);
  const head = beforeAnswer.split(mark(0))[0],
    gap = beforeAnswer.split(mark(prompt.length - 1)).at(-1)!;
  const response =
    [contents, contents.map((content) => content.trim())]
      .map(withContents)
      .find((turns) => text.endsWith(turns + tail)) ?? "";
  const responseStart = text.length - tail.length - response.length;
  const promptStart = text.startsWith(head) ? head.length : 0;
  const promptEnd = text.slice(promptStart, responseStart).endsWith(gap) ? responseStart - gap.length : responseStart;
  const parts: TextPart[] = [
    { from: "template", text: text.slice(0, promptStart) },
    { from: "prompt", text: text.slice(promptStart, promptEnd) },
    { from: "template", text: text.slice(promptEnd, responseStart) },
    { from: "response", text: text.slice(responseStart, responseStart + response.length) },
    { from: "template", text: text.slice(responseStart + response.length) },
  ];
  return parts.filter((part) => part.from !== "template" || part.text !== "");
}
