// In: a run's error analysis. Out: the section that counts mistakes by kind.
import type { Section, Told } from "./sections";
import { html, tableOf } from "../markup";
import { percent } from "../../wording";

const MOST_ROWS = 100;

export function errorsSection({ errors, part }: Told): Section | null {
  if (!errors) return null;
  const { n_pairs, n_wrong, n_ties } = errors;
  const intro = html`<p>
    The model ranked ${n_wrong.toLocaleString("en")} of ${n_pairs.toLocaleString("en")} ${part} pairs the wrong way
    round${n_ties > 0 && `; ${n_ties} tied`}. Not every one is the model's mistake: some labels are wrong. The next part
    shows them all, the most confident first.
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
  return {
    id: "errors",
    title: "Mistakes",
    body: html`${intro}${types.length > 0 && tableOf(caption, columns, types)}`,
  };
}
