// Lines over steps and epochs, as the figures of a run draw them.
import { axis, rangeAround, round } from "./figure";

/** Whole epochs as ticks, half an epoch of room where there is only one. */
export function epochAxis(epochs: readonly number[]): Record<string, unknown> {
  const dtick = Math.max(1, Math.ceil(new Set(epochs).size / 12));
  return axis("epoch", { dtick, tickformat: "d", range: rangeAround(epochs, 1) });
}

export interface LineOptions {
  readonly name: string;
  readonly color: string;
  readonly width?: number;
  readonly dash?: string;
  readonly markers?: boolean;
}

export function line(points: readonly (readonly [number, number])[], options: LineOptions): Record<string, unknown> {
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
