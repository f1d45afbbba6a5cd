// Rated answers become pairs: every two answers to one prompt whose ratings differ by the minimum gap or more.
import type { Row } from "../containers/row";
import { RowFault, typeName } from "../faults";
import { get, has, list, optionalName, optionalNumber, text } from "../fields";
import { type FormatOptions, type Outcome, type PairFormat, commonFields } from "./format";

/** One answer with its rating. */
interface Rated {
  readonly text: string;
  readonly rating: number;
}

/** All pairs of the answers, in their order; pairs too close are left out and counted. */
export function pairsOfRatings(
  prompt: string,
  answers: readonly Rated[],
  row: Row,
  { minimum_gap }: FormatOptions,
): Outcome[] {
  const common = commonFields(row);
  if (answers.length < 2)
    return [
      { rule: "single_answer", message: `expected two rated answers or more, got ${answers.length}`, id: common.id },
    ];
  const out: Outcome[] = [];
  for (let i = 0; i < answers.length; i++)
    for (let j = i + 1; j < answers.length; j++) {
      const [better, worse] =
        answers[i].rating >= answers[j].rating ? [answers[i], answers[j]] : [answers[j], answers[i]];
      const gap = better.rating - worse.rating;
      const id = common.id === undefined ? undefined : `${common.id}#${i + 1}-${j + 1}`;
      const which = `answers ${i + 1} and ${j + 1}`;
      if (gap === 0) out.push({ rule: "tie", message: `${which} are both rated ${better.rating}`, id });
      else if (gap < minimum_gap)
        out.push({
          rule: "gap_below_minimum",
          message: `${which}: ratings ${better.rating} and ${worse.rating} differ by less than ${minimum_gap}`,
          id,
        });
      else
        out.push({
          ...common,
          id,
          prompt,
          chosen: better.text,
          rejected: worse.text,
          scoreChosen: better.rating,
          scoreRejected: worse.rating,
        });
    }
  return out;
}

function rating(row: Row, field: string, label = field): number {
  const value = optionalNumber(row, field, label);
  if (value === undefined)
    throw new RowFault(
      "missing_field",
      `expected field "${label}", got only ${Object.keys(row).slice(0, 12).join(", ")}`,
    );
  return value;
}

/** HelpSteer 1 and 2: one rated answer a row, the answers to one prompt in consecutive rows; rated by helpfulness (0 to 4). */
export const helpsteer: PairFormat = {
  name: "helpsteer",
  expands: true,
  reads: "prompt, response, helpfulness (consecutive rows of one prompt)",
  matches: (row) => has(row, "prompt") && has(row, "response") && has(row, "helpfulness"),
  groupKey: (row) => text(row, "prompt"),
  convert: (rows, options) => {
    const answers = rows.map((row) => ({ text: text(row, "response"), rating: rating(row, "helpfulness") }));
    return pairsOfRatings(text(rows[0], "prompt"), answers, rows[0], options);
  },
};

/** HelpSteer 2-Preference (preference_strength) and 3 (overall_preference): −3 the first is much better … +3 the second. */
export const helpsteerPreference: PairFormat = {
  name: "helpsteer-preference",
  reads: "prompt, response_1, response_2, preference_strength",
  matches: (row) =>
    has(row, "prompt") && has(row, "response_1") && has(row, "response_2") && has(row, "preference_strength"),
  convert: ([row], { minimum_gap }) => {
    const strength = rating(row, "preference_strength");
    const common = commonFields(row);
    if (strength === 0) return [{ rule: "tie", message: "preference_strength is 0", id: common.id }];
    if (Math.abs(strength) < minimum_gap)
      return [
        {
          rule: "gap_below_minimum",
          message: `preference_strength ${strength} is less than ${minimum_gap}`,
          id: common.id,
        },
      ];
    const [first, second] = [text(row, "response_1"), text(row, "response_2")];
    const [chosen, rejected] = strength < 0 ? [first, second] : [second, first];
    return [
      { ...common, prompt: text(row, "prompt"), chosen, rejected, scoreChosen: Math.abs(strength), scoreRejected: 0 },
    ];
  },
};

/**
 * UltraFeedback: four completions a row. The mean of the fine-grained ratings is used where it is there:
 * `overall_score` is known to say 10 where 1 was meant.
 * Reference: Argilla, ultrafeedback-binarized-preferences (dataset card).
 */
export const ultrafeedback: PairFormat = {
  name: "ultrafeedback",
  expands: true,
  reads: "instruction, completions[].response, completions[].fine-grained_score (else overall_score)",
  matches: (row) => has(row, "instruction") && Array.isArray(row.completions),
  convert: ([row], options) => {
    const answers = list(row, "completions").map((item, i) => {
      const label = `completions[${i}]`;
      if (typeof item !== "object" || item === null || Array.isArray(item))
        throw new RowFault("wrong_type", `${label}: expected an object, got ${typeName(item)}`);
      const completion = item as Row;
      const score = optionalNumber(completion, "fine-grained_score", `${label}.fine-grained_score`);
      return {
        text: text(completion, "response", `${label}.response`),
        rating: score ?? annotated(completion) ?? rating(completion, "overall_score", `${label}.overall_score`),
      };
    });
    const row0 = { ...row, category: optionalName(row, "category") ?? optionalName(row, "source") };
    return pairsOfRatings(text(row, "instruction"), answers, row0, options);
  },
};

/** Mean of annotations.{helpfulness, honesty, instruction_following, truthfulness}.Rating; undefined unless all are numbers. */
function annotated(completion: Row): number | undefined {
  const annotations = get(completion, "annotations");
  if (typeof annotations !== "object" || annotations === null) return undefined;
  const ratings = ["helpfulness", "honesty", "instruction_following", "truthfulness"].map((aspect) => {
    const entry = get(annotations as Row, aspect);
    return typeof entry === "object" && entry !== null ? Number(get(entry as Row, "Rating") ?? NaN) : NaN;
  });
  const mean = ratings.reduce((sum, value) => sum + value, 0) / ratings.length;
  return Number.isFinite(mean) ? mean : undefined;
}
