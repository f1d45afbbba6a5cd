// Rated answers become pairs: every two answers to one prompt whose ratings differ by the minimum gap or more.
import type { Row } from "../containers/row";
import { RowFault, typeName } from "../faults";
import { get, has, list, optionalName, optionalNumber, text } from "../fields";
import { type Draft, type FormatOptions, type LeftOut, type Outcome, type PairFormat, commonFields } from "./format";
import { answerText, isMessageList, promptText, readMessages } from "./messages";

/** One answer with its rating; undefined where nobody rated it. */
export interface Rated {
  readonly text: string;
  readonly rating: number | undefined;
}

type Prompt = Pick<Draft, "prompt" | "promptMessages">;

const pairId = (id: string | undefined, i: number, j: number) =>
  id === undefined ? undefined : `${id}#${i + 1}-${j + 1}`;

/** All pairs of the rated answers, in their order; answers without a rating and pairs too close are left out and counted. */
export function pairsOfRatings(
  prompt: Prompt,
  answers: readonly Rated[],
  row: Row,
  { minimum_gap }: FormatOptions,
): Outcome[] {
  const common = commonFields(row);
  const out: Outcome[] = answers.flatMap(({ rating }, i): LeftOut[] =>
    rating === undefined ? [{ rule: "unrated", message: `answer ${i + 1} has no rating`, id: common.id }] : [],
  );
  const rated = answers.filter(({ rating }) => rating !== undefined).length;
  if (rated < 2)
    out.push({ rule: "single_answer", message: `expected two rated answers or more, got ${rated}`, id: common.id });
  for (let i = 0; i < answers.length; i++)
    for (let j = i + 1; j < answers.length; j++) {
      const [a, b] = [answers[i].rating, answers[j].rating];
      if (a === undefined || b === undefined) continue;
      const [better, worse] = a >= b ? [answers[i], answers[j]] : [answers[j], answers[i]];
      const [high, low] = [Math.max(a, b), Math.min(a, b)];
      const id = pairId(common.id, i, j);
      const which = `answers ${i + 1} and ${j + 1}`;
      if (high === low) out.push({ rule: "tie", message: `${which} are both rated ${high}`, id });
      else if (high - low < minimum_gap)
        out.push({
          rule: "gap_below_minimum",
          message: `${which}: ratings ${high} and ${low} differ by less than ${minimum_gap}`,
          id,
        });
      else
        out.push({
          ...common,
          id,
          ...prompt,
          chosen: better.text,
          rejected: worse.text,
          scoreChosen: high,
          scoreRejected: low,
        });
    }
  return out;
}

/** A rating that must be there, if only as "N/A" or null. */
function rating(row: Row, field: string, label = field): number | undefined {
  if (!has(row, field))
    throw new RowFault(
      "missing_field",
      `expected field "${label}", got only ${Object.keys(row).slice(0, 12).join(", ")}`,
    );
  return optionalNumber(row, field, label);
}

/** HelpSteer 1 and 2: one rated answer a row, the answers to one prompt in consecutive rows; rated by helpfulness (0 to 4). */
export const helpsteer: PairFormat = {
  name: "helpsteer",
  expands: true,
  reads: "prompt, response, helpfulness (consecutive rows of one prompt)",
  fields: ["prompt", "response", "helpfulness"],
  matches: (row) => has(row, "prompt") && has(row, "response") && has(row, "helpfulness"),
  groupKey: (row) => text(row, "prompt"),
  convert: (rows, options) => {
    const answers = rows.map((row) => ({ text: text(row, "response"), rating: rating(row, "helpfulness") }));
    return pairsOfRatings({ prompt: text(rows[0], "prompt") }, answers, rows[0], options);
  },
};

/** The pair that a signed preference makes: negative, the first answer is better. */
function preferencePair(
  row: Row,
  field: string,
  pair: { readonly prompt: Prompt; readonly answers: readonly [string, string] },
  { minimum_gap }: FormatOptions,
): Outcome[] {
  const strength = rating(row, field);
  const common = commonFields(row);
  const left = (rule: LeftOut["rule"], message: string): Outcome[] => [{ rule, message, id: common.id }];
  if (strength === undefined) return left("unrated", `${field} is missing`);
  if (strength === 0) return left("tie", `${field} is 0`);
  if (Math.abs(strength) < minimum_gap)
    return left("gap_below_minimum", `${field} ${strength} is less than ${minimum_gap}`);
  const [first, second] = pair.answers;
  const [chosen, rejected] = strength < 0 ? [first, second] : [second, first];
  return [{ ...common, ...pair.prompt, chosen, rejected, scoreChosen: Math.abs(strength), scoreRejected: 0 }];
}

/** HelpSteer 2-Preference: −3 the first is much better … +3 the second. */
export const helpsteerPreference: PairFormat = {
  name: "helpsteer-preference",
  reads: "prompt, response_1, response_2, preference_strength",
  fields: ["prompt", "response_1", "response_2", "preference_strength"],
  matches: (row) =>
    has(row, "prompt") && has(row, "response_1") && has(row, "response_2") && has(row, "preference_strength"),
  convert: ([row], options) =>
    preferencePair(
      row,
      "preference_strength",
      { prompt: { prompt: text(row, "prompt") }, answers: [text(row, "response_1"), text(row, "response_2")] },
      options,
    ),
};

