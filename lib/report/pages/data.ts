// In: a run's data, configuration and environment files. Out: the sections a reader needs to judge and repeat the run.
import { join } from "node:path";
import { DEFAULT_MODEL } from "../../checkpoints/findModel";
import { trainingSchema } from "../../config";
import { placeInProject } from "../../files/paths";
import type { Section } from "./sections";
import { html, tableOf, type Html, type HtmlValue } from "../markup";
import type { RunRecord } from "../../runs/runFiles";
import { percent } from "../../wording";

type Data = NonNullable<RunRecord["data"]>;
type Source = Data["sources"][number];

const whole = (value: number | undefined) => (value === undefined ? "–" : value.toLocaleString("en"));

export function dataSection({ data }: RunRecord): Section | null {
  if (!data) return null;
  const shared = data.val_pairs_of_training_questions;
  const leak =
    typeof shared === "number" &&
    shared > 0 &&
    html`<p class="note">
      ${whole(shared)} validation pairs ask a question that was trained on, so the accuracy may be too good.
    </p>`;
  const body = html`${data.sources.map(sourcePart)}${leak}${splitPart(data)}${truncationPart(data)}`;
  return { id: "data", title: "Data", body };
}

/** What became of a file's rows: used, or left out and why. */
function sourcePart({ file, format, rows, used, not_used = {}, sha256 }: Source): Html {
  const reasons = Object.entries(not_used).filter(([, n]) => n > 0);
  const left = reasons.reduce((sum, [, n]) => sum + n, 0);
  const all = rows ?? (used ?? 0) + left;
  const shareUsed = all > 0 ? (used ?? all - left) / all : 1;
  const bar = html`<div class="usage" role="img" aria-label="${percent(shareUsed)} of the rows used">
    <span style="width:${(100 * shareUsed).toFixed(2)}%"></span
    >${left > 0 && html`<span style="width:${(100 * (1 - shareUsed)).toFixed(2)}%"></span>`}
  </div>`;
  const why =
    left > 0
      ? tableOf(
          "Rows left out",
          [{ head: "reason" }, { head: "rows", number: true }, { head: "share", number: true }],
          reasons.map(([reason, n]) => [reason.replace(/_/g, " "), whole(n), percent(n / Math.max(1, all))]),
        )
      : html`<p>No row was left out.</p>`;
  return html`<h3><code>${file}</code></h3>
    <p>
      ${format && `Format: ${format}. `}${whole(used)} of ${whole(rows)} rows are
      used${left > 0 && `; ${whole(left)} are left out, each listed by line in the run's *_rejected_rows.jsonl`}.
    </p>
    ${bar}${why}${sha256 && html`<p class="muted">Fingerprint (sha256): <code>${sha256}</code></p>`}`;
}

function splitPart({ split, counts, near_duplicates_across_splits, val_pairs_of_training_questions }: Data): Html {
  const duplicates = typeof near_duplicates_across_splits === "number" ? near_duplicates_across_splits : 0;
  const pairs = split?.counts ?? counts;
  if (!pairs) return html``;
  const parts = (["train", "val", "test"] as const).filter((part) => (pairs[part] ?? 0) > 0);
  const label = { train: "training", val: "validation", test: "test" };
  const risks = [...new Set(parts.flatMap((part) => Object.keys(split?.risk_dist?.[part] ?? {})))].sort();
  const rows: HtmlValue[][] = [["Pairs", ...parts.map((part) => whole(pairs[part]))]];
  if (split?.unique_qids) rows.push(["Questions", ...parts.map((part) => whole(split.unique_qids![part]))]);
  for (const risk of risks) {
    rows.push([
      `Risk ${risk}`,
      ...parts.map((part) => {
        const counted = split!.risk_dist![part] ?? {};
        const n = Object.hasOwn(counted, risk) ? counted[risk] : 0;
        return `${whole(n)} (${percent(n / Math.max(1, pairs[part] ?? 0), 0)})`;
      }),
    ]);
  }
  const dropped = Object.entries(split?.dropped ?? {}).filter(([, n]) => n > 0);
  return html`${tableOf("Split", [{ head: "" }, ...parts.map((part) => ({ head: label[part], number: true }))], rows)}
  ${split && !((val_pairs_of_training_questions as number) > 0) && html`<p>All pairs of a question stay on one side, so nothing is validated on a question that was trained on.${split.seed !== undefined && ` Seed ${split.seed}.`}</p>`}
  ${duplicates > 0 && html`<p class="note">${whole(duplicates)} pairs of nearly equal prompts stand in different parts, so the accuracy may be too good.</p>`}
  ${dropped.length > 0 && html`<p>Weak pairs left out: ${dropped.map(([reason, n]) => `${whole(n)} ${reason.replace(/_/g, " ")}`).join(", ")}.</p>`}`;
}

function truncationPart({ truncation, counts, split }: Data): Html {
  const pairs = counts ?? split?.counts;
  const told = (["train", "val"] as const).flatMap((part) => {
    const cut = truncation?.[part];
    if (!cut) return [];
    const name = part === "train" ? "training" : "validation";
    const total = pairs?.[part];
    const share = total ? ` (${percent((cut.pairs ?? 0) / total)})` : "";
    return [
      `${whole(cut.pairs)} ${name} ${cut.pairs === 1 ? "pair" : "pairs"}${share}, ${whole(cut.tokens_cut)} tokens`,
    ];
  });
  return told.length
    ? html`<h3>Texts longer than the model reads</h3>
        <p>Cut: ${told.join("; ")}.</p>`
    : html``;
}

/** The resolved configuration with the meaning of each field; what differs from the default is marked. */
export function configurationSection({ config }: RunRecord): Section | null {
  if (!config) return null;
  const fields = trainingSchema.shape as Readonly<Record<string, { description?: string }>>;
  const defaults: Readonly<Record<string, unknown>> = { ...trainingSchema.parse({}), model: DEFAULT_PLACE };
  const entries = Object.entries(config).map(
    ([key, value]) => [key, typeof value === "string" ? placeInProject(value) : value] as const,
  );
  const rows = entries.map(([key, value]) => [
    key,
    html`<span class="mono">${text(value)}</span>`,
    descriptionOf(fields[key]),
  ]);
  const changed = (i: number) => entries[i][0] in fields && text(entries[i][1]) !== text(defaults[entries[i][0]]);
  const columns = [{ head: "field" }, { head: "value" }, { head: "meaning" }];
  const others = rows.filter((_, i) => changed(i));
  const body = html`${
      others.length > 0
        ? tableOf("Fields that differ from the default", columns, others)
        : html`<p>Every field has its default.</p>`
    }
    <details>
      <summary>All ${rows.length} fields</summary>
      ${tableOf("Configuration", columns, rows, { changed })}
    </details>`;
  return { id: "configuration", title: "Configuration", body };
}

const DEFAULT_PLACE = join("models", DEFAULT_MODEL);

/** The description stands on the innermost type of an optional or defaulted field. */
function descriptionOf(field: unknown): string {
  for (
    let type = field as { description?: string; def?: { innerType?: unknown } } | undefined;
    type;
    type = type.def?.innerType as never
  ) {
    if (type.description) return type.description;
  }
  return "";
}

const text = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);

export function environmentSection({ environment }: RunRecord): Section | null {
  if (!environment) return null;
  const rows = Object.entries(environment).flatMap(([key, value]) => flatten(key, value));
  const body = tableOf(
    "Environment",
    [{ head: "what" }, { head: "value" }],
    rows.map(([key, value]) => [key, html`<span class="mono">${value === "null" ? "none" : value}</span>`]),
  );
  return { id: "environment", title: "Environment", body };
}

function flatten(key: string, value: unknown): [string, string][] {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return [[key, text(value)]];
  return Object.entries(value).flatMap(([inner, deeper]) => flatten(`${key} · ${inner}`, deeper));
}
