// In: the result of a check. Out: one HTML file that needs nothing else, without a script; every text of the data is inert.
import type { CheckReport, Example, OverlapReport } from "../../check/report";
import { type Html, type HtmlValue, html, tableOf } from "../markup";
import { percent } from "../../wording";

const STYLE = `
:root{color-scheme:light dark;--ground:#fff;--ink:#1b2330;--muted:#566172;--line:#d9dfe6;--panel:#f6f8fa;--bar:#0068a3;--good:#0b6146;--bad:#9c2c0c}
@media (prefers-color-scheme:dark){:root{--ground:#12161c;--ink:#e8ecf1;--muted:#a5b0bf;--line:#343d4a;--panel:#1a2029;--bar:#6dbdf0;--good:#6fd6ae;--bad:#ff9f7a}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif}
main,header{max-width:64rem;margin:0 auto;padding:0 1.25rem}header{padding-top:2rem}h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}h2{font-size:1.2rem;margin:2.2rem 0 .6rem}
.meta,caption{color:var(--muted)}.verdict{font-weight:600}.good{color:var(--good)}.bad{color:var(--bad)}
.wrap{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}caption{text-align:left;padding:.3rem 0}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere;white-space:pre-wrap;font-weight:400}
thead th{font-weight:600}.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}td{min-width:4rem}
svg{max-width:100%;height:auto}svg text{fill:var(--muted);font-size:11px}rect{fill:var(--bar)}line{stroke:var(--line)}
a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--bar);outline-offset:2px}@media print{.wrap{overflow:visible}h2{break-after:avoid}}`;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
const number = (head: string) => ({ head, number: true });
const text = (head: string) => ({ head });

/** The check of a file as one HTML document. */
export function checkHtml(report: CheckReport, { now = new Date() }: { readonly now?: Date } = {}): string {
  const { path, format, container, reads, rows, pairs, questions, ok } = report;
  const verdict = ok
    ? html`<p class="verdict good">No row is at fault.</p>`
    : html`<p class="verdict bad">${report.errors} of ${rows} rows are at fault.</p>`;
  const warnings =
    report.warnings.length > 0
      ? html`<ul>
          ${report.warnings.map((warning) => html`<li>${warning}</li>`)}
        </ul>`
      : html`<p>Nothing else to report.</p>`;
  const body = html`<header>
      <h1>Check of ${path}</h1>
      <p class="meta">
        ${container}, format ${format || "unknown"} (reads ${reads || "nothing"}) · ${rows} rows, ${pairs} pairs,
        ${questions} questions · ${now.toISOString().slice(0, 16).replace("T", " ")} UTC
      </p>
      ${verdict}${warnings}
    </header>
    <main>
      ${notUsed(report)}${lengths(report)}${vocabulary(report)}${findings(report)}${report.splits.map((other) => overlap("Shared with", other))}
      ${report.contamination.map((other) => overlap("Contamination by", other))}${noise(report)}${distribution(report)}
    </main>`;
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">',
    html`<title>Check of ${path}</title>`.markup,
    `<style>${STYLE}</style></head><body>`,
    body.markup,
    "</body></html>\n",
  ].join("\n");
}

const section = (title: string, content: HtmlValue): Html =>
  html`<section>
    <h2>${title}</h2>
    ${content}
  </section>`;

function notUsed({ errors_by_reason, left_out_by_reason, rejected, errors, left_out }: CheckReport): Html {
  const reasons = [
    ...Object.entries(errors_by_reason).map(([reason, n]) => [reason, "error", n] as const),
    ...Object.entries(left_out_by_reason).map(([reason, n]) => [reason, "left out by rule", n] as const),
  ];
  if (reasons.length === 0) return section("Rows not used", html`<p>Every row was used.</p>`);
  return section("Rows not used", [
    tableOf(`${errors} errors, ${left_out} left out`, [text("Reason"), text("Kind"), number("Count")], reasons),
    tableOf(
      `The first ${rejected.length}`,
      [number("Line"), text("Id"), text("Reason"), text("What is wrong")],
      rejected.map(({ line, id, reason, message }) => [line, id, reason, message]),
    ),
  ]);
}

function lengths({ lengths: profile, pairs }: CheckReport): Html | null {
  if (pairs === 0) return null;
  const row = (name: string, field: "prompt" | "chosen" | "rejected", unit: "characters" | "words") => {
    const { min, p5, median, mean, p95, max } = profile[unit][field];
    return [`${name}, ${unit}`, min, p5, median, mean, p95, max];
  };
  const fields = [
    ["Prompt", "prompt"],
    ["Chosen", "chosen"],
    ["Rejected", "rejected"],
  ] as const;
  return section("Lengths", [
    html`<p>Taking the longer answer is right in ${percent(profile.length_only_accuracy)} of pairs.</p>`,
    ratioChart(profile.length_ratio_histogram),
    tableOf(
      "Lengths",
      [text("Text"), ...["Least", "5%", "Median", "Mean", "95%", "Most"].map(number)],
      fields.flatMap(([name, field]) => (["characters", "words"] as const).map((unit) => row(name, field, unit))),
    ),
  ]);
}

