// In: rows of candidates and a flat list of scores. Out: the rows with their scores and what they know of the truth.
import { InputError } from "../errors";
import { topIndices } from "./bestOfN";
import type { RerankRow } from "./rerankRows";

export interface ScoredRow extends RerankRow {
  readonly scores: Float64Array;
  /** 1 for the best candidate, shared by equals; null where the row does not say. */
  readonly isBest: number[] | null;
  readonly qualities: number[] | null;
}

/** @throws InputError when a score is missing or not finite */
export function withScores(rows: readonly RerankRow[], scores: ArrayLike<number>): ScoredRow[] {
  const expected = rows.reduce((sum, row) => sum + row.candidates.length, 0);
  if (scores.length !== expected) {
    throw new InputError(
      `rerank: expected ${expected} scores, got ${scores.length}; score every candidate of every row`,
    );
  }
  let next = 0;
  return rows.map((row) => {
    const own = Float64Array.from(row.candidates, () => scores[next++]);
    const bad = own.findIndex((score) => !Number.isFinite(score));
    if (bad >= 0) {
      throw new InputError(
        `line ${row.line}: expected a finite score for candidate ${bad}, got ${own[bad]}; score again in f32`,
      );
    }
    const qualities = row.candidates[0].quality === null ? null : row.candidates.map(({ quality }) => quality!);
    const best = row.best !== null ? [row.best] : qualities ? topIndices(qualities) : null;
    return { ...row, scores: own, qualities, isBest: best && row.candidates.map((_, i) => (best.includes(i) ? 1 : 0)) };
  });
}
