// In: curves over n or over problem size. Out: the best-of-n figure and the cost figure.
import { axis, brief, COLORS, DASHES, emptyFigure, layout, MARKERS, plain, round, SERIES } from "./figure";
import type { Figure } from "./figure";

export interface Curve {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number; readonly low?: number; readonly high?: number }[];
}

/**
 * Mean quality of the answer taken from n candidates: the model's choice, random, oracle …; a band where an interval is known.
 *
 * @example
 * ```ts
 * await showFigure(bestOfNFigure([{ name: "model", points: [{ x: 1, y: 2.9 }, { x: 4, y: 3.8 }] }]));
 * ```
 */
export function bestOfNFigure(curves: readonly Curve[], { quality = "mean quality of the choice" } = {}): Figure {
  const title = "Best of n: what choosing by reward brings";
  const drawn = curves.filter(({ points }) => points.length);
  if (!drawn.length) return emptyFigure(title, "No prompt with several candidates has been ranked.");
  return {
    data: drawn.flatMap((curve, i) => [...band(curve), series(curve, i)]),
    layout: layout({
      title,
      xaxis: axis("candidates a prompt (n)", { tickformat: "d" }),
      yaxis: axis(quality),
      legend: true,
      more: { hovermode: "x unified" },
    }),
    description: `${title}. ${drawn.map(({ name, points }) => `${name}: ${said(points[points.length - 1])}`).join("; ")}.`,
  };
}

const said = ({ x, y }: { x: number; y: number }) => `${brief(y)} at n = ${x}`;

/**
 * Cost against size on logarithmic axes; a legend entry tells the fitted exponent k of cost ≈ c·sizeᵏ.
 *
 * @example
 * ```ts
 * const points = [{ x: 128, y: 0.4 }, { x: 512, y: 1.9 }];
 * await showFigure(costFigure([{ name: "MiniLM", points }], { title: "Cost", sizeTitle: "tokens", costTitle: "seconds" }));
 * ```
 */
export function costFigure(
  curves: readonly Curve[],
  { title, sizeTitle, costTitle }: { readonly title: string; readonly sizeTitle: string; readonly costTitle: string },
): Figure {
  const positive = curves
    .map((curve) => ({ ...curve, points: curve.points.filter(({ x, y }) => x > 0 && y > 0) }))
    .filter(({ points }) => points.length);
  if (!positive.length) return emptyFigure(title, "Nothing has been measured.");
  const named = positive.map((curve) => {
    const exponent = fitExponent(curve.points);
    return { ...curve, label: exponent === null ? curve.name : `${curve.name}, exponent ${exponent.toFixed(2)}` };
  });
  const sizes = [...new Set(positive.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  return {
    data: named.map((curve, i) => series({ ...curve, name: curve.label }, i)),
    layout: layout({
      title,
      subtitle: "both axes logarithmic",
      xaxis: axis(sizeTitle, {
        type: "log",
        tickvals: sizes,
        ticktext: sizes.map((size) => size.toLocaleString("en")),
      }),
      yaxis: axis(costTitle, { type: "log", ...logTicks(positive.flatMap(({ points }) => points.map(({ y }) => y))) }),
      legend: true,
    }),
    description: `${title}: ${named.map(({ label }) => label).join("; ")}.`,
  };
}

/** Range and ticks (1, 2, 5, 10 …): all values with some room, and no less than a decade, so that a cost that hardly grows looks so. */
function logTicks(values: readonly number[]): { range: [number, number]; tickvals: number[]; ticktext: string[] } {
  const [low, high] = [Math.log10(Math.min(...values)), Math.log10(Math.max(...values))];
  const room = Math.max(0.1, (1 - (high - low)) / 2);
  const decades = Array.from(
    { length: Math.ceil(high + room) - Math.floor(low - room) },
    (_, i) => 10 ** (Math.floor(low - room) + i),
  );
  const tickvals = decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]);
  return { range: [low - room, high + room], tickvals, ticktext: tickvals.map((value) => value.toLocaleString("en")) };
}

/**
 * Slope of log y on log x by least squares; null for fewer than two sizes.
 *
 * @example
 * ```ts
 * fitExponent([{ x: 1, y: 3 }, { x: 10, y: 300 }]); // → 2
 * ```
 */
export function fitExponent(points: readonly { readonly x: number; readonly y: number }[]): number | null {
  const logs = points.map(({ x, y }) => [Math.log(x), Math.log(y)]);
  const meanX = logs.reduce((sum, [x]) => sum + x, 0) / logs.length;
  const meanY = logs.reduce((sum, [, y]) => sum + y, 0) / logs.length;
  const spread = logs.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (!(spread > 0)) return null;
  return logs.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spread;
}

function series({ name, points }: Curve, i: number): Record<string, unknown> {
  const color = SERIES[i % SERIES.length];
  return {
    type: "scatter",
    mode: "lines+markers",
    name: plain(name),
    x: points.map(({ x }) => x),
    y: points.map(({ y }) => round(y)),
    line: { color, width: 2.5, dash: DASHES[i % DASHES.length] },
    marker: { size: 8, color, symbol: MARKERS[i % MARKERS.length] },
  };
}

function band({ points }: Curve): Record<string, unknown>[] {
  const known = points.filter(({ low, high }) => low !== undefined && high !== undefined);
  if (known.length < 2) return [];
  return [
    {
      type: "scatter",
      mode: "lines",
      x: [...known.map(({ x }) => x), ...known.map(({ x }) => x).reverse()],
      y: [...known.map(({ high }) => round(high!)), ...known.map(({ low }) => round(low!)).reverse()],
      fill: "toself",
      fillcolor: COLORS.band,
      line: { width: 0 },
      hoverinfo: "skip",
      showlegend: false,
    },
  ];
}
