// In: the fields of a request that its route does not read. Out: nothing, or the refusal of one that would change what is scored.
import { isContextName, isEmpty } from "../lib/pairs/context";
import { RequestFault } from "./faults";

/** Options of the dialects that change a score, with the value that asks for what is done anyway. */
const CHANGES_SCORES: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ["activation", true], // former names of vLLM's `use_activation`
  ["softmax", true],
  ["add_generation_prompt", false],
  ["add_special_tokens", true],
  ["chat_template", null],
  ["chat_template_kwargs", null],
  ["continue_final_message", false],
  ["max_chunks_per_doc", null],
  ["max_tokens_per_doc", null],
  ["max_tokens_per_query", null],
  ["mm_processor_kwargs", null],
  ["prompt_name", null],
  ["rank_fields", null],
]);

/**
 * Fields that no route reads are let pass, as the dialects' own servers do; tools, documents, pictures, a system prompt,
 * another template or way of cutting are not: the score would be another's.
 *
 * @param read names the route reads
 * @param at   path of the object, where it is not the body
 * @throws RequestFault naming the first field
 */
export function refuseUnread(body: object, read: ReadonlySet<string>, at = ""): void {
  for (const [name, value] of Object.entries(body)) {
    if (read.has(name) || isEmpty(value)) continue;
    const field = at === "" ? name : `${at}.${name}`;
    if (CHANGES_SCORES.has(name) && value !== CHANGES_SCORES.get(name))
      throw new RequestFault("validation", `${field}: expected no such field, which this server does not follow`, {
        field,
      });
    if ((typeof value === "string" || typeof value === "object") && isContextName(name))
      throw new RequestFault(
        "validation",
        `${field}: expected no context beside what is read; write it into the text`,
        {
          field,
        },
      );
  }
}
