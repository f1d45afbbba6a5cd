// In: the logs of several runs. Out: figures with one line a run.
import { axis, brief, DASHES, emptyFigure, layout, MARKERS, plain, round, SERIES } from "./figure";
import type { Figure } from "./figure";
import type { EpochMetrics } from "./validation";
import { movingAverage, thin } from "./series";
import { percent } from "../../wording";

interface RunSteps {
  readonly name: string;
  readonly steps: readonly { readonly step: number; readonly loss: number }[];
}

/**
 * Smoothed training loss of several runs.
 *
 * @example
 * ```ts
 * await showFigure(lossRunsFigure([{ name: "mine", steps: [{ step: 1, loss: 0.69 }] }]));
 * ```
 */
export function lossRunsFigure(runs: readonly RunSteps[], { window = 50 } = {}): Figure {
  const title = "Training loss of the runs";
  const known = runs
    .map(({ name, steps }) => ({ name, steps: steps.filter(({ loss }) => Number.isFinite(loss)) }))
    .filter(({ steps }) => steps.length);
  if (!known.length) return emptyFigure(title, "No training step has been logged.");
  const size = Math.max(1, Math.min(window, ...known.map(({ steps }) => Math.ceil(steps.length / 5))));
  const middle = Math.floor((size - 1) / 2);
  const smooth = known.map(({ name, steps }) => {
    const means = movingAverage(
      steps.map(({ loss }) => loss),
      size,
    );
    return { name, points: means.map((loss, i) => [steps[i + middle].step, loss] as const) };
  });
  return {
    data: smooth.map(({ name, points }, i) => lineOf(name, thin(points), i, "lines")),
    layout: layout({
      title,
      subtitle: `mean of ${size} steps`,
      xaxis: axis("step (optimiser updates)"),
      yaxis: axis("loss (nats per pair)"),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}, mean of ${size} steps: ${smooth.map(({ name, points }) => `${name} ends at ${brief(points[points.length - 1][1])}`).join("; ")}.`,
  };
}

/**
 * Validation accuracy of several runs by epoch.
 *
 * @example
 * ```ts
 * await showFigure(epochRunsFigure([{ name: "mine", epochs: [{ epoch: 1, pairwise_accuracy: 0.8, ece: 0.05 }] }]));
 * ```
 */
export function epochRunsFigure(
  runs: readonly { readonly name: string; readonly epochs: readonly EpochMetrics[] }[],
): Figure {
  const title = "Validation accuracy of the runs";
  const known = runs.filter(({ epochs }) => epochs.length);
  if (!known.length) return emptyFigure(title, "No validation epoch has been logged.");
  const most = Math.max(...known.map(({ epochs }) => epochs.length));
  return {
    data: known.map(({ name, epochs }, i) =>
      lineOf(
        name,
        epochs.map((row) => [row.epoch, row.pairwise_accuracy] as const),
        i,
        "lines+markers",
      ),
    ),
    layout: layout({
      title,
      xaxis: axis("epoch", { dtick: Math.max(1, Math.ceil(most / 12)), tickformat: "d" }),
      yaxis: axis("accuracy (%)", { tickformat: ".0%" }),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}: ${known.map(({ name, epochs }) => `${name} ${epochs.map((row) => percent(row.pairwise_accuracy)).join(", ")}`).join("; ")}.`,
  };
}

function lineOf(
  name: string,
  points: readonly (readonly [number, number])[],
  i: number,
  mode: string,
): Record<string, unknown> {
  const color = SERIES[i % SERIES.length];
  return {
    type: "scatter",
    mode,
    name: plain(name),
    x: points.map(([x]) => x),
    y: points.map(([, y]) => round(y)),
    line: { color, width: 2.5, dash: DASHES[i % DASHES.length] },
    marker: { size: 8, color, symbol: MARKERS[i % MARKERS.length] },
  };
}
