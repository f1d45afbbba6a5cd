// RewardBench 1 (one chosen, one rejected) and 2 (lists of both).
import { RowFault, typeName } from "../faults";
import { has, list, text } from "../fields";
import { type Outcome, type PairFormat, commonFields } from "./format";

const isTextList = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === "string");

export const rewardBench: PairFormat = {
  name: "rewardbench",
  reads: "prompt, chosen, rejected, subset",
  fields: ["prompt", "chosen", "rejected"],
  matches: (row) =>
    has(row, "prompt") &&
    has(row, "subset") &&
    has(row, "chosen_model") &&
    has(row, "rejected_model") &&
    typeof row.chosen === "string",
  convert: ([row]) => [
    {
      ...commonFields(row),
      prompt: text(row, "prompt"),
      chosen: text(row, "chosen"),
      rejected: text(row, "rejected"),
    },
  ],
};

/** Every right answer against every wrong one; the pairs of a row share its question. */
export const rewardBench2: PairFormat = {
  name: "rewardbench-2",
  expands: true,
  reads: "prompt, chosen[], rejected[], subset",
  fields: ["prompt", "chosen", "rejected"],
  matches: (row) => has(row, "prompt") && isTextList(row.chosen) && isTextList(row.rejected),
  convert: ([row]) => {
    const common = commonFields(row);
    const prompt = text(row, "prompt");
    const texts = (field: string) =>
      list(row, field).map((item, i) => {
        if (typeof item !== "string")
          throw new RowFault("wrong_type", `${field}[${i}]: expected a string, got ${typeName(item)}`);
        return item;
      });
    const chosen = texts("chosen");
    const rejected = texts("rejected");
    const out: Outcome[] = chosen.flatMap((right, i) =>
      rejected.map((wrong, j) => ({
        ...common,
        id: common.id === undefined ? undefined : `${common.id}#${i + 1}-${j + 1}`,
        questionId: common.questionId ?? common.id,
        prompt,
        chosen: right,
        rejected: wrong,
      })),
    );
    return out.length > 0
      ? out
      : [
          {
            rule: "single_answer",
            message: "expected a chosen and a rejected answer or more, got an empty list",
            id: common.id,
          },
        ];
  },
};