/** Bars of log2(chosen / rejected) from −3 to 3. */
function ratioChart(counts: readonly number[]): Html {
  const [width, height, foot] = [640, 160, 24];
  const step = width / counts.length;
  const most = Math.max(1, ...counts);
  const bars = counts.map((count, i) => {
    const h = (count / most) * (height - 8);
    return html`<rect
      x="${(i * step + 1).toFixed(1)}"
      y="${(height - h).toFixed(1)}"
      width="${(step - 2).toFixed(1)}"
      height="${h.toFixed(1)}"
      ><title>${count} pairs</title></rect
    >`;
  });
  const labels = [-2, -1, 0, 1, 2].map((power) => {
    const x = ((power + 3) / 6) * width;
    return html`<text x="${x.toFixed(1)}" y="${height + 16}" text-anchor="middle"
      >${power === 0 ? "equal" : power < 0 ? `1/${2 ** -power}` : `${2 ** power}×`}</text
    >`;
  });
  return html`<svg
      viewBox="0 0 ${width} ${height + foot}"
      width="${width}"
      role="img"
      aria-label="How many times as long as the rejected answer the chosen one is"
    >
      <line x1="0" y1="${height}" x2="${width}" y2="${height}" />
      ${bars}${labels}
    </svg>
    <p class="meta">Length of the chosen answer relative to the rejected one</p>`;
}

function vocabulary({ vocabulary: words, pairs }: CheckReport): Html | null {
  if (pairs === 0) return null;
  const table = (caption: string, rows: typeof words.telling_chosen) =>
    rows.length > 0 &&
    tableOf(
      caption,
      [text("Word"), number("Chosen"), number("Rejected"), number("z")],
      rows.map(({ word, chosen, rejected, z }) => [word, chosen, rejected, z]),
    );
  return section("Vocabulary", [
    html`<p>
      ${words.distinct} different words among ${words.tokens}, in the first ${words.pairs} pairs. Words that give a
      label away let a model score well without judging.
    </p>`,
    table("Words of chosen answers", words.telling_chosen),
    table("Words of rejected answers", words.telling_rejected),
  ]);
}

const pairCells = ({ line, prompt, chosen, rejected }: Example): HtmlValue[] => [line, prompt, chosen, rejected];
const PAIR = [number("Line"), text("Prompt"), text("Chosen"), text("Rejected")];

function findings(report: CheckReport): HtmlValue {
  const {
    contradictions,
    duplicates,
    near_duplicate_prompts: near,
    one_sided_answers: sided,
    inverted_scores: inverted,
  } = report;
  const twice = (title: string, { count, examples }: typeof duplicates) =>
    count > 0 &&
    section(`${title}: ${count}`, tableOf("Two rows belong together", PAIR, examples.flat().map(pairCells)));
  return [
    twice("Contradictory labels", contradictions),
    inverted.count > 0 &&
      section(
        `Chosen score below rejected score: ${inverted.count}`,
        tableOf("Pairs", PAIR, inverted.examples.map(pairCells)),
      ),
    twice("Repeated pairs", duplicates),
    sided.pairs > 0 &&
      section(
        `Answers on one side only: ${sided.pairs} pairs`,
        tableOf(
          "Answers",
          [text("Side"), number("Chosen"), number("Rejected"), number("Prompts"), ...PAIR],
          sided.examples.map(({ side, chosen, rejected, prompts, pair }) => [
            side,
            chosen,
            rejected,
            prompts,
            ...pairCells(pair),
          ]),
        ),
      ),
    near.count > 0 &&
      section(
        `Near-duplicate prompts: ${near.count}`,
        tableOf(
          "Prompts",
          [number("Similarity"), number("Line"), text("Prompt"), number("Line"), text("Prompt")],
          near.examples.map(({ similarity, pair: [a, b] }) => [
            similarity.toFixed(2),
            a.line,
            a.prompt,
            b.line,
            b.prompt,
          ]),
        ),
      ),
  ];
}

function overlap(title: string, { path, prompts, exact, near, examples }: OverlapReport): Html {
  const found =
    examples.length > 0 &&
    tableOf(
      "Prompts",
      [number("Similarity"), text("There"), number("Line here"), text("Here")],
      examples.map(({ similarity, prompt, own }) => [similarity.toFixed(2), prompt, own.line, own.prompt]),
    );
  return section(`${title} ${path}`, [
    html`<p>${exact} of its ${prompts} prompts are here too, ${near} more nearly.</p>`,
    found,
  ]);
}

function noise({ label_noise: found }: CheckReport): Html | null {
  if (!found) return null;
  return section("Label noise", [
    html`<p>
      About ${percent(found.estimate)} of labels look wrong to a judge that has not seen the question (${found.pairs}
      pairs, ${found.folds} folds; the judge agrees with ${percent(found.judge_accuracy)} of labels).
    </p>`,
    tableOf(
      "Most suspicious pairs",
      [number("Line"), number("P(label right)"), text("Prompt"), text("Chosen"), text("Rejected")],
      found.suspicious.map(({ line, probability, prompt, chosen, rejected }) => [
        line,
        probability.toFixed(3),
        prompt,
        chosen,
        rejected,
      ]),
    ),
  ]);
}

function distribution({ risk_levels, categories }: CheckReport): HtmlValue {
  const table = (title: string, counts: Readonly<Record<string, number>>) => {
    const rows = Object.entries(counts)
      .sort((a, b) => b[1] - a[1])
      .slice(0, 50);
    return rows.length > 0 && section(title, tableOf(title, [text("Name"), number("Pairs")], rows));
  };
  return [table("Risk levels", risk_levels), table("Categories", categories)];
}
