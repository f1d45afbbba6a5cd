// In: a pair. Out: what kind of preference it asks for, by its own category or a guess from the two answers.
import type { ScoredPair } from "../scoring/scoredPair";

export type PreferenceType = "safety" | "correctness" | "completeness" | "style" | "helpfulness";

const REFUSAL =
  /^\W*(i'?m (very |really )?sorry|sorry,|i (can ?not|can'?t|won'?t|am unable|am not able|'?m unable|'?m not able)|as an ai|unfortunately, i (can|am))/i;

const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Share of words two texts have in common, counted with repetition: 2·|A∩B| / (|A|+|B|). */
export function wordOverlap(a: string, b: string): number {
  const left = words(a);
  const right = words(b);
  const counts = new Map<string, number>();
  for (const word of left) counts.set(word, (counts.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of right) {
    const count = counts.get(word) ?? 0;
    if (count > 0) {
      common++;
      counts.set(word, count - 1);
    }
  }
  return left.length + right.length === 0 ? 1 : (2 * common) / (left.length + right.length);
}

/**
 * Guess at a pair's preference type from its texts, for data without categories. In this order: exactly one answer
 * refuses → safety; nearly the same words but other numbers → correctness; one answer half as long again or more →
 * completeness; nearly the same words → style; else helpfulness.
 */
export function inferPreferenceType(pair: Pick<ScoredPair, "chosen" | "rejected">): PreferenceType {
  const { chosen, rejected } = pair;
  if (REFUSAL.test(chosen) !== REFUSAL.test(rejected)) return "safety";
  const alike = wordOverlap(chosen, rejected) >= 0.7;
  const numbers = (text: string) => (text.match(/\d+(?:[.,]\d+)*/g) ?? []).join(" ");
  if (alike && numbers(chosen) !== numbers(rejected)) return "correctness";
  const [short, long] = [chosen.length, rejected.length].sort((a, b) => a - b);
  if (long >= 1.5 * short) return "completeness";
  return alike ? "style" : "helpfulness";
}

/**
 * What the data says: its preference type, or else its category; else the guess.
 *
 * @example
 * ```ts
 * console.log(scored.map(preferenceType));
 * ```
 */
export function preferenceType(pair: ScoredPair): string {
  return pair.preferenceType ?? pair.category ?? inferPreferenceType(pair);
}
