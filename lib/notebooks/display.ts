// In: a value that a cell returned: a data frame, a figure. Out: how a notebook shows it, as a table or drawn by Plotly.
import { figureBundle, type AnyFigure, type MimeBundle } from "../report/show";
import { isFrame, type FrameLike } from "../report/rows";
import { createTable, type Table } from "../report/tables";

export type { FrameLike } from "../report/rows";

/** More rows than this are counted, not shown. */
const ROWS_SHOWN = 60;

const isFigure = (value: object): value is AnyFigure =>
  "data" in value && Array.isArray(value.data) && "layout" in value && typeof value.layout === "object";

/**
 * The kernel shows a cell's last value by this; null where its text will do.
 *
 * @example
 * ```ts
 * console.log(displayBundle(createTable([{ a: 1 }])));
 * ```
 */
export function displayBundle(value: object): MimeBundle | null {
  if (isFrame(value)) return frameTable(value).toMimeBundle();
  return isFigure(value) ? figureBundle(value) : null;
}

/**
 * A danfo.js data frame or series as an escaped table; an index that is more than row numbers is its first column.
 *
 * @example
 * ```ts
 * showTable(frameTable({ columns: ["a"], values: [[1], [2]] }, "a frame"));
 * ```
 */
export function frameTable(frame: FrameLike, caption?: string): Table {
  const { columns, index, values } = frame;
  const left = values.length - ROWS_SHOWN;
  const told = left > 0 ? `${caption ? `${caption}; ` : ""}the first ${ROWS_SHOWN} of ${values.length} rows` : caption;
  return createTable({ columns, index, values: values.slice(0, ROWS_SHOWN) }, { caption: told });
}

/** How `plotFrame` draws. */
export interface FramePlot {
  /** Default: `line`. */
  readonly kind?: "line" | "scatter" | "bar" | "histogram" | "box";
  /** Column of the horizontal axis; default: the frame's index. */
  readonly x?: string;
  /** Columns drawn, one series each; default: every column of numbers but `x`. */
  readonly y?: string | readonly string[];
  readonly title?: string;
}

/**
 * A data frame drawn by Plotly, in place of danfo.js's own `df.plot`, which needs a page: `plotFrame(df, { kind: "bar", x: "risk" })`
 * as a cell's last line, or `showFigure(plotFrame(df))`.
 *
 * @throws RangeError for a column that the frame does not have
 * @example
 * ```ts
 * await showFigure(plotFrame({ columns: ["step", "loss"], values: [[1, 0.7], [2, 0.6]] }, { kind: "line", x: "step", y: "loss" }));
 * ```
 */
export function plotFrame(frame: FrameLike, { kind = "line", x, y, title }: FramePlot = {}): AnyFigure {
  const column = (name: string): unknown[] => {
    const at = frame.columns.indexOf(name);
    if (at < 0) throw new RangeError(`plotFrame: expected a column of ${frame.columns.join(", ")}, got ${name}`);
    return frame.values.map((row) => (Array.isArray(row) ? row[at] : row));
  };
  const numeric = frame.columns.filter(
    (name) => name !== x && column(name).every((v) => v == null || typeof v === "number"),
  );
  const drawn = y === undefined ? numeric : [y].flat();
  const along = x === undefined ? [...(frame.index ?? frame.values.keys())] : column(x);
  const trace = (name: string) =>
    kind === "histogram"
      ? { type: "histogram", x: column(name), name }
      : kind === "box"
        ? { type: "box", y: column(name), name }
        : {
            type: kind === "bar" ? "bar" : "scatter",
            mode: kind === "line" ? "lines" : "markers",
            x: along,
            y: column(name),
            name,
          };
  const distribution = kind === "histogram" || kind === "box";
  return {
    data: drawn.map(trace),
    layout: {
      title: { text: title ?? "" },
      xaxis: { title: { text: distribution ? "" : (x ?? "index") }, automargin: true },
      yaxis: { title: { text: drawn.length === 1 && !distribution ? drawn[0] : "" }, automargin: true },
      ...(kind === "histogram" ? { barmode: "overlay" } : {}),
    },
    description: `${title ? `${title}: ` : ""}${kind} of ${drawn.join(", ")}${x ? ` by ${x}` : ""}, ${frame.values.length} rows`,
  };
}
