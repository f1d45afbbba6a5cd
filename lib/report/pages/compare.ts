// In: the files of two runs. Out: the section that sets them side by side, with paired tests where they scored the same pairs.
import { compareScores, type Comparison } from "../../evaluation/compare";
import type { ScoredPair } from "../../scoring/scoredPair";
import { COSTS } from "../architectures";
import { percent } from "../figures/figure";
import type { Figure } from "../figures/figure";
import { epochRunsFigure, lossRunsFigure } from "../figures/compare";
import { chart, type Section } from "./sections";
import { html, tableOf, type Html } from "../markup";
import { runLabels, type RunRecord } from "../../runs/runFiles";
import { points } from "../verdict";

/** What a comparison of two runs by their scores says; null with the reason where there is none. */
export type RunComparison =
  { readonly result: Comparison; readonly skipped: number } | { readonly result: null; readonly why: string };

/**
 * Paired comparison on the validation pairs both runs scored. Ids only mean the same pair within one data file, so runs
 * on other files are not compared.
 */
export function compareRuns(run: RunRecord, other: RunRecord): RunComparison {
  const prints = (record: RunRecord) => record.data?.sources.map(({ sha256 }) => sha256 ?? "").join(" ");
  if (!run.scores.length || !other.scores.length)
    return { result: null, why: "One of the runs kept no scores of its validation pairs." };
  if (!prints(run) || prints(run) !== prints(other))
    return { result: null, why: "The two runs read different data files." };
  const ids = new Set(other.scores.map(({ id }) => id));
  const shared = run.scores.filter(({ id }) => ids.has(id));
  if (!shared.length) return { result: null, why: "The two runs were validated on different pairs of the same file." };
  const kept = new Set(shared.map(({ id }) => id));
  const result = compareScores(shared.map(asPair), other.scores.filter(({ id }) => kept.has(id)).map(asPair));
  return { result, skipped: run.scores.length + other.scores.length - 2 * shared.length };
}

/** A scored pair as far as a comparison looks at it. */
const asPair = (line: RunRecord["scores"][number]): ScoredPair => ({
  id: line.id,
  questionId: line.question_id,
  promptKey: line.question_id,
  risk: line.risk ?? "UNKNOWN",
  weight: 1,
  chosenScore: line.chosen_score,
  rejectedScore: line.rejected_score,
  chosenLength: line.chosen_length ?? 0,
  rejectedLength: line.rejected_length ?? 0,
  prompt: "",
  chosen: "",
  rejected: "",
});

export function comparisonFigures(run: RunRecord, other: RunRecord): Record<string, Figure> {
  const [first, second] = runLabels([run, other]);
  return {
    compare_loss: lossRunsFigure([
      { name: first, steps: run.steps },
      { name: second, steps: other.steps },
    ]),
    compare_accuracy: epochRunsFigure([
      { name: first, epochs: run.epochs },
      { name: second, epochs: other.epochs },
    ]),
  };
}

export function comparisonSection(
  run: RunRecord,
  other: RunRecord,
  figures: Readonly<Record<string, Figure>>,
): Section {
  const [first, second] = runLabels([run, other]);
  const heads = [
    { head: "" },
    { head: first, number: true },
    { head: second, number: true },
    { head: "difference", number: true },
  ];
  const changed = changedFields(run, other);
  const body = html`<p class="lead">${comparisonSentence(compareRuns(run, other), first, second)}</p>
    ${tableOf(`${first} against ${second}`, heads, metricRows(run, other))}
    ${tableOf("Architecture, parameters, time and speed", heads, costRows(run, other))}
    <div class="charts">${chart(figures, "compare_loss")}${chart(figures, "compare_accuracy")}</div>
    ${changed.length > 0 ? tableOf("Settings that differ", [{ head: "field" }, { head: first }, { head: second }], changed) : html`<p>The two configurations are the same.</p>`}`;
  return { id: "comparison", title: `Compared with ${second}`, body };
}

