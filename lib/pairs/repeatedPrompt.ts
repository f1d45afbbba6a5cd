// In: a pair whose answers may begin with its prompt. Out: the pair with the prompt read once, and what was done.
import type { Draft } from "./formats/format";

/** What follows the prompt in an answer that begins with it; undefined where it does not, or a word goes on. */
function afterPrompt(prompt: string, answer: string): string | undefined {
  const [head, text] = [prompt.trim(), answer.trimStart()];
  if (head === "" || !text.startsWith(head)) return undefined;
  const rest = text.slice(head.length);
  const wordGoesOn = /[\p{L}\p{N}]$/u.test(head) && /^[\p{L}\p{N}]/u.test(rest);
  return wordGoesOn ? undefined : rest;
}

/** Both answers begin with the prompt, as texts (conversations are compared by messages). */
export function repeatsPrompt({ prompt, promptMessages, chosen, rejected }: Draft): boolean {
  if (promptMessages !== undefined) return false;
  return afterPrompt(prompt, chosen) !== undefined && afterPrompt(prompt, rejected) !== undefined;
}

/**
 * Takes the prompt from the answers where the file does so as a rule; one row may as well greet with the prompt's words.
 * The prompt gives its own trailing white space up for what stands at the seam.
 */
export function withoutRepeatedPrompt(draft: Draft, asRule: boolean): { draft: Draft; note?: string } {
  if (!repeatsPrompt(draft)) return { draft };
  if (!asRule) return { draft, note: "both answers begin with the prompt; they are read as they stand" };
  const [prompt, chosen, rejected] = [draft.prompt.trimEnd(), draft.chosen, draft.rejected];
  return {
    draft: { ...draft, prompt, chosen: afterPrompt(prompt, chosen)!, rejected: afterPrompt(prompt, rejected)! },
    note: "both answers begin with the prompt; it is read once",
  };
}
