// In: the lines of train_steps.jsonl and val_epochs.jsonl. Out: the figures of the training run.
import { axis, brief, COLORS, emptyFigure, layout, rangeAround, round } from "./figure";
import type { Figure } from "./figure";
import { mean, movingAverage, thin } from "./series";
import { percent } from "../../wording";

const NO_STEPS = "No training step has been logged yet.";
const NO_EPOCHS = "No validation epoch has been logged yet.";

/**
 * Training loss of every step, thin, with its moving average in front. The window's mean stands at the window's middle step.
 *
 * @example
 * ```ts
 * await showFigure(stepLossFigure([{ step: 1, loss: 0.69 }, { step: 2, loss: 0.61 }]));
 * ```
 */
export function stepLossFigure(
  steps: readonly { readonly step: number; readonly loss: number; readonly nll?: number }[],
  { window = 50 }: { readonly window?: number } = {},
): Figure {
  const title = "Training loss by step";
  const known = steps.filter(({ loss }) => Number.isFinite(loss));
  if (!known.length) return emptyFigure(title, NO_STEPS);
  const losses = known.map(({ loss }) => loss);
  const few = losses.length < window;
  const raw = thin(known.map(({ step, loss }) => [step, loss] as const));
  const data = [line(raw, { name: "each step", color: few ? COLORS.blue : COLORS.faint, width: few ? 2 : 1 })];
  let told = `last ${brief(losses[losses.length - 1])}`;
  if (!few) {
    const [smooth, points] = smoothed(known, losses, window);
    data.push(line(points, { name: `mean of ${window} steps`, color: COLORS.blue, width: 2.5 }));
    told = `mean of ${window} steps from ${brief(smooth[0])} to ${brief(smooth[smooth.length - 1])}`;
  }
  const plain = known.map(({ nll }) => nll ?? NaN);
  if (plain.every(Number.isFinite) && plain.some((nll, i) => Math.abs(nll - losses[i]) > 1e-6)) {
    const [, points] = smoothed(known, plain, few ? 1 : window);
    data.push(line(points, { name: "unweighted, −log σ(Δ)", color: COLORS.vermillion, width: 2, dash: "dash" }));
    told += `; unweighted ends at ${brief(points[points.length - 1][1])}`;
  }
  return {
    data,
    layout: layout({
      title,
      subtitle: told,
      xaxis: axis("step (optimiser updates)"),
      yaxis: axis("loss (nats per pair)"),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}, ${known.length} steps: ${told}.`,
  };
}

/** Moving average of one value a step, and its points: a window's mean stands at the window's middle step. */
function smoothed(
  steps: readonly { readonly step: number }[],
  values: readonly number[],
  window: number,
): [number[], [number, number][]] {
  const means = movingAverage(values, window);
  const middle = Math.floor((window - 1) / 2);
  return [means, thin(means.map((mean, i) => [steps[i + middle].step, mean] as const))];
}

/**
 * Mean training loss of each epoch beside the validation loss.
 *
 * @example
 * ```ts
 * await showFigure(epochLossFigure([{ epoch: 1, loss: 0.6 }], [{ epoch: 1, val_loss: 0.55 }]));
 * ```
 */
export function epochLossFigure(
  steps: readonly EpochLoss[],
  epochs: readonly { readonly epoch: number; readonly val_loss?: number }[],
): Figure {
  const title = "Training and validation loss by epoch";
  const train = [...lossByEpoch(steps)].sort(([a], [b]) => a - b);
  const validation = epochs.flatMap(({ epoch, val_loss }) =>
    val_loss !== undefined && Number.isFinite(val_loss) ? [[epoch, val_loss] as const] : [],
  );
  if (!train.length && !validation.length) return emptyFigure(title, NO_EPOCHS);
  const data = [];
  if (train.length) data.push(line(train, { name: "training", color: COLORS.blue, markers: true }));
  if (validation.length) {
    data.push(line(validation, { name: "validation", color: COLORS.vermillion, markers: true, dash: "dash" }));
  }
  const said = (points: readonly (readonly [number, number])[]) =>
    points.map(([epoch, loss]) => `${brief(loss)} (epoch ${epoch})`).join(", ");
  return {
    data,
    layout: layout({
      title,
      xaxis: epochAxis([...train, ...validation].map(([epoch]) => epoch)),
      yaxis: axis("loss (nats per pair)", {
        range: rangeAround(
          [...train, ...validation].map(([, loss]) => loss),
          0.1,
        ),
      }),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}. Training: ${said(train) || "none"}. Validation: ${said(validation) || "none"}.`,
  };
}

export interface EpochLoss {
  readonly epoch: number;
  readonly loss: number;
  /** Pairs of the step: its weight in the epoch's mean. */
  readonly pairs?: number;
}

/** Mean loss of each epoch over its pairs; a fractional epoch number belongs to the epoch under way. */
function lossByEpoch(steps: readonly EpochLoss[]): Map<number, number> {
  const sums = new Map<number, { loss: number; pairs: number }>();
  for (const { epoch, loss, pairs = 1 } of steps) {
    if (!Number.isFinite(loss)) continue;
    const whole = Math.ceil(epoch);
    const sum = sums.get(whole) ?? { loss: 0, pairs: 0 };
    sums.set(whole, { loss: sum.loss + loss * pairs, pairs: sum.pairs + pairs });
  }
  return new Map([...sums].map(([epoch, { loss, pairs }]) => [epoch, loss / pairs]));
}

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

/**
 * Learning rate above, gradient norm (before clipping) below, by step.
 *
 * @example
 * ```ts
 * await showFigure(learningRateFigure([{ step: 1, learning_rate: 2e-5, grad_norm: 1.3 }]));
 * ```
 */
export function learningRateFigure(
  steps: readonly { readonly step: number; readonly learning_rate?: number; readonly grad_norm?: number }[],
): Figure {
  const title = "Learning rate and gradient norm by step";
  const series = (pick: (row: (typeof steps)[number]) => number | undefined) =>
    thin(steps.map((row) => [row.step, pick(row) ?? NaN] as const));
  const rates = series((row) => row.learning_rate);
  const norms = series((row) => row.grad_norm);
  if (!rates.length && !norms.length) return emptyFigure(title, NO_STEPS);
  const highest = Math.max(0, ...rates.map(([, rate]) => rate));
  return {
    data: [
      line(rates, { name: "learning rate", color: COLORS.blue, width: 2 }),
      { ...line(norms, { name: "gradient norm", color: COLORS.green, width: 1 }), yaxis: "y2" },
    ],
    layout: layout({
      title,
      xaxis: axis("step (optimiser updates)", { anchor: "y2" }),
      yaxis: axis("learning rate", { domain: [0.56, 1], rangemode: "tozero", exponentformat: "power" }),
      legend: true,
      more: { yaxis2: axis("gradient norm (L2)", { domain: [0, 0.44], rangemode: "tozero" }), hovermode: "x unified" },
    }),
    description: `${title}: highest learning rate ${brief(highest)}, mean gradient norm ${brief(mean(norms.map(([, y]) => y)))}.`,
  };
}

/** Whole epochs as ticks, half an epoch of room where there is only one. */
function epochAxis(epochs: readonly number[]): Record<string, unknown> {
  const dtick = Math.max(1, Math.ceil(new Set(epochs).size / 12));
  return axis("epoch", { dtick, tickformat: "d", range: rangeAround(epochs, 1) });
}

interface LineOptions {
  readonly name: string;
  readonly color: string;
  readonly width?: number;
  readonly dash?: string;
  readonly markers?: boolean;
}

function line(points: readonly (readonly [number, number])[], options: LineOptions): Record<string, unknown> {
  const { name, color, width = 2.5, dash = "solid", markers = false } = options;
  return {
    type: "scatter",
    mode: markers ? "lines+markers" : "lines",
    name,
    x: points.map(([x]) => x),
    y: points.map(([, y]) => round(y)),
    line: { color, width, dash },
    ...(markers ? { marker: { size: 8, color, symbol: dash === "solid" ? "circle" : "square" } } : {}),
  };
}
