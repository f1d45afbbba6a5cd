// In: a run's error analysis. Out: the section that lists mistakes, with search and filters, and its data.
import type { MistakeView } from "./assets/page";
import { scriptJson } from "../escape";
import { percent } from "../figures/figure";
import type { Section } from "./sections";
import { html, tableOf, type Html } from "../markup";
import type { RunRecord } from "../../runs/runFiles";

type Errors = NonNullable<RunRecord["errors"]>;

const MOST_CHARACTERS = 2500;
/** Of all mistakes together, as they stand in the file. */
const MOST_BYTES = 2_500_000;
const MOST_ROWS = 100;

/** The mistakes the page shows, worst first; long texts cut and said to be, so that the file stays small. */
export function mistakeViews(errors: Errors | null): MistakeView[] {
  const views: MistakeView[] = [];
  let bytes = 0;
  for (const mistake of errors?.cases ?? []) {
    const view = viewOf(mistake);
    bytes += Buffer.byteLength(scriptJson(view));
    if (bytes > MOST_BYTES) break;
    views.push(view);
  }
  return views;
}

const viewOf = (mistake: Errors["cases"][number]): MistakeView => ({
  id: mistake.id.slice(0, MOST_CHARACTERS),
  risk: mistake.risk === "UNKNOWN" ? "" : mistake.risk,
  kind: mistake.preference_type,
  delta: mistake.delta,
  prompt: cut(mistake.prompt),
  chosen: sideOf(mistake.diff, "chosen"),
  rejected: sideOf(mistake.diff, "rejected"),
  chosenScore: mistake.chosen_score,
  rejectedScore: mistake.rejected_score,
});

function sideOf(diff: Errors["cases"][number]["diff"], side: "chosen" | "rejected"): MistakeView["chosen"] {
  const segments = diff
    .filter(({ op }) => op === "same" || op === side)
    .map(({ op, text }) => ({ text, differs: op === side }));
  const kept = [];
  let left = MOST_CHARACTERS;
  for (const segment of segments) {
    if (left <= 0) break;
    kept.push(segment.text.length > left ? { ...segment, text: segment.text.slice(0, left) } : segment);
    left -= segment.text.length;
  }
  if (left < 0 || kept.length < segments.length) {
    const total = segments.reduce((sum, { text }) => sum + text.length, 0);
    kept.push({ text: ` … [${(total - MOST_CHARACTERS).toLocaleString("en")} characters more]`, differs: false });
  }
  return kept;
}

function cut(text: string): string {
  if (text.length <= MOST_CHARACTERS) return text;
  return `${text.slice(0, MOST_CHARACTERS)} … [${(text.length - MOST_CHARACTERS).toLocaleString("en")} characters more]`;
}

/** A filter over the values there are; none where they are all the same. */
function choice(label: string, id: string, values: readonly string[]): Html | null {
  const distinct = [...new Set(values.filter(Boolean))].sort();
  if (distinct.length < 2) return null;
  const options = distinct.map((value) => html`<option value="${value}">${value}</option>`);
  return html`<label
    >${label}
    <select id="${id}">
      <option value="">all</option>
      ${options}
    </select></label
  > `;
}

export function errorsSection({ errors }: RunRecord): Section | null {
  if (!errors) return null;
  const { n_pairs, n_wrong, n_ties } = errors;
  const intro = html`<p>
    The model ranked ${n_wrong.toLocaleString("en")} of ${n_pairs.toLocaleString("en")} validation pairs the wrong way
    round${n_ties > 0 && `; ${n_ties} tied`}. Not every one is the model's mistake: some labels are wrong. Marked words
    stand in one answer only.
  </p>`;
  const types = errors.by_preference_type
    .slice(0, MOST_ROWS)
    .map((type) => [
      type.type || "(empty)",
      type.n.toLocaleString("en"),
      type.wrong.toLocaleString("en"),
      percent(type.accuracy),
      type.ci95.map((end) => percent(end)).join(" to "),
    ]);
  const columns = ["kind of preference", "pairs", "wrong", "accuracy", "95% interval"].map((head, i) => ({
    head,
    number: i > 0,
  }));
  const more = errors.by_preference_type.length - types.length;
  const caption = `Mistakes by kind of preference${more > 0 ? ` (${more} more kinds with fewer mistakes are in errors.json)` : ""}`;
  const views = mistakeViews(errors);
  const browser = html`<h3>The most confident mistakes</h3>
    <div class="filters" role="search" aria-label="Mistakes">
      <label
        >Search words <input type="search" id="error-search" placeholder="in prompts and answers" autocomplete="off"
      /></label>
      ${choice(
        "Kind",
        "error-kind",
        views.map((view) => view.kind),
      )}${choice(
        "Risk",
        "error-risk",
        views.map((view) => view.risk),
      )}
      <label
        >Order
        <select id="error-order">
          <option value="worst">most confident first</option>
          <option value="closest">closest first</option>
        </select></label
      >
    </div>
    <p id="error-count" class="muted" role="status" aria-live="polite"></p>
    <ol id="error-list" aria-label="Mistakes"></ol>
    <p><button type="button" id="error-more" hidden>Show more mistakes</button></p>`;
  return {
    id: "errors",
    title: "Mistakes",
    body: html`${intro}${types.length > 0 && tableOf(caption, columns, types)}${views.length > 0 && browser}`,
  };
}
