// Plain pairs: prompt, chosen, rejected as texts.
import { has, get, text } from "../fields";
import { type PairFormat, commonFields } from "./format";
import { isMessageList } from "./messages";

export const plain: PairFormat = {
  name: "plain",
  reads: "prompt, chosen, rejected",
  matches: (row) =>
    has(row, "prompt") &&
    has(row, "chosen") &&
    has(row, "rejected") &&
    !isMessageList(row.prompt) &&
    !isMessageList(row.chosen) &&
    !isMessageList(row.rejected),
  convert: ([row]) => [
    {
      ...commonFields(row),
      prompt: text(row, "prompt"),
      chosen: text(row, "chosen"),
      rejected: text(row, "rejected"),
    },
  ],
};

/** LLaMA-Factory's ranking files in Alpaca form: the input, where there is one, follows the instruction. */
export const alpaca: PairFormat = {
  name: "alpaca",
  reads: "instruction (+ input, + system), chosen, rejected",
  matches: (row) => has(row, "instruction") && has(row, "chosen") && has(row, "rejected") && !isMessageList(row.chosen),
  convert: ([row]) => {
    const input = get(row, "input") ? text(row, "input") : "";
    const system = get(row, "system") ? text(row, "system") : "";
    const prompt = [text(row, "instruction"), input].filter(Boolean).join("\n");
    return [
      {
        ...commonFields(row),
        prompt: system ? `System: ${system}\n\nUser: ${prompt}` : prompt,
        promptMessages: system
          ? [
              { role: "system", content: system },
              { role: "user", content: prompt },
            ]
          : undefined,
        chosen: text(row, "chosen"),
        rejected: text(row, "rejected"),
      },
    ];
  },
};
