// In: prompts with candidate answers, and their scores. Out: what choosing by score is worth against other choices.
import { expectedBestOf, topIndices } from "./bestOfN";
import { spearman } from "../statistics/correlation";
import { clusteredMean, clusteredShare } from "../statistics/intervals";
import { pairedBootstrap } from "../statistics/pairedTests";
import { pickExamples, type RerankExample } from "./rerankExamples";
import type { RerankRow } from "./rerankRows";
import { withScores, type ScoredRow } from "./rerankScores";

export type { ExampleChoice, RerankExample } from "./rerankExamples";

/** `random` is the expectation over the candidates; `longest` counts characters; `oracle` knows the truth. */
export type Choice = "model" | "first" | "random" | "longest" | "oracle";
const CHOICES: readonly Choice[] = ["model", "first", "random", "longest", "oracle"];
const BASELINES = ["first", "random", "longest"] as const;

export interface RerankDifference {
  readonly difference: number;
  /** Bootstrap over prompts. */
  readonly ci95: [number, number];
  readonly p_value: number;
}

/** Share of prompts whose best candidate is chosen, or mean quality of the choice. */
export interface ChoiceMeasure {
  readonly by_choice: Record<Choice, number>;
  readonly model_ci95: [number, number];
  /** The model's choice minus each baseline's. */
  readonly differences: Record<(typeof BASELINES)[number], RerankDifference>;
}

export interface CurvePoint {
  readonly n: number;
  /** Prompts with n candidates or more. */
  readonly n_prompts: number;
  readonly model: number;
  readonly model_ci95: [number, number];
  readonly random: number;
  readonly longest: number;
  readonly oracle: number;
}

export interface Reranking {
  readonly n_prompts: number;
  /** Prompts that name their best candidate or give qualities. */
  readonly n_judged: number;
  readonly n_candidates: number;
  /** Prompts with several highest scores; the choice among them counts evenly. */
  readonly ties: number;
  readonly accuracy: ChoiceMeasure | null;
  readonly quality: ChoiceMeasure | null;
  /** Mean over prompts of the rank correlation of score and quality (three candidates or more, quality not constant). */
  readonly spearman: {
    readonly mean: number;
    readonly ci95: [number, number] | null;
    readonly n_prompts: number;
  } | null;
  /** Best-of-n over n: mean quality where every judged prompt has qualities, else share of best candidates chosen. */
  readonly curve: { readonly measure: "quality" | "accuracy"; readonly points: CurvePoint[] } | null;
  /** First candidate against the model's, evenly spaced over the prompts where they differ. */
  readonly examples: RerankExample[];
  readonly choices: ReadonlyArray<{ readonly line: number; readonly choice: number; readonly scores: number[] }>;
}

export interface RerankOptions {
  readonly seed?: number;
  readonly resamples?: number;
  readonly examples?: number;
}

/**
 * Best-of-n evaluation.
 *
 * @param scores reward of every candidate, rows one after another
 * @throws InputError when a score is missing or not finite
 * @example
 * ```ts
 * const rows = candidatesFromPairs(pairs, 42);
 * const items = rows.flatMap(({ prompt, candidates }) => candidates.map(({ text }) => ({ prompt, response: text })));
 * console.log(evaluateReranking(rows, await scoreTexts(loaded, items)).accuracy);
 * ```
 */
export function evaluateReranking(
  rows: readonly RerankRow[],
  scores: ArrayLike<number>,
  options: RerankOptions = {},
): Reranking {
  const scored = withScores(rows, scores);
  const judged = scored.filter((row) => row.isBest !== null);
  const rated = scored.filter((row) => row.qualities !== null);
  const allRated = judged.length > 0 && judged.every((row) => row.qualities !== null);
  return {
    n_prompts: rows.length,
    n_judged: judged.length,
    n_candidates: scores.length,
    ties: scored.filter((row) => topIndices(row.scores).length > 1).length,
    accuracy: measure(judged, (row) => row.isBest!, options),
    quality: measure(rated, (row) => row.qualities!, options),
    spearman: meanSpearman(rated),
    curve:
      judged.length === 0
        ? null
        : allRated
          ? { measure: "quality", points: curveOver(rated, (row) => row.qualities!) }
          : { measure: "accuracy", points: curveOver(judged, (row) => row.isBest!) },
    examples: pickExamples(scored, options.examples ?? 10),
    choices: scored.map(({ line, scores: own }) => ({ line, choice: topIndices(own)[0], scores: [...own] })),
  };
}

