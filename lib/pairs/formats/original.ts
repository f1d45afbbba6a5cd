// The original notebook's pairs: a question with a rated preferred and a rated rejected answer.
import type { Row } from "../containers/row";
import { RowFault } from "../faults";
import { has, object, optionalNumber, text } from "../fields";
import { type PairFormat, commonFields } from "./format";

/** The explicit score, else the digit a rating such as "3-Incomplete" begins with; undefined where neither is there. */
export function ratingScore(answer: Row, label: string): number | undefined {
  const score = optionalNumber(answer, "score", `${label}.score`);
  if (score !== undefined) return score;
  const rating = Object.hasOwn(answer, "rating") ? answer.rating : undefined;
  if (rating === undefined || rating === null || rating === "") return undefined;
  if (typeof rating === "number") return rating;
  if (typeof rating !== "string")
    throw new RowFault("wrong_type", `${label}.rating: expected text such as "3-Incomplete"`);
  return /^\d/.test(rating) ? Number(/^\d+/.exec(rating)![0]) : undefined;
}

export const original: PairFormat = {
  name: "original",
  reads: "question_text, preferred_answer.answer_text, rejected_answer.answer_text",
  fields: [
    "question_text",
    ...["preferred_answer", "rejected_answer"].flatMap((answer) =>
      ["answer_text", "score", "rating"].map((field) => `${answer}.${field}`),
    ),
    "score_difference",
  ],
  keepsTies: true,
  matches: (row) => has(row, "question_text") && (has(row, "preferred_answer") || has(row, "rejected_answer")),
  convert: ([row]) => {
    const preferred = object(row, "preferred_answer");
    const rejected = object(row, "rejected_answer");
    const scoreChosen = ratingScore(preferred, "preferred_answer");
    const scoreRejected = ratingScore(rejected, "rejected_answer");
    const difference = optionalNumber(row, "score_difference");
    return [
      {
        ...commonFields(row),
        prompt: text(row, "question_text"),
        chosen: text(preferred, "answer_text", "preferred_answer.answer_text"),
        rejected: text(rejected, "answer_text", "rejected_answer.answer_text"),
        scoreChosen,
        scoreRejected,
        tie: difference === 0,
      },
    ];
  },
};
