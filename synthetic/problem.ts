// What a domain makes: a question whose answer is computed or looked up, with the mistakes people make about it.
import type { Random } from "../lib/random";

export type Risk = "Low" | "Medium" | "High";

/** How a mistake is made. */
export type MistakeKind = "lexical swap" | "wrong cause" | "wrong unit";

/** A plausible answer that is wrong, with the reasoning that leads there. */
export interface Mistake {
  readonly value: string;
  readonly because: string;
  readonly kind: MistakeKind;
}

/** A question with its right answer and its mistakes. Sentences end with a full stop. */
export interface Problem {
  /** Several wordings of the question. */
  readonly ask: readonly string[];
  /** Wordings of the answer, `{}` for its value. */
  readonly frames: readonly string[];
  readonly value: string;
  /** Why the answer is right: the working, the cause, the rule. */
  readonly because: readonly string[];
  /** What a complete answer adds: a check, a limit, a caution. */
  readonly check: readonly string[];
  readonly mistakes: readonly Mistake[];
}

export interface Domain {
  readonly name: string;
  readonly risk: Risk;
  make(random: Random): Problem;
}

/** Whole number from low to high, both included. */
export const between = (random: Random, low: number, high: number): number => low + random.integer(high - low + 1);

/** A number in plain digits with at most `digits` decimals: 1234.5 → "1,234.5". No locale decides. */
export function plainNumber(value: number, digits = 2): string {
  const [whole, decimals = ""] = Math.abs(value).toFixed(digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const rest = decimals.replace(/0+$/, "");
  return `${value < 0 ? "-" : ""}${grouped}${rest ? `.${rest}` : ""}`;
}

/** An item of the list other than the given one. */
export function other<T>(random: Random, items: readonly T[], not: T): T {
  const rest = items.filter((item) => item !== not);
  return random.pick(rest);
}