type ValuesOf = (row: ScoredRow) => number[];

/** Value of each kind of choice on one prompt; equals at the top count evenly. */
function valueOf(row: ScoredRow, values: number[], choice: Choice): number {
  const all = row.candidates.map((_, i) => i);
  const chosen = {
    model: () => topIndices(row.scores),
    first: () => [0],
    random: () => all,
    longest: () => topIndices(row.candidates.map(({ text }) => text.length)),
    oracle: () => topIndices(values),
  }[choice]();
  return chosen.reduce((sum, i) => sum + values[i], 0) / chosen.length;
}

const bounded = ({ low, high }: { low: number; high: number }, least: number, most: number): [number, number] => [
  Math.max(low, least),
  Math.min(high, most),
];

function measure(rows: readonly ScoredRow[], valuesOf: ValuesOf, options: RerankOptions): ChoiceMeasure | null {
  if (rows.length === 0) return null;
  const clusters = rows.map((row) => row.prompt.trim());
  const by = (choice: Choice) => Float64Array.from(rows, (row) => valueOf(row, valuesOf(row), choice));
  const model = by("model");
  const mean = (values: Float64Array) => values.reduce((a, b) => a + b, 0) / values.length;
  const [least, most] = range(rows, valuesOf);
  const isShare = least >= 0 && most <= 1;
  const differences = BASELINES.map((baseline) => {
    const other = by(baseline);
    const paired = pairedBootstrap(
      model.map((value, i) => value - other[i]),
      clusters,
      options,
    );
    const ci95 = bounded(paired, least - most, most - least);
    return [baseline, { difference: paired.difference, ci95, p_value: paired.pValue }] as const;
  });
  return {
    by_choice: Object.fromEntries(CHOICES.map((choice) => [choice, mean(by(choice))])) as Record<Choice, number>,
    model_ci95: bounded((isShare ? clusteredShare : clusteredMean)(model, clusters), least, most),
    differences: Object.fromEntries(differences) as ChoiceMeasure["differences"],
  };
}

/** Least and largest value: bounds of an interval that a single prompt would leave open. */
function range(rows: readonly ScoredRow[], valuesOf: ValuesOf): [number, number] {
  let [least, most] = [Infinity, -Infinity];
  for (const row of rows) {
    for (const value of valuesOf(row)) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  return [least, most];
}

function meanSpearman(rows: readonly ScoredRow[]): Reranking["spearman"] {
  const clusters: string[] = [];
  const values: number[] = [];
  for (const row of rows) {
    if (row.candidates.length < 3 || new Set(row.qualities).size < 2) continue;
    clusters.push(row.prompt.trim());
    values.push(spearman(row.scores, row.qualities!) ?? 0); // equal scores order nothing
  }
  if (values.length === 0) return null;
  const { mean, low, high } = clusteredMean(values, clusters);
  return { mean, ci95: Number.isFinite(low) ? bounded({ low, high }, -1, 1) : null, n_prompts: values.length };
}

function curveOver(rows: readonly ScoredRow[], valuesOf: ValuesOf): CurvePoint[] {
  const most = rows.reduce((n, row) => Math.max(n, row.candidates.length), 0);
  const [least, largest] = range(rows, valuesOf);
  return Array.from({ length: most }, (_, i) => i + 1).map((n) => {
    const enough = rows.filter((row) => row.candidates.length >= n);
    const mean = (keysOf: (row: ScoredRow) => ArrayLike<number>) => {
      const values = enough.map((row) => expectedBestOf(keysOf(row), valuesOf(row), n));
      return clusteredMean(
        values,
        enough.map((row) => row.prompt.trim()),
      );
    };
    const model = mean((row) => row.scores);
    return {
      n,
      n_prompts: enough.length,
      model: model.mean,
      model_ci95: bounded(model, least, largest),
      random: mean((row) => row.candidates.map(() => 0)).mean,
      longest: mean((row) => row.candidates.map(({ text }) => text.length)).mean,
      oracle: mean(valuesOf).mean,
    };
  });
}
