// In: the lines of train_steps.jsonl and val_epochs.jsonl. Out: the figures of the training run.
import { axis, brief, COLORS, emptyFigure, layout, rangeAround } from "./figure";
import type { Figure } from "./figure";
import { mean, movingAverage, thin } from "./series";
import { epochAxis, line } from "./lines";

const LONGEST_WINDOW = 50;
/** Steps that are drawn without an average. */
const FEW_STEPS = 24;
const NO_STEPS = "No training step has been logged yet.";
const NO_EPOCHS = "No validation epoch has been logged yet.";

/**
 * Training loss of every step, thin, with its moving average in front. The window's mean stands at the window's middle step.
 *
 * @param window steps of the average: as the original's, 50, or an eighth of a shorter run
 *
 * @example
 * ```ts
 * await showFigure(stepLossFigure([{ step: 1, loss: 0.69 }, { step: 2, loss: 0.61 }]));
 * ```
 */
export function stepLossFigure(
  steps: readonly { readonly step: number; readonly loss: number; readonly nll?: number }[],
  { window: asked }: { readonly window?: number } = {},
): Figure {
  const title = "Training loss by step";
  const known = steps.filter(({ loss }) => Number.isFinite(loss));
  if (!known.length) return emptyFigure(title, NO_STEPS);
  const losses = known.map(({ loss }) => loss);
  const window = asked ?? Math.min(LONGEST_WINDOW, Math.ceil(losses.length / 8));
  const few = losses.length < (asked ?? FEW_STEPS);
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
