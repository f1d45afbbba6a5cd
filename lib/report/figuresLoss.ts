// In: curves of one variable. Out: the figure that draws them together, each with its own colour and dash.
import { axis, COLORS, DASHES, layout, round, SERIES, type Figure } from "./figure";

export interface NamedCurve {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

export interface CurveFigureOptions {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly curves: readonly NamedCurve[];
}

/** Lines over one axis: a loss by its reward difference, a gradient, a schedule. */
export function curveFigure({ title, xTitle, yTitle, curves }: CurveFigureOptions): Figure {
  const data = curves.map(({ name, x, y }, i) => ({
    type: "scatter",
    mode: "lines",
    name,
    x: x.map(round),
    y: y.map(round),
    line: { color: SERIES[i % SERIES.length], dash: DASHES[i % DASHES.length], width: 2.5 },
  }));
  const zero = { zeroline: true, zerolinecolor: COLORS.grey };
  return {
    data,
    layout: layout({ title, xaxis: axis(xTitle, zero), yaxis: axis(yTitle), legend: true, more: { hovermode: "x unified" } }),
    description: `${title}: ${curves.map(({ name }) => name).join(", ")}.`,
  };
}
