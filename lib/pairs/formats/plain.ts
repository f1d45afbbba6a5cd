// Plain pairs: prompt, chosen, rejected as texts, with a system prompt and earlier turns where the row has them.
import type { Row } from "../containers/row";
import { RowFault, typeName } from "../faults";
import { has, get, list, text } from "../fields";
import { LEADING_FIELDS, promptOf } from "./conversation";
import { type Draft, type PairFormat, commonFields } from "./format";
import { isMessageList } from "./messages";

/** Names of the question; the first that the row has is read. */
export const PROMPT_NAMES = ["prompt", "question", "query", "input", "instruction"] as const;
const PLAIN_NAMES = PROMPT_NAMES.filter((name) => name !== "instruction");

const nameOf = (row: Row): string | undefined => PLAIN_NAMES.find((name) => has(row, name));

export const plain: PairFormat = {
  name: "plain",
  reads: "prompt (or question, query, input), chosen, rejected (+ system, history)",
  fields: [...PLAIN_NAMES, "chosen", "rejected", ...LEADING_FIELDS],
  matches: (row) =>
    nameOf(row) !== undefined &&
    (has(row, "prompt") || !has(row, "instruction")) &&
    has(row, "chosen") &&
    has(row, "rejected") &&
    !isMessageList(row[nameOf(row)!]) &&
    !isMessageList(row.chosen) &&
    !isMessageList(row.rejected),
  convert: ([row]) => [
    {
      ...commonFields(row),
      ...promptOf(row, text(row, nameOf(row) ?? "prompt")),
      chosen: text(row, "chosen"),
      rejected: text(row, "rejected"),
    },
  ],
};

/** The input, where there is one, follows the instruction. */
function alpacaPrompt(row: Row): Pick<Draft, "prompt" | "promptMessages"> {
  const input = get(row, "input") ? text(row, "input") : "";
  return promptOf(row, [text(row, "instruction"), input].filter(Boolean).join("\n"));
}

/** LLaMA-Factory's ranking files in Alpaca form. */
export const alpaca: PairFormat = {
  name: "alpaca",
  reads: "instruction (+ input, system, history), chosen, rejected",
  fields: ["instruction", "input", "chosen", "rejected", ...LEADING_FIELDS],
  matches: (row) => has(row, "instruction") && has(row, "chosen") && has(row, "rejected") && !isMessageList(row.chosen),
  convert: ([row]) => [
    { ...commonFields(row), ...alpacaPrompt(row), chosen: text(row, "chosen"), rejected: text(row, "rejected") },
  ],
};

/** The older form: a list of answers, preferred ones before rejected ones. Every two make a pair. */
export const alpacaList: PairFormat = {
  name: "alpaca-list",
  expands: true,
  reads: "instruction (+ input, system, history), output[] (preferred answers first)",
  fields: ["instruction", "input", "output", ...LEADING_FIELDS],
  matches: (row) => has(row, "instruction") && Array.isArray(row.output),
  convert: ([row]) => {
    const common = commonFields(row);
    const prompt = alpacaPrompt(row);
    const answers = list(row, "output").map((item, i) => {
      if (typeof item === "string") return item;
      throw new RowFault("wrong_type", `output[${i}]: expected a string, got ${typeName(item)}`);
    });
    if (answers.length < 2)
      return [{ rule: "single_answer", message: `expected two answers or more, got ${answers.length}`, id: common.id }];
    return answers.flatMap((chosen, i) =>
      answers.slice(i + 1).map((rejected, j) => ({
        ...common,
        id: common.id === undefined || answers.length === 2 ? common.id : `${common.id}#${i + 1}-${i + j + 2}`,
        ...prompt,
        chosen,
        rejected,
      })),
    );
  },
};
