// In: rows of values. Out: the table as escaped HTML, as text, and as a notebook's bundle of both.
import { printableLine } from "../terminal";
import { escapeHtml } from "./escape";
import { rowsOf, type NamedValues, type Rows } from "./rows";

export type { Rows } from "./rows";

export interface TableOptions {
  readonly caption?: string;
  /** Keys in the order shown; default: those of all rows, as they come. */
  readonly columns?: readonly string[];
  /** Heading of a key; default: the key. */
  readonly headings?: Readonly<Record<string, string>>;
  /** How a column's numbers read; default: whole numbers grouped, others with four significant digits. */
  readonly formats?: Readonly<Record<string, (value: number) => string>>;
}

export interface Table {
  readonly html: string;
  readonly text: string;
  /** What Jupyter takes: the HTML and the text. */
  toMimeBundle(): { "text/html": string; "text/plain": string };
}

/**
 * A table of rows, whatever they are: objects, lists, single values, a map, a record, columns by their names, a data frame
 * of danfo.js. Columns whose values are all numbers stand on the right.
 *
 * @throws UsageError for what has no rows
 * @example
 * ```ts
 * createTable([{ what: "accuracy", value: percent(0.81) }], { caption: "held-out pairs" });
 * ```
 */
export function createTable(given: Rows, options: TableOptions = {}): Table {
  const { rows, columns: all } = rowsOf(given);
  const { caption, columns = all ?? keysOf(rows), headings = {}, formats = {} } = options;
  if (columns.length === 0) return createTable([], { caption, columns: ["(no rows)"] });
  const numeric = columns.map(
    (key) => rows.length > 0 && rows.every((row) => own(row, key) == null || typeof own(row, key) === "number"),
  );
  const cells = rows.map((row) => columns.map((key) => cellText(own(row, key), own(formats, key))));
  const heads = columns.map((key) => own(headings, key) ?? key);
  const html = htmlTable(caption, heads, cells, numeric);
  const text = textTable(caption, heads, cells, numeric);
  return { html, text, toMimeBundle: () => ({ "text/html": html, "text/plain": text }) };
}

/** A key of the data, which may be called `constructor`. */
const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const keysOf = (rows: readonly NamedValues[]): string[] => [...new Set(rows.flatMap((row) => Object.keys(row)))];

/**
 * `27775` → `27,775`, `0.812345` → `0.8123`.
 *
 * @example
 * ```ts
 * console.log(formatNumber(0.000123456));
 * ```
 */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e6
    ? Number(value.toPrecision(4)).toLocaleString("en", { maximumSignificantDigits: 4 })
    : value.toExponential(2);
}

function cellText(value: unknown, format: (value: number) => string = formatNumber): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return format(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "–" : value.toISOString();
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return cellText([...(value as Float32Array)], format);
  if (Array.isArray(value)) return value.map((item) => cellText(item, format)).join(", ");
  return typeof value === "object" ? jsonOf(value) : String(value);
}

/** Nested values as JSON; what JSON cannot say (circles) as text. */
function jsonOf(value: object): string {
  try {
    return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? String(inner) : inner)) ?? String(value);
  } catch {
    return String(value);
  }
}

function htmlTable(caption: string | undefined, heads: string[], cells: string[][], numeric: boolean[]): string {
  // Styles in the elements: a notebook's output has no style sheet of ours.
  const style = (i: number) =>
    `text-align:${numeric[i] ? "right;font-variant-numeric:tabular-nums" : "left"};padding:.3em .8em`;
  const row = (open: string, close: string, texts: string[]) =>
    `<tr>${texts.map((text, i) => `<${open} style="${style(i)}">${escapeHtml(text)}</${close}>`).join("")}</tr>`;
  return [
    `<table style="border-collapse:collapse">`,
    caption
      ? `<caption style="text-align:left;font-weight:600;padding:.3em .8em">${escapeHtml(caption)}</caption>`
      : "",
    `<thead style="border-bottom:1px solid currentColor">${row('th scope="col"', "th", heads)}</thead>`,
    `<tbody>${cells.map((texts) => row("td", "td", texts)).join("")}</tbody></table>`,
  ].join("");
}

const WIDEST = 60;

function textTable(caption: string | undefined, heads: string[], cells: string[][], numeric: boolean[]): string {
  const lines = [heads, ...cells].map((texts) => texts.map(clip));
  const widths = heads.map((_, i) => Math.max(...lines.map((texts) => [...texts[i]].length)));
  const pad = (text: string, i: number) => {
    const space = " ".repeat(widths[i] - [...text].length);
    return numeric[i] ? space + text : text + space;
  };
  const drawn = lines.map((texts) => texts.map(pad).join("  ").trimEnd());
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [...(caption ? [printableLine(caption)] : []), drawn[0], rule, ...drawn.slice(1)].join("\n");
}

function clip(text: string): string {
  const characters = [...printableLine(text)];
  return characters.length > WIDEST ? `${characters.slice(0, WIDEST - 1).join("")}…` : characters.join("");
}
