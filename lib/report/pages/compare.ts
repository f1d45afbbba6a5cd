// In: the files of several runs. Out: the section that sets them side by side, with paired tests where they scored the same pairs.
import { COSTS } from "../architectures";
import { compareRuns, comparisonSentence, powerSentence } from "../comparison";
import type { Figure } from "../figures/figure";
import { epochRunsFigure, lossRunsFigure } from "../figures/compare";
import { chart, type Section } from "./sections";
import { html, sortableTable, tableOf, type Html, type SortedCell } from "../markup";
import { duration } from "./summary";
import { runLabels, type RunRecord } from "../../runs/runFiles";
import { points } from "../verdict";
import { hundredths, percent } from "../../wording";

/** Learning curves of all runs over each other. */
export function comparisonFigures(runs: readonly RunRecord[]): Record<string, Figure> {
  const names = runLabels(runs);
  return {
    compare_loss: lossRunsFigure(runs.map(({ steps }, i) => ({ name: names[i], steps }))),
    compare_accuracy: epochRunsFigure(runs.map(({ epochs }, i) => ({ name: names[i], epochs }))),
  };
}

/** The run beside others: in a table that sorts, in paired tests, in curves, in what was set otherwise. */
export function comparisonSection(
  run: RunRecord,
  others: readonly RunRecord[],
  figures: Readonly<Record<string, Figure>>,
): Section {
  const runs = [run, ...others];
  const names = runLabels(runs);
  const changed = changedFields(runs);
  const sentences = others.map((other, i) => {
    const comparison = compareRuns(run, other);
    return html`<p class="lead">
      ${comparisonSentence(comparison, names[0], names[i + 1])} ${powerSentence(comparison)}
    </p>`;
  });
  const body = html`${sentences}
    ${sortableTable(
      "The runs",
      RUN_COLUMNS.map(({ head }) => head),
      runs.map((one, i) => [{ text: names[i] }, ...RUN_COLUMNS.slice(1).map(({ pick }) => pick(one))]),
    )}
    <div class="charts">${chart(figures, "compare_loss")}${chart(figures, "compare_accuracy")}</div>
    ${others.length === 1 && beside(run, others[0], names)}
    ${
      changed.length > 0
        ? tableOf(
            "Settings that differ",
            ["field", ...names].map((head) => ({ head })),
            changed,
          )
        : html`<p>The configurations are the same.</p>`
    }`;
  return { id: "comparison", title: `Compared with ${names.slice(1).join(", ")}`, body };
}

/** Two runs line by line, with the difference. */
function beside(run: RunRecord, other: RunRecord, [first, second]: readonly string[]): Html {
  const heads = [{ head: "" }, ...[first, second, "difference"].map((head) => ({ head, number: true }))];
  return html`${tableOf(`${first} against ${second}`, heads, metricRows(run, other))}
  ${tableOf("Architecture, parameters, time and speed", heads, costRows(run, other))}`;
}

interface RunColumn {
  readonly head: string;
  readonly pick: (run: RunRecord) => SortedCell;
}

const measuredCell = (value: unknown, show: (value: number) => string): SortedCell =>
  isNumber(value) ? { text: show(value), value } : { text: "–", value: null };
const accuracyCell = (evaluation: RunRecord["evaluation"] | undefined): SortedCell => {
  const ci95 = evaluation?.accuracy_ci95;
  return measuredCell(
    evaluation?.accuracy,
    (accuracy) => `${percent(accuracy)}${ci95 ? ` (${ci95.map((end) => percent(end)).join(" to ")})` : ""}`,
  );
};
const gapText = (gap: number) => `${hundredths(gap)} points`;
const toFour = (value: number) => value.toFixed(4);

const RUN_COLUMNS: readonly RunColumn[] = [
  { head: "run", pick: ({ name }) => ({ text: name }) },
  { head: "validation accuracy (95% interval)", pick: ({ evaluation }) => accuracyCell(evaluation) },
  { head: "test accuracy (95% interval)", pick: ({ test }) => accuracyCell(test?.evaluation) },
  { head: "validation loss", pick: ({ evaluation }) => measuredCell(evaluation?.loss, toFour) },
  { head: "symmetric ECE", pick: ({ evaluation }) => measuredCell(evaluation?.ece_symmetric, toFour) },
  { head: "overfitting gap", pick: ({ metrics }) => measuredCell(metrics?.overfitting_gap, gapText) },
  { head: "seed", pick: ({ config }) => measuredCell(config?.seed, String) },
  { head: "steps", pick: ({ metrics }) => measuredCell(metrics?.training_steps, String) },
  { head: "training time", pick: ({ metrics }) => measuredCell(metrics?.train_seconds, duration) },
];

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
    row("Validation loss", (record) => record.evaluation?.loss, four),
    row("Brier score", (record) => record.evaluation?.brier, four),
    row(
      "Reward follows length (Spearman)",
      (record) => record.evaluation?.length?.spearman_delta_length,
      (value) => value.toFixed(2),
    ),
    row("Overfitting gap", (record) => record.metrics?.overfitting_gap, gapText, points),
    row(
      "Training steps",
      (record) => record.metrics?.training_steps,
      (value) => value.toLocaleString("en"),
    ),
  ];
}

function changedFields(runs: readonly RunRecord[]): Html[][] {
  const keys = [...new Set(runs.flatMap(({ config }) => Object.keys(config ?? {})))];
  const text = (value: unknown) =>
    value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);
  const shown = (value: unknown) => html`<span class="mono">${text(value)}</span>`;
  return keys
    .filter((key) => key !== "run" && new Set(runs.map(({ config }) => text(config?.[key]))).size > 1)
    .map((key) => [html`${key}`, ...runs.map(({ config }) => shown(config?.[key]))]);
}
