// In: data and words. Out: the one look all figures share: colours, fonts, axes, and the figure that says it is empty.
import { markTurning } from "../escape";
import { extent } from "./series";

/** A Plotly figure with its text alternative; plain data, so it can be written as JSON. */
export interface Figure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
  /** What the figure shows, with its main numbers: alt text, screen reader text, `text/plain`. */
  readonly description: string;
}

/**
 * How every figure is drawn, wherever it is: in JupyterLab, in an exported notebook, in a report. Plotly's own tool bar
 * would offer to upload the data ("Share chart…"): the button is out, and there is no address it could go to.
 */
export const FIGURE_CONFIG = {
  responsive: true,
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  modeBarButtonsToRemove: ["sendChartToCloud", "sendDataToCloud", "select2d", "lasso2d", "autoScale2d"],
} as const;

/** Okabe and Ito's colours, distinguishable with every common colour vision; purple darkened to 4.5:1 on white. */
export const COLORS = {
  blue: "#0072B2",
  vermillion: "#D55E00",
  green: "#007A5A",
  purple: "#9B4F8C",
  grey: "#6B7280",
  ink: "#1B2330",
  faint: "#A9C7DC",
  grid: "#E3E7ED",
  band: "rgba(0,114,178,0.14)",
} as const;

/** Colours of successive series; each series also differs by marker and dash. */
export const SERIES = [COLORS.blue, COLORS.vermillion, COLORS.green, COLORS.purple, COLORS.grey] as const;
export const MARKERS = ["circle", "square", "diamond", "triangle-up", "x"] as const;
export const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"] as const;

export const FONT_FAMILY = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/** An axis in the shared look; `more` wins. */
export function axis(title: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    title: { text: title, standoff: 8, font: { size: 13 } },
    gridcolor: COLORS.grid,
    linecolor: COLORS.grey,
    zerolinecolor: COLORS.grid,
    ticks: "outside",
    tickcolor: COLORS.grid,
    ticklen: 4,
    automargin: true,
    ...more,
  };
}

export interface LayoutOptions {
  readonly title: string;
  readonly subtitle?: string;
  readonly xaxis: Record<string, unknown>;
  readonly yaxis: Record<string, unknown>;
  /** Room for a legend above the plot; default: none. */
  readonly legend?: boolean;
  readonly more?: Record<string, unknown>;
}

/** The shared layout: title and subtitle on the left, legend in one line under them, white ground for print. */
export function layout(options: LayoutOptions): Record<string, unknown> {
  const { title, subtitle, xaxis, yaxis, legend = false, more = {} } = options;
  return {
    title: {
      text: `<b>${title}</b>`,
      ...(subtitle ? { subtitle: { text: subtitle, font: { size: 12.5, color: COLORS.grey } } } : {}),
      x: 0,
      xref: "container",
      xanchor: "left",
      y: 1,
      yref: "container",
      yanchor: "top",
      pad: { l: 14, t: 14 },
      font: { size: 16, color: COLORS.ink },
    },
    font: { family: FONT_FAMILY, size: 12.5, color: COLORS.ink },
    paper_bgcolor: "#FFFFFF",
    plot_bgcolor: "#FFFFFF",
    colorway: SERIES,
    margin: { l: 64, r: 24, t: 46 + (subtitle ? 30 : 0) + (legend ? 26 : 0), b: 56 },
    showlegend: legend,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 1.02, yanchor: "bottom" },
    hoverlabel: { font: { family: FONT_FAMILY, size: 12 } },
    hovermode: "closest",
    xaxis,
    yaxis,
    ...more,
  };
}

/**
 * A figure without data: it keeps its title and says why there is nothing to see.
 *
 * @example
 * ```ts
 * await showFigure(emptyFigure("Accuracy by risk", "no pair has a risk level"));
 * ```
 */
export function emptyFigure(title: string, reason: string): Figure {
  return {
    data: [],
    layout: layout({
      title,
      xaxis: { visible: false },
      yaxis: { visible: false },
      more: {
        annotations: [
          {
            text: plain(reason, 200),
            x: 0.5,
            y: 0.5,
            xref: "paper",
            yref: "paper",
            showarrow: false,
            font: { size: 14, color: COLORS.grey },
          },
        ],
      },
    }),
    description: `${title}: ${reason}`,
  };
}

/** Text from data for a place where Plotly reads tags (names, ticks, hover): tags and line breaks made inert, shortened. */
export function plain(text: string, most = 40): string {
  const characters = [...markTurning(text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").trim())];
  const short = characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : characters.join("");
  return short.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** Three significant digits, for words. */
export function brief(value: number): string {
  return Number.isFinite(value) ? minus(String(Number(value.toPrecision(3)))) : "unknown";
}

/** A number's text with a true minus sign in front. */
export function minus(text: string): string {
  return text.replace(/^-/, "−");
}

/** Five significant digits: enough for a plot, a third of the bytes in the file. */
export function round(value: number): number | null {
  return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
}

/** An axis range around values that shows at least `least` of the axis: one point alone is not blown up. */
export function rangeAround(values: readonly number[], least: number): [number, number] | undefined {
  const [low, high] = extent(values);
  if (!values.some(Number.isFinite)) return undefined;
  const pad = Math.max(0.07 * (high - low), (least - (high - low)) / 2);
  return [low - pad, high + pad];
}

/** What a figure of scored pairs says without any. */
export const NO_PAIRS = "No pair has been scored.";

/** A line across the plot at one x, behind the data. */
export function verticalLine(x: number, color: string, dash: string): Record<string, unknown> {
  return { type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color, width: 1.5, dash }, layer: "below" };
}
