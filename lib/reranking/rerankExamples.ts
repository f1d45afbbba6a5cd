// In: scored rows. Out: a few of them to read, the first candidate beside the model's choice.
import { topIndices } from "./bestOfN";
import type { ScoredRow } from "./rerankScores";

export interface RerankExample {
  readonly line: number;
  readonly prompt: string;
  readonly before: ExampleChoice;
  readonly after: ExampleChoice;
  /** Whether the model's choice is better than the first candidate; null where the row cannot tell. */
  readonly outcome: "better" | "worse" | "same" | null;
}

export interface ExampleChoice {
  readonly index: number;
  readonly text: string;
  readonly score: number;
  readonly quality: number | null;
}

/** Evenly spaced over the rows where the model departs from the first candidate, then over the others. */
export function pickExamples(rows: readonly ScoredRow[], count: number): RerankExample[] {
  const changed = rows.filter((row) => topIndices(row.scores)[0] !== 0);
  const unchanged = rows.filter((row) => topIndices(row.scores)[0] === 0);
  const spaced = <T>(list: readonly T[], most: number): T[] =>
    list.length <= most
      ? [...list]
      : Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]);
  const picked = spaced(changed, count);
  return [...picked, ...spaced(unchanged, count - picked.length)].map((row) => {
    const at = (index: number): ExampleChoice => ({ index, score: row.scores[index], ...row.candidates[index] });
    const after = topIndices(row.scores)[0];
    const values = row.qualities ?? row.isBest;
    const gain = values && Math.sign(values[after] - values[0]);
    const outcome = gain === null ? null : gain > 0 ? "better" : gain < 0 ? "worse" : "same";
    return { line: row.line, prompt: row.prompt, before: at(0), after: at(after), outcome };
  });
}
