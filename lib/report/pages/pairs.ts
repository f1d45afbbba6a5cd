// In: a run's scored held-out pairs. Out: the section in which a reader browses them, and its data, packed to fit the page.
import { gzipSync } from "node:zlib";
import { html, type Html } from "../markup";
import type { RunRecord } from "../../runs/runFiles";
import type { ScoreLine } from "../../runs/evaluationSchemas";
import type { Section } from "./sections";

/** A pair as the page shows it. Everything in it is text or a number. */
export interface PairView {
  readonly id: string;
  readonly part: "validation" | "test";
  readonly question: string;
  readonly risk: string;
  readonly kind: string;
  readonly scores: readonly [number, number];
  /** Tokens the model read of the two texts; null where the run did not write them. */
  readonly tokens: readonly [number, number] | null;
  /** Code points of prompt or answer that the model did not read, for the two texts. */
  readonly cuts: readonly [readonly Cut[], readonly Cut[]];
  readonly prompt: string;
  readonly answers: readonly [string, string];
}
type Cut = readonly ["prompt" | "response", number, number];

/** Of the packed pairs, as they stand in the file. */
const MOST_BYTES = 3_600_000;
/** Lengths to which texts are cut, in turn, until everything fits. */
const LENGTHS = [Infinity, 20_000, 8_000, 4_000, 2_000, 1_000, 400, 120, 0];

/** All held-out pairs of a run: the test pairs, where they were scored, then the validation pairs. */
export function pairViews(run: RunRecord): PairView[] {
  const cases = new Map((run.errors?.cases ?? []).map((mistake) => [mistake.id, mistake]));
  const view = (part: PairView["part"]) => (line: ScoreLine) => viewOf(line, part, cases.get(line.id));
  return [...(run.test?.scores ?? []).map(view("test")), ...run.scores.map(view("validation"))];
}

/** Runs of earlier versions kept the texts of their mistakes only. */
type Texts = { readonly prompt?: string; readonly chosen?: unknown; readonly rejected?: unknown };

function viewOf(line: ScoreLine, part: PairView["part"], mistake: Texts | undefined): PairView {
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  const read = line.chosen_tokens !== undefined && line.rejected_tokens !== undefined;
  return {
    id: line.id,
    part,
    question: line.question_id,
    risk: line.risk === undefined || line.risk === "UNKNOWN" ? "" : line.risk,
    kind: line.kind ?? line.category ?? "",
    scores: [five(line.chosen_score), five(line.rejected_score)],
    tokens: read ? [line.chosen_tokens!, line.rejected_tokens!] : null,
    cuts: [line.chosen_cuts ?? [], line.rejected_cuts ?? []],
    prompt: text(line.prompt ?? mistake?.prompt),
    answers: [text(line.chosen ?? mistake?.chosen), text(line.rejected ?? mistake?.rejected)],
  };
}

const five = (value: number) => Number(value.toPrecision(6));

/** The pairs as base64 of gzipped JSON, their texts cut, and said to be, as far as the page's size asks for it. */
export function packPairs(views: readonly PairView[]): string {
  for (const length of LENGTHS) {
    const packed = gzipSync(JSON.stringify(views.map((view) => shortened(view, length))), { level: 9 });
    if (packed.length <= (MOST_BYTES / 4) * 3 || length === 0) return packed.toString("base64");
  }
  return "";
}

function shortened(view: PairView, length: number): PairView {
  return {
    ...view,
    id: cut(view.id, 400),
    prompt: cut(view.prompt, length),
    answers: [cut(view.answers[0], length), cut(view.answers[1], length)],
  };
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length)} … [${(text.length - length).toLocaleString("en")} characters more]`;
}

/** A filter over the values there are; the script fills it, and leaves it hidden where they are all the same. */
const choice = (label: string, name: string): Html =>
  html`<label id="pair-${name}-label" hidden
    >${label}
    <select id="pair-${name}">
      <option value="">all</option>
    </select></label
  > `;

const WHICH = [
  ["", "all pairs"],
  ["wrong", "wrong"],
  ["right", "right"],
  ["near", "undecided: less than 60% sure"],
  ["cut", "cut: not read to the end"],
  ["longer", "chosen answer longer"],
  ["shorter", "chosen answer shorter"],
] as const;

const ORDERS = [
  ["wrong", "most confident mistakes first"],
  ["right", "most confident right ones first"],
  ["near", "least decided first"],
  ["long", "longest first"],
  ["short", "shortest first"],
  ["file", "as in the file"],
] as const;

const options = (values: readonly (readonly [string, string])[]) =>
  values.map(([value, words]) => html`<option value="${value}">${words}</option>`);

/** The section with its filters; the page's script fills it. */
export function pairsSection(views: readonly PairView[]): Section | null {
  if (views.length === 0) return null;
  const body = html`<p>
      Every held-out pair with both texts and rewards. Marked words stand in one answer only; struck-out text was not
      read by the model, for want of room.
    </p>
    <div class="filters" role="search" aria-label="Pairs">
      <label
        >Search words <input type="search" id="pair-search" placeholder="in prompts, answers, ids" autocomplete="off"
      /></label>
      <label
        >Which
        <select id="pair-which">
          ${options(WHICH)}
        </select></label
      >
      ${choice("Part", "part")}${choice("Kind", "kind")}${choice("Risk", "risk")}
      <label
        >Order
        <select id="pair-order">
          ${options(ORDERS)}
        </select></label
      >
      <button type="button" id="pair-csv">Save these as CSV</button>
    </div>
    <p id="pair-count" class="muted" role="status" aria-live="polite"></p>
    <div class="browser">
      <div id="pair-list" role="listbox" aria-label="Pairs" tabindex="0"><div id="pair-rows"></div></div>
      <article id="pair-detail" aria-label="The pair chosen" aria-live="polite"></article>
    </div>
    <ol id="pair-paper" aria-label="All mistakes"></ol>`;
  return { id: "pairs", title: "Held-out pairs", body };
}
