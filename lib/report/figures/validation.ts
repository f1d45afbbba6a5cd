// In: the validations of a run. Out: figures of accuracy, calibration and loss over epochs and steps.
import { axis, brief, COLORS, emptyFigure, layout, rangeAround, round } from "./figure";
import type { Figure } from "./figure";
import { percent } from "../../wording";
import { epochAxis, line } from "./lines";

const NO_EPOCHS = "No validation epoch has been logged yet.";

export interface EpochMetrics {
  readonly epoch: number;
  readonly pairwise_accuracy: number;
  readonly ece: number;
  /** 95% interval of the accuracy, where it was computed. */
  readonly accuracy_ci95?: readonly [number, number];
}

/**
 * Validation accuracy (with intervals) above, expected calibration error below, by epoch.
 *
 * @example
 * ```ts
 * await showFigure(epochAccuracyFigure([{ epoch: 1, pairwise_accuracy: 0.8, ece: 0.05 }]));
 * ```
 */
export function epochAccuracyFigure(epochs: readonly EpochMetrics[]): Figure {
  const title = "Validation accuracy and calibration error by epoch";
  if (!epochs.length) return emptyFigure(title, NO_EPOCHS);
  const points = (pick: (row: EpochMetrics) => number) => epochs.map((row) => [row.epoch, pick(row)] as const);
  const accuracy = line(
    points((row) => row.pairwise_accuracy),
    { name: "accuracy", color: COLORS.blue, markers: true },
  );
  const intervals = epochs.map(({ pairwise_accuracy: middle, accuracy_ci95: ci }) => ci ?? [middle, middle]);
  const withIntervals = {
    ...accuracy,
    error_y: {
      type: "data",
      symmetric: false,
      array: epochs.map((row, i) => round(intervals[i][1] - row.pairwise_accuracy)),
      arrayminus: epochs.map((row, i) => round(row.pairwise_accuracy - intervals[i][0])),
      thickness: 1.2,
      width: 4,
    },
  };
  const ece = line(
    points((row) => row.ece),
    { name: "ECE", color: COLORS.vermillion, markers: true, dash: "dash" },
  );
  return {
    data: [epochs.some((row) => row.accuracy_ci95) ? withIntervals : accuracy, { ...ece, yaxis: "y2" }],
    layout: layout({
      title,
      xaxis: { ...epochAxis(epochs.map(({ epoch }) => epoch)), anchor: "y2" },
      yaxis: axis("accuracy (%)", { domain: [0.46, 1], tickformat: ".0%", range: rangeAround(intervals.flat(), 0.1) }),
      legend: true,
      more: { yaxis2: axis("ECE (0–1)", { domain: [0, 0.34], rangemode: "tozero" }), hovermode: "x unified" },
    }),
    description: `${title}: ${epochs
      .map((row) => `epoch ${row.epoch}: accuracy ${percent(row.pairwise_accuracy)}, ECE ${brief(row.ece)}`)
      .join("; ")}.`,
  };
}

/**
 * One of the two alone, as the original notebook draws them: `val_accuracy_by_epoch`, `val_ece_by_epoch`.
 *
 * @example
 * ```ts
 * await showFigure(epochValueFigure([{ epoch: 1, pairwise_accuracy: 0.8, ece: 0.05 }], "ece"));
 * ```
 */
export function epochValueFigure(epochs: readonly EpochMetrics[], which: "accuracy" | "ece"): Figure {
  const accuracy = which === "accuracy";
  const title = accuracy ? "Validation pairwise accuracy by epoch" : "Validation calibration error (ECE, 10 bins)";
  if (!epochs.length) return emptyFigure(title, NO_EPOCHS);
  const points = epochs.map((row) => [row.epoch, accuracy ? row.pairwise_accuracy : row.ece] as const);
  const color = accuracy ? COLORS.blue : COLORS.vermillion;
  const range = rangeAround(
    points.map(([, value]) => value),
    0.1,
  );
  return {
    data: [line(points, { name: accuracy ? "accuracy" : "ECE", color, markers: true })],
    layout: layout({
      title,
      subtitle: accuracy ? undefined : "one-sided, as in the original notebook: P(chosen) in ten bins",
      xaxis: epochAxis(epochs.map(({ epoch }) => epoch)),
      yaxis: accuracy ? axis("accuracy (%)", { tickformat: ".0%", range }) : axis("ECE (0–1)", { rangemode: "tozero" }),
    }),
    description: `${title}: ${points.map(([epoch, value]) => `epoch ${epoch}: ${accuracy ? percent(value) : brief(value)}`).join("; ")}.`,
  };
}

/**
 * Validation accuracy above, validation loss below, by step: validations between epochs.
 *
 * @example
 * ```ts
 * await showFigure(stepValidationFigure([{ step: 50, accuracy: 0.8, val_loss: 0.5 }]));
 * ```
 */
export function stepValidationFigure(
  rows: readonly { readonly step: number; readonly accuracy: number; readonly val_loss?: number }[],
): Figure {
  const title = "Validation accuracy and loss by step";
  if (!rows.length) return emptyFigure(title, "No validation between epochs has been logged.");
  const accuracy = rows.map((row) => [row.step, row.accuracy] as const);
  const loss = rows.flatMap(({ step, val_loss }) => (Number.isFinite(val_loss) ? [[step, val_loss!] as const] : []));
  return {
    data: [
      line(accuracy, { name: "accuracy", color: COLORS.blue, markers: true }),
      { ...line(loss, { name: "loss", color: COLORS.vermillion, markers: true, dash: "dash" }), yaxis: "y2" },
    ],
    layout: layout({
      title,
      xaxis: axis("step (optimiser updates)", { anchor: "y2" }),
      yaxis: axis("accuracy (%)", {
        domain: [0.56, 1],
        tickformat: ".0%",
        range: rangeAround(
          rows.map((row) => row.accuracy),
          0.1,
        ),
      }),
      legend: true,
      more: {
        yaxis2: axis("loss (nats per pair)", {
          domain: [0, 0.44],
          range: rangeAround(
            loss.map(([, value]) => value),
            0.1,
          ),
        }),
        hovermode: "x unified",
      },
    }),
    description: `${title}: ${rows.map((row) => `step ${row.step}: ${percent(row.accuracy)}`).join("; ")}.`,
  };
}
