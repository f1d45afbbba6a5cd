// Argilla exports: binarised preference sets, and feedback records whose annotators chose or ranked the responses.
import type { Row } from "../containers/row";
import { RowFault } from "../faults";
import { get, has, optionalNumber, text } from "../fields";
import { type Draft, type PairFormat, commonFields } from "./format";
import { promptOf } from "./conversation";
import { conversational } from "./conversational";
import { isMessageList } from "./messages";

/** Names of the two ratings; both are taken from one pair of names, so that they are of one scale. */
const RATINGS = [
  ["chosen_score", "rejected_score"],
  ["chosen-rating", "rejected-rating"],
  ["chosen_rating", "rejected_rating"],
  ["chosen_avg_rating", "rejected_avg_rating"],
  ["score_chosen", "score_rejected"],
] as const;

function scores(row: Row): Pick<Draft, "scoreChosen" | "scoreRejected"> {
  for (const [chosen, rejected] of RATINGS) {
    const [scoreChosen, scoreRejected] = [optionalNumber(row, chosen), optionalNumber(row, rejected)];
    if (scoreChosen !== undefined && scoreRejected !== undefined) return { scoreChosen, scoreRejected };
  }
  return {};
}

const PROMPTS = ["instruction", "prompt", "input", "question"] as const;
const promptField = (row: Row) => PROMPTS.find((field) => typeof get(row, field) === "string");
/** How the names of an annotator's questions begin. */
const JUDGEMENTS = ["choose", "rank", "prefer", "best", "response_ranking"] as const;
const isFeedback = (row: Row) => responseFields(row).length >= 2 && judgements(row).length > 0;

/** `chosen_response`/`rejected_response` texts, or distilabel's chosen/rejected with ratings beside them. */
export const argilla: PairFormat = {
  name: "argilla",
  reads: "instruction or prompt, chosen(_response), rejected(_response), their ratings",
  fields: [
    ...conversational.fields,
    ...PROMPTS,
    ...["chosen", "rejected", "chosen_response", "rejected_response"],
    ...RATINGS.flat(),
  ],
  matches: (row) =>
    (promptField(row) !== undefined && has(row, "chosen_response") && has(row, "rejected_response")) ||
    (has(row, "chosen") &&
      has(row, "rejected") &&
      ["chosen_rating", "chosen-rating", "chosen_avg_rating", "chosen_score"].some((field) => has(row, field))),
  convert: ([row], options) => {
    if (isMessageList(row.chosen))
      return conversational.convert([row], options).map((pair) => ({ ...pair, ...scores(row) }));
    const prompt = promptField(row) ?? "prompt";
    const [chosen, rejected] = has(row, "chosen_response")
      ? ["chosen_response", "rejected_response"]
      : ["chosen", "rejected"];
    return [
      {
        ...commonFields(row),
        ...scores(row),
        ...promptOf(row, text(row, prompt)),
        chosen: text(row, chosen),
        rejected: text(row, rejected),
      },
    ];
  },
};

/** `response-1`, `response_2`, … (flat, or under `fields` as the client exports records). */
function responseFields(row: Row): string[] {
  const fields = nested(row, "fields") ?? row;
  return Object.keys(fields)
    .filter((key) => /^response[-_]?\d+$/.test(key))
    .sort((a, b) => Number(/\d+$/.exec(a)![0]) - Number(/\d+$/.exec(b)![0]));
}

function nested(row: Row, field: string): Row | undefined {
  const value = get(row, field);
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Row) : undefined;
}

/** All submitted answers to the comparison questions: numbers, `response-1`, or ranked lists. */
function judgements(row: Row): unknown[] {
  const responses = get(row, "responses");
  if (Array.isArray(responses))
    return responses
      .filter((item) => (item as Row | null)?.status !== "discarded" && (item as Row | null)?.status !== "draft")
      .flatMap((item) => {
        const values = nested(item as Row, "values");
        return values ? Object.values(values).map((entry) => (entry as Row | null)?.value) : [];
      });
  return Object.keys(row)
    .filter((key) => JUDGEMENTS.some((name) => key.startsWith(name)))
    .flatMap((key) => {
      const value = row[key];
      return (Array.isArray(value) ? value : [value]).map((item: unknown) =>
        typeof item === "object" && item !== null ? (item as Row).value : item,
      );
    });
}

/** Votes for each response: one for the chosen one, one for every response ranked below. */
function votes(values: readonly unknown[], names: readonly string[]): number[] {
  const index = (value: unknown) => {
    const at = names.indexOf(String(value));
    return at >= 0 ? at : Number(/\d+$/.exec(String(value))?.[0] ?? 0) - 1;
  };
  const tally = names.map(() => 0);
  for (const value of values) {
    if (Array.isArray(value)) {
      for (const better of value as Row[])
        for (const worse of value as Row[])
          if (Number(better.rank) < Number(worse.rank) && tally[index(better.value)] !== undefined)
            tally[index(better.value)]++;
    } else if (value !== null && value !== undefined && tally[index(value)] !== undefined) tally[index(value)]++;
  }
  return tally;
}

/** Records of a feedback data set: the response with more votes is chosen. */
export const argillaFeedback: PairFormat = {
  name: "argilla-feedback",
  expands: true,
  reads: "prompt, response-1, response-2 …, the annotators' choices or rankings",
  fields: [
    ...["", "fields."].flatMap((at) => [...PROMPTS, "response-*", "response_*"].map((field) => at + field)),
    "responses[].values",
    "responses[].status",
    ...JUDGEMENTS.map((name) => `${name}*`),
  ],
  matches: isFeedback,
  convert: ([row]) => {
    const fields = nested(row, "fields") ?? row;
    const names = responseFields(row);
    const prompt = promptField(fields);
    if (prompt === undefined)
      throw new RowFault(
        "missing_field",
        `expected field "prompt" or "instruction", got only ${Object.keys(fields).join(", ")}`,
      );
    const values = judgements(row);
    const common = commonFields(row);
    if (values.length === 0 || names.length < 2)
      return [{ rule: "unanswered", message: "no annotator has judged this record", id: common.id }];
    const tally = votes(values, names);
    const out: Draft[] = [];
    for (let i = 0; i < names.length; i++)
      for (let j = i + 1; j < names.length; j++) {
        const [a, b] = tally[i] >= tally[j] ? [i, j] : [j, i];
        const id = common.id === undefined || names.length === 2 ? common.id : `${common.id}#${i + 1}-${j + 1}`;
        out.push({
          ...common,
          id,
          prompt: text(fields, prompt),
          chosen: text(fields, names[a]),
          rejected: text(fields, names[b]),
          scoreChosen: tally[a],
          scoreRejected: tally[b],
        });
      }
    return out;
  },
};
