// In: figures, tables, text. Out: what a tslab notebook displays; in a plain script the same as text on the console.
import { randomBytes } from "node:crypto";
import { sep } from "node:path";
import { printable } from "../terminal";
import { BrowserMissing } from "./browser";
import { FIGURE_CONFIG, type Figure } from "./figures/figure";
import { renderPng } from "./png";
import type { Table } from "./tables";

/** Representations of one output by MIME type; `text/plain` is what a console gets. */
export type MimeBundle = Readonly<Record<string, unknown>> & { readonly "text/plain": string };

interface DisplayData {
  readonly data: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly transient: { readonly display_id: string };
}
type Writer = (display: DisplayData, update: boolean) => void;

const TSLAB_JUPYTER = ["tslab", "dist", "jupyter.js"].join(sep);

/** tslab keeps the running cell's writer in its jupyter module; elsewhere that module is not loaded, and it is not loaded here. */
function writer(): Writer | null {
  const path = Object.keys(require.cache ?? {}).find((loaded) => loaded.endsWith(TSLAB_JUPYTER));
  if (!path) return null;
  return (require.cache[path]!.exports as { lastWriteDisplayData: Writer | null }).lastWriteDisplayData;
}

/** Whether output goes to a notebook cell. */
export function insideNotebook(): boolean {
  return writer() !== null;
}

/**
 * Displays a bundle, its plain text made inert; with the id of an earlier one and `update` it takes that one's place. Returns the id.
 *
 * @example
 * ```ts
 * showBundle({ "text/html": "<b>done</b>", "text/plain": "done" });
 * ```
 */
export function showBundle(shown: MimeBundle, { id = randomBytes(8).toString("hex"), update = false } = {}): string {
  const bundle = { ...shown, "text/plain": printable(shown["text/plain"]) };
  const write = writer();
  if (write) write({ data: bundle, metadata: {}, transient: { display_id: id } }, update);
  else console.log(bundle["text/plain"]);
  return id;
}

/** A Plotly figure of any origin; without words of its own its title stands for it. */
export type AnyFigure = Pick<Figure, "data"> & Partial<Pick<Figure, "layout" | "description">>;

const titleOf = ({ layout }: AnyFigure): string => {
  const title = layout?.title as string | { readonly text?: string } | undefined;
  return (typeof title === "string" ? title : title?.text) || "a figure";
};

/** The figure's MIME bundle; typed arrays become lists, as JSON needs. */
export function figureBundle(figure: AnyFigure): MimeBundle {
  const drawn = { data: figure.data, layout: figure.layout ?? {}, config: FIGURE_CONFIG };
  const listed = JSON.parse(
    JSON.stringify(drawn, (_key, value) =>
      ArrayBuffer.isView(value) && !(value instanceof DataView)
        ? Array.from(value as unknown as ArrayLike<number>)
        : value,
    ),
  );
  return { "application/vnd.plotly.v1+json": listed, "text/plain": figure.description ?? titleOf(figure) };
}

/**
 * Displays an interactive figure; with `png` also its picture, for viewers without Plotly (GitHub).
 * Without a browser the picture is left out.
 *
 * @example
 * ```ts
 * await showFigure(histogramFigure({ title: "Δ", xTitle: "Δ", yTitle: "pairs", samples: [{ name: "val", values: [...rewardDeltas(scored)] }] }));
 * ```
 */
export async function showFigure(figure: AnyFigure, { png = false }: { readonly png?: boolean } = {}): Promise<void> {
  const bundle = figureBundle(figure);
  const picture = png && insideNotebook() ? await pictureOf(figure) : null;
  showBundle(picture ? { ...bundle, "image/png": picture } : bundle);
}

const NOTEBOOK_DPI = 144;

async function pictureOf(figure: AnyFigure): Promise<string | null> {
  try {
    return (await renderPng({ layout: {}, description: titleOf(figure), ...figure }, { dpi: NOTEBOOK_DPI })).toString(
      "base64",
    );
  } catch (error) {
    if (error instanceof BrowserMissing) return null;
    throw error;
  }
}

/**
 * Displays a table.
 *
 * @example
 * ```ts
 * showTable(createTable([{ pairs: pairs.length }]));
 * ```
 */
export function showTable(table: Table): void {
  showBundle(table.toMimeBundle());
}

const CONSOLE_EVERY_MS = 5000;

/** One output that is drawn again and again in place. */
export interface LiveDisplay {
  /** Draws, unless it was drawn less than `everyMs` ago. */
  update(bundle: () => MimeBundle): void;
  /** Always draws: a saved notebook holds the last state. */
  finish(bundle: () => MimeBundle): void;
}

/**
 * A display that updates in place in a notebook, at most every `everyMs`; on a console a line every few seconds.
 *
 * @example
 * ```ts
 * const display = createLiveDisplay();
 * display.update(() => ({ "text/plain": "half way" }));
 * display.finish(() => ({ "text/plain": "done" }));
 * ```
 */
export function createLiveDisplay({ everyMs = 250 }: { readonly everyMs?: number } = {}): LiveDisplay {
  const interval = insideNotebook() ? everyMs : Math.max(everyMs, CONSOLE_EVERY_MS);
  let id: string | undefined;
  let last = -Infinity;
  const draw = (bundle: MimeBundle) => {
    last = Date.now();
    id = showBundle(bundle, { id, update: id !== undefined });
  };
  return {
    update: (bundle) => {
      if (Date.now() - last >= interval) draw(bundle());
    },
    finish: (bundle) => draw(bundle()),
  };
}