/** A conversation before the answers: messages, or one question as text. */
function contextOf(row: Row, field: string): Prompt {
  const value = get(row, field);
  if (!isMessageList(value)) return { prompt: text(row, field) };
  const messages = readMessages(value, field);
  return { prompt: promptText(messages), promptMessages: messages };
}

/** HelpSteer 3: a conversation and two answers; −3 the first is much better … +3 the second. */
export const helpsteer3: PairFormat = {
  name: "helpsteer3",
  reads: "context (messages), response1, response2, overall_preference",
  fields: ["context", "response1", "response2", "overall_preference", "domain"],
  matches: (row) =>
    has(row, "context") && has(row, "response1") && has(row, "response2") && has(row, "overall_preference"),
  convert: ([row], options) =>
    preferencePair(
      withCategory(row, "domain"),
      "overall_preference",
      { prompt: contextOf(row, "context"), answers: [text(row, "response1"), text(row, "response2")] },
      options,
    ),
};

const withCategory = (row: Row, field: string): Row => ({
  ...row,
  category: optionalName(row, "category") ?? optionalName(row, field),
});

/** NeMo-RL: a conversation and completions with ranks, the lowest the best. */
export const rankedCompletions: PairFormat = {
  name: "nemo-rl",
  expands: true,
  reads: "context (messages) or prompt, completions[].completion, completions[].rank (lowest is best)",
  fields: ["context", "prompt", "completions[].rank", "completions[].completion", "task_name"],
  matches: (row) =>
    (has(row, "context") || has(row, "prompt")) &&
    Array.isArray(row.completions) &&
    row.completions.some((item) => typeof item === "object" && item !== null && "rank" in item && "completion" in item),
  convert: ([row]) => {
    const prompt = contextOf(row, has(row, "context") ? "context" : "prompt");
    const answers = objectsIn(row, "completions").map(([completion, label]): Rated => {
      const value = get(completion, "completion");
      const rank = rating(completion, "rank", `${label}.rank`);
      return {
        text:
          typeof value === "string"
            ? text(completion, "completion")
            : answerText(readMessages(value, `${label}.completion`)),
        rating: rank === undefined ? undefined : -rank,
      };
    });
    // Ranks say which is better, not by how much.
    return pairsOfRatings(prompt, answers, withCategory(row, "task_name"), { minimum_gap: 0 }).map((outcome) =>
      "rule" in outcome ? outcome : { ...outcome, scoreChosen: undefined, scoreRejected: undefined },
    );
  },
};

/** The objects of a list, each with its label. */
function objectsIn(row: Row, field: string): [Row, string][] {
  return list(row, field).map((item, i) => {
    const label = `${field}[${i}]`;
    if (typeof item !== "object" || item === null || Array.isArray(item))
      throw new RowFault("wrong_type", `${label}: expected an object, got ${typeName(item)}`);
    return [item as Row, label];
  });
}

const ASPECTS = ["helpfulness", "honesty", "instruction_following", "truthfulness"] as const;

/**
 * UltraFeedback: four completions a row. All are compared on one scale: the fine-grained score or the mean of the four
 * aspects (1 to 5), whichever rates more of them; an answer it does not rate ("N/A") is left out. `overall_score` counts
 * only where a row has neither: it is known to say 10 where 1 was meant.
 *
 * Reference: Argilla, ultrafeedback-binarized-preferences (dataset card).
 */
export const ultrafeedback: PairFormat = {
  name: "ultrafeedback",
  expands: true,
  reads: "instruction, completions[].response, completions[].fine-grained_score or annotations (else overall_score)",
  fields: [
    "instruction",
    "source",
    "completions[].response",
    "completions[].fine-grained_score",
    "completions[].overall_score",
    ...ASPECTS.map((aspect) => `completions[].annotations.${aspect}.Rating`),
  ],
  asides: ["completions[].custom_system_prompt"],
  matches: (row) => has(row, "instruction") && Array.isArray(row.completions),
  convert: ([row], options) => {
    const completions = objectsIn(row, "completions");
    const scales = [
      (item: Row, label: string) => optionalNumber(item, "fine-grained_score", `${label}.fine-grained_score`),
      meanAspect,
      (item: Row, label: string) => optionalNumber(item, "overall_score", `${label}.overall_score`),
    ].map((scale) => completions.map(([item, label]) => scale(item, label)));
    const rated = scales.map((ratings) => ratings.filter((value) => value !== undefined).length);
    const best = rated[1] > rated[0] ? 1 : rated[0] > 0 ? 0 : 2;
    const answers = completions.map(([item, label], i) => ({
      text: text(item, "response", `${label}.response`),
      rating: scales[best][i],
    }));
    return pairsOfRatings({ prompt: text(row, "instruction") }, answers, withCategory(row, "source"), options);
  },
};

/** Mean of annotations.{helpfulness, honesty, instruction_following, truthfulness}.Rating; undefined unless all are rated. */
function meanAspect(completion: Row, label: string): number | undefined {
  const annotations = get(completion, "annotations");
  if (typeof annotations !== "object" || annotations === null) return undefined;
  const ratings = ASPECTS.map((aspect) => {
    const entry = get(annotations as Row, aspect);
    const where = `${label}.annotations.${aspect}.Rating`;
    return typeof entry === "object" && entry !== null ? optionalNumber(entry as Row, "Rating", where) : undefined;
  });
  if (ratings.some((value) => value === undefined)) return undefined;
  return ratings.reduce<number>((sum, value) => sum + value!, 0) / ratings.length;
}
