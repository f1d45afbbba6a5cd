// In: curves of one variable, or samples. Out: the figure that draws them together, each in its own colour.
import { axis, brief, COLORS, DASHES, emptyFigure, layout, round, SERIES, type Figure } from "./figure";
import { extent, histogram, mean } from "./series";

export interface NamedCurve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** An interval around each y, drawn as a band. */
  readonly low?: readonly number[];
  readonly high?: readonly number[];
}

export interface CurveFigureOptions {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly curves: readonly NamedCurve[];
}

/**
 * Lines over one axis: a loss by its reward difference, a gradient, a schedule.
 *
 * @example
 * ```ts
 * await showFigure(curveFigure({ title: "Loss", xTitle: "step", yTitle: "loss", curves: [{ name: "train", x: [1, 2], y: [0.7, 0.6] }] }));
 * ```
 */
export function curveFigure({ title, xTitle, yTitle, curves }: CurveFigureOptions): Figure {
  const bands = curves.flatMap(({ name, x, low, high }, i) =>
    low && high
      ? [
          {
            type: "scatter",
            mode: "lines",
            name: `${name}, 95% interval`,
            x: [...x, ...[...x].reverse()].map(round),
            y: [...high, ...[...low].reverse()].map(round),
            fill: "toself",
            line: { color: SERIES[i % SERIES.length], width: 0 },
            opacity: 0.35,
            hoverinfo: "skip",
            showlegend: false,
          },
        ]
      : [],
  );
  const lines = curves.map(({ name, x, y }, i) => ({
    type: "scatter",
    mode: "lines",
    name,
    x: x.map(round),
    y: y.map(round),
    line: { color: SERIES[i % SERIES.length], dash: DASHES[i % DASHES.length], width: 2.5 },
  }));
  const zero = { zeroline: true, zerolinecolor: COLORS.grey };
  return {
    data: [...bands, ...lines],
    layout: layout({
      title,
      xaxis: axis(xTitle, zero),
      yaxis: axis(yTitle),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}: ${curves.map(({ name }) => name).join(", ")}.`,
  };
}

export interface HistogramFigureOptions {
  readonly title: string;
  readonly xTitle: string;
  /** What is counted. */
  readonly yTitle: string;
  readonly samples: readonly { readonly name: string; readonly values: readonly number[] }[];
  readonly bins?: number;
}

/**
 * Outlines of several histograms over the same bins.
 *
 * @example
 * ```ts
 * await showFigure(histogramFigure({ title: "Length", xTitle: "tokens", yTitle: "texts", samples: [{ name: "all", values: [3, 4, 4] }] }));
 * ```
 */
export function histogramFigure({ title, xTitle, yTitle, samples, bins = 50 }: HistogramFigureOptions): Figure {
  const all = samples.flatMap(({ values }) => extent(values));
  if (!samples.some(({ values }) => values.length)) return emptyFigure(title, "There is nothing to count.");
  const range = extent(all);
  const data = samples.map(({ name, values }, i) => {
    const { edges, counts } = histogram(values, bins, range);
    const line = { shape: "hv", color: SERIES[i % SERIES.length], dash: DASHES[i % DASHES.length], width: 2 };
    return {
      type: "scatter",
      mode: "lines",
      name,
      x: edges.map(round),
      y: [...counts, counts[counts.length - 1]],
      line,
    };
  });
  return {
    data,
    layout: layout({
      title,
      xaxis: axis(xTitle),
      yaxis: axis(yTitle, { rangemode: "tozero" }),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}. ${samples.map(({ name, values }) => `${name}: mean ${brief(mean(values))} of ${values.length}`).join("; ")}.`,
  };
}
