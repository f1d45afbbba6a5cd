// What a format is: fields it is known by, and how one row becomes drafts of pairs.
import type { Message } from "../pair";
import type { Row } from "../containers/row";
import { RowFault, type Rule } from "../faults";
import { optionalName, optionalNumber } from "../fields";

/** A pair before the rules are applied and the missing fields filled in. */
export interface Draft {
  readonly id?: string;
  readonly questionId?: string;
  readonly prompt: string;
  readonly chosen: string;
  readonly rejected: string;
  readonly promptMessages?: readonly Message[];
  readonly chosenMessages?: readonly Message[];
  readonly rejectedMessages?: readonly Message[];
  readonly margin?: number;
  readonly scoreChosen?: number;
  readonly scoreRejected?: number;
  readonly riskLevel?: string;
  readonly confidencePenalty?: number;
  readonly category?: string;
  readonly preferenceType?: string;
  readonly subset?: string;
  /** Set where the source itself says that neither answer is better. */
  readonly tie?: boolean;
}

/** A pair that the format leaves out by rule. */
export interface LeftOut {
  readonly rule: Rule;
  readonly message: string;
  readonly id?: string;
}
export type Outcome = Draft | LeftOut;
export const isLeftOut = (outcome: Outcome): outcome is LeftOut => "rule" in outcome;

/** A row and the line it stands in. */
export interface Numbered {
  readonly row: Row;
  readonly line: number;
  readonly fileLine?: number;
}

export interface FormatOptions {
  /** Least difference of two ratings that makes a pair (formats with ratings). */
  readonly minimum_gap: number;
}

export interface PairFormat {
  readonly name: string;
  /** What it reads, for the log. */
  readonly reads: string;
  /** The fields it reads besides `COMMON_FIELDS`; `list[].field` and `object.field` name nested ones, `*` a number. */
  readonly fields: readonly string[];
  /** Fields that are named like context and are none: how the answers were made, not what they answer. */
  readonly asides?: readonly string[];
  matches(row: Row): boolean;
  /** The pairs of a row, or of a group of rows; throws RowFault. */
  convert(rows: readonly Row[], options: FormatOptions): readonly Outcome[];
  /** Formats with one answer a row: consecutive rows with the same key belong together. */
  groupKey?(row: Row): string;
  /** Its source keeps pairs whose scores are equal. */
  readonly keepsTies?: boolean;
  /** The prompt is found in the answers, and may be empty. */
  readonly implicitPrompt?: boolean;
  /** One row may give several pairs: each carries on a plain row of its own instead of the row as read. */
  readonly expands?: boolean;
}

/** The optional fields that any format may carry. */
export const COMMON_FIELDS = [
  "id",
  "question_id",
  "margin",
  "score_chosen",
  "score_rejected",
  "risk_level",
  "confidence_penalty",
  "category",
  "preference_type",
  "subset",
] as const;

/** The optional fields, checked. */
export function commonFields(row: Row): Omit<Draft, "prompt" | "chosen" | "rejected"> {
  return {
    id: optionalName(row, "id"),
    questionId: optionalName(row, "question_id"),
    margin: within(row, "margin", [-LARGEST, LARGEST]),
    scoreChosen: optionalNumber(row, "score_chosen"),
    scoreRejected: optionalNumber(row, "score_rejected"),
    riskLevel: optionalName(row, "risk_level"),
    confidencePenalty: within(row, "confidence_penalty", [0, LARGEST]),
    category: optionalName(row, "category"),
    preferenceType: optionalName(row, "preference_type"),
    subset: optionalName(row, "subset"),
  };
}

/** Larger factors of a loss run out of the range of 32-bit floating point sooner or later. */
const LARGEST = 1e6;

/** A number that the loss can be computed with. @throws RowFault for one outside the range */
function within(row: Row, field: string, [low, high]: readonly [number, number]): number | undefined {
  const value = optionalNumber(row, field);
  if (value === undefined || (value >= low && value <= high)) return value;
  const expected = low === 0 && value < 0 ? "0 or more" : `a number from ${low} to ${high}`;
  throw new RowFault("invalid_value", `${field}: expected ${expected}, got ${value}`);
}
