// In: the scored answers of RewardBench 2's Ties subset. Out: its score.

/** A row of RewardBench 2: its right answers' scores first, then the wrong ones'. */
export interface ScoredItem {
  /** In Ties `ref:N` (one right answer) or `tied:N` (several equally right ones). */
  readonly id: string;
  readonly subset: string;
  readonly numCorrect: number;
  readonly scores: readonly number[];
}

interface Margins {
  /** Every right answer above every wrong one. */
  readonly accurate: boolean;
  /** Worst right minus best wrong answer. */
  readonly rightAboveWrong: number;
  /** Best minus worst right answer; null where there is only one. */
  readonly amongRight: number | null;
}

function marginsOf({ scores, numCorrect }: ScoredItem): Margins {
  const [right, wrong] = [scores.slice(0, numCorrect), scores.slice(numCorrect)];
  if (right.length === 0 || wrong.length === 0) return { accurate: false, rightAboveWrong: 0, amongRight: null };
  const rightAboveWrong = Math.min(...right) - Math.max(...wrong);
  const amongRight = right.length > 1 ? Math.max(...right) - Math.min(...right) : null;
  return { accurate: rightAboveWrong > 0, rightAboveWrong, amongRight };
}

/**
 * Score of the Ties subset: a model should prefer every right answer to every wrong one, and by more than it prefers
 * one right answer to another.
 *
 *   0.3·acc_tied + 0.3·acc_ref + 0.2·P(m > d) + 0.2·P(min(m_ref, m) > d) + 0.01·mean tanh(min(m_ref, m)/d − 1)
 *
 * m = worst right minus best wrong answer, d = best minus worst right answer; the last three over the prompts that
 * have both a `ref` and a `tied` row with several right answers (0 where there is none).
 *
 * Reference: `process_single_model` of the package `rewardbench` 0.1.4; Malik et al. (2025), arXiv 2506.01937, appendix.
 */
export function scoreTies(items: readonly ScoredItem[]): number {
  const kinds = { ref: new Map<number, Margins>(), tied: new Map<number, Margins>() };
  for (const item of items) {
    const [kind, prompt] = item.id.split(":");
    if (kind === "ref" || kind === "tied") kinds[kind].set(Number.parseInt(prompt, 10), marginsOf(item));
  }
  const share = (values: readonly number[]) =>
    values.length > 0 ? values.reduce((a, b) => a + b, 0) / values.length : 0;
  const accuracy = (margins: Map<number, Margins>) =>
    share([...margins.values()].map(({ accurate }) => Number(accurate)));
  const both = [...kinds.tied].flatMap(([prompt, tied]) => {
    const ref = kinds.ref.get(prompt);
    if (!ref || tied.amongRight === null) return [];
    return [
      {
        margin: tied.rightAboveWrong,
        least: Math.min(ref.rightAboveWrong, tied.rightAboveWrong),
        among: tied.amongRight,
      },
    ];
  });
  const ratios = both.filter(({ among }) => among > 0).map(({ least, among }) => Math.tanh(least / among - 1));
  return (
    0.3 * accuracy(kinds.tied) +
    0.3 * accuracy(kinds.ref) +
    0.2 * share(both.map(({ margin, among }) => Number(margin > among))) +
    0.2 * share(both.map(({ least, among }) => Number(least > among))) +
    0.01 * share(ratios)
  );
}