export function comparisonSentence(comparison: RunComparison, first: string, second: string): string {
  if (comparison.result === null)
    return `${comparison.why} The figures stand side by side, but no paired test can be made.`;
  const {
    difference,
    difference_ci95: ci95,
    n_pairs,
    n_prompts,
    bootstrap_p_value: p,
    mcnemar_mid_p_value: mcnemar,
  } = comparison.result;
  const [better, worse] = difference >= 0 ? [first, second] : [second, first];
  const [low, high] = difference >= 0 ? ci95 : [-ci95[1], -ci95[0]];
  const basis = `on the ${n_pairs.toLocaleString("en")} validation pairs (${n_prompts.toLocaleString("en")} prompts) both scored`;
  const tests = `bootstrap over prompts p = ${small(p)}, McNemar p = ${small(mcnemar)}`;
  const skipped = comparison.skipped ? ` ${comparison.skipped} pairs only one of them scored are left out.` : "";
  const signed = (share: number) => `${share < 0 ? "−" : ""}${points(Math.abs(share))}`;
  const gap = `${points(Math.abs(difference))} (95% interval ${signed(low)} to ${signed(high)}; ${tests})`;
  if (low > 0) return `${better} is better than ${worse} by ${gap} ${basis}.${skipped}`;
  if (difference === 0) return `The two are equally accurate ${basis} (${tests}).${skipped}`;
  return `No difference can be told: ${better} is ahead of ${worse} by ${gap} ${basis}, which may be luck.${skipped}`;
}

const small = (p: number) => (p < 0.001 ? "below 0.001" : p.toFixed(3));

/** A line of the comparison: both values and, where both are numbers, the first minus the second. */
function lineOf(
  name: string,
  values: readonly unknown[],
  show: (value: number) => string,
  showDifference = show,
): string[] {
  const shown = values.map((value) => (typeof value === "string" ? value : isNumber(value) ? show(value) : "–"));
  const [a, b] = values;
  if (!isNumber(a) || !isNumber(b)) return [name, ...shown, values.some(isNumber) ? "–" : ""];
  return [name, ...shown, `${a - b > 0 ? "+" : a - b < 0 ? "−" : ""}${showDifference(Math.abs(a - b))}`];
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

function costRows(run: RunRecord, other: RunRecord): string[][] {
  return COSTS.map(({ name, pick, show }) => lineOf(name, [pick(run), pick(other)], show));
}

function metricRows(run: RunRecord, other: RunRecord): string[][] {
  const row = (
    name: string,
    pick: (record: RunRecord) => unknown,
    show: (value: number) => string,
    showDifference = show,
  ) => lineOf(name, [pick(run), pick(other)], show, showDifference);
  const four = (value: number) => value.toFixed(4);
  const interval = ({ evaluation }: RunRecord) =>
    evaluation?.accuracy_ci95?.map((end) => percent(end)).join(" to ") ?? "–";
  return [
    row("Validation accuracy", (record) => record.evaluation?.accuracy, percent, points),
    ["95% interval", interval(run), interval(other), ""],
    row("Symmetric ECE", (record) => record.evaluation?.ece_symmetric, four),
    row("NLL", (record) => record.evaluation?.nll, four),
    row("Brier score", (record) => record.evaluation?.brier, four),
    row(
      "Reward follows length (Spearman)",
      (record) => record.evaluation?.length?.spearman_delta_length,
      (value) => value.toFixed(2),
    ),
    row("Overfitting gap", (record) => record.metrics?.overfitting_gap, percent, points),
    row(
      "Training steps",
      (record) => record.metrics?.training_steps,
      (value) => value.toLocaleString("en"),
    ),
  ];
}

function changedFields(run: RunRecord, other: RunRecord): Html[][] {
  const keys = [...new Set([...Object.keys(run.config ?? {}), ...Object.keys(other.config ?? {})])];
  const text = (value: unknown) =>
    value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  const shown = (value: unknown) => html`<span class="mono">${text(value)}</span>`;
  return keys
    .filter((key) => key !== "run" && text(run.config?.[key]) !== text(other.config?.[key]))
    .map((key) => [html`${key}`, shown(run.config?.[key]), shown(other.config?.[key])]);
}
