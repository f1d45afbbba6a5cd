// In: HTML with gaps and the values for them. Out: HTML in which every value that is not HTML itself is escaped.
import { escapeHtml } from "./escape";

/** Markup made by `html`; nothing else counts as markup. */
export class Html {
  constructor(readonly markup: string) {}
  toString(): string {
    return this.markup;
  }
}

export type HtmlValue = Html | string | number | null | undefined | false | readonly HtmlValue[];

/** Template tag: text is escaped, `Html` stands as it is, lists are joined, null and false vanish. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return new Html(strings.reduce((out, part, i) => out + part + (i < values.length ? written(values[i]) : ""), ""));
}

function written(value: HtmlValue): string {
  if (value === null || value === undefined || value === false) return "";
  if (Array.isArray(value)) return value.map(written).join("");
  return value instanceof Html ? value.markup : escapeHtml(String(value));
}

/** A cell and the number it sorts by; without one it sorts by its text. */
export interface SortedCell {
  readonly text: HtmlValue;
  readonly value?: number | null;
}

/** A table whose headings sort it, once the page's script runs; the first cell of a row is its heading. */
export function sortableTable(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly SortedCell[])[],
): Html {
  const cell = ({ text, value }: SortedCell, i: number) => {
    const sorted = value === undefined ? "" : new Html(` data-value="${value ?? "-1e99"}"`);
    return i === 0
      ? html`<th scope="row" ${sorted}>${text}</th>`
      : html`<td ${value === undefined ? "" : new Html(' class="number"')} ${sorted}>${text}</td>`;
  };
  return html`<div class="wrap" tabindex="0" role="region" aria-label="${caption}">
    <table class="sortable">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${heads.map((head) => html`<th scope="col">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Rows of a table that stays on one page of paper. */
const SHORT = 12;

export interface TableColumn {
  readonly head: string;
  readonly number?: boolean;
}

/** A table that scrolls by itself where it is too wide; the first cell of a row is its heading. */
export function tableOf(
  caption: string,
  columns: readonly TableColumn[],
  rows: readonly (readonly HtmlValue[])[],
  { changed = () => false }: { readonly changed?: (row: number) => boolean } = {},
): Html {
  const cell = (value: HtmlValue, i: number) =>
    i === 0
      ? html`<th scope="row">${value}</th>`
      : columns[i].number
        ? html`<td class="number">${value}</td>`
        : html`<td>${value}</td>`;
  const head = columns.map(
    ({ head: text, number }) => html`<th scope="col" ${number ? new Html(' class="number"') : ""}>${text}</th>`,
  );
  const body = rows.map((row, i) => html`<tr${changed(i) ? new Html(' class="changed"') : ""}>${row.map(cell)}</tr>`);
  return html`<div
    class="wrap${rows.length <= SHORT ? " short" : ""}"
    tabindex="0"
    role="region"
    aria-label="${caption}"
  >
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div>`;
}
