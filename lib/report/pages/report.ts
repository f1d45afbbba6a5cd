// In: a run's files, perhaps those of a second run. Out: the report: one HTML file that needs nothing else and asks for nothing.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { reportScript } from "./assets/page";
import { PLOT_STYLE } from "./assets/plotStyle";
import { plotsScript } from "./assets/plots";
import { pairBrowserScript } from "./assets/pairBrowser";
import { REPORT_STYLE } from "./assets/style";
import { scriptJson } from "../escape";
import { deltaHistogramFigure } from "../figures";
import type { Figure } from "../figures/figure";
import { comparisonFigures, comparisonSection } from "./compare";
import { configurationSection, dataSection, environmentSection } from "./data";
import { errorsSection } from "./errors";
import { notesSection } from "./notes";
import { packPairs, pairsSection, pairViews, type PairView } from "./pairs";
import {
  accuracySection,
  calibrationSection,
  lengthSection,
  trainingSection,
  type Section,
  type Told,
} from "./sections";
import { seedsSection } from "./seeds";
import { keyFigures, verdictSection } from "./summary";
import { type Html, html } from "../markup";
import { plotlyPath } from "../png";
import type { RunRecord } from "../../runs/runFiles";
import { runFigures } from "../figures/runFigures";

export interface ReportOptions {
  /** Other runs to compare with. */
  readonly against?: readonly RunRecord[];
  /** What the author has to say, in Markdown. */
  readonly notes?: string;
  /** When the report is made. */
  readonly now?: Date;
}

/**
 * The report of a run as one HTML document.
 *
 * @example
 * ```ts
 * await writeFile("report.html", reportHtml(readRun("metrics/mine"), { against: [readRun("metrics/other")] }));
 * ```
 */
export function reportHtml(run: RunRecord, { against = [], notes, now = new Date() }: ReportOptions = {}): string {
  const validation = run.evaluation;
  const told: Told = run.test
    ? { ...run, ...run.test, part: "test", validation }
    : { ...run, part: "validation", validation };
  const deltas = told.scores.map((line) => line.chosen_score - line.rejected_score);
  const figures = {
    ...runFigures(told),
    // Of the model that is kept, as everything beside it.
    ...(deltas.length > 0 ? { val_deltas_hist: deltaHistogramFigure(deltas) } : {}),
    ...(against.length > 0 ? comparisonFigures([run, ...against]) : {}),
  };
  const pairs = pairViews(run);
  const sections = [
    notes === undefined ? null : notesSection(notes),
    against.length > 0 ? comparisonSection(run, against, figures) : null,
    seedsSection(run),
    trainingSection(run, figures),
    accuracySection(told, figures),
    calibrationSection(told, figures),
    lengthSection(told, figures),
    errorsSection(told.errors ? told : { ...run, part: "validation", validation }),
    pairsSection(pairs),
    dataSection(run),
    configurationSection(run),
    environmentSection(run),
    glossary(),
  ].filter((section): section is Section => section !== null);
  return documentOf({ run, against, figures, sections, pairs, now });
}

interface Parts {
  readonly run: RunRecord;
  readonly against: readonly RunRecord[];
  readonly figures: Readonly<Record<string, Figure>>;
  readonly sections: readonly Section[];
  readonly pairs: readonly PairView[];
  readonly now: Date;
}

function documentOf({ run, against, figures, sections, pairs, now }: Parts): string {
  // A closing tag inside a script would end it; the libraries have none, and this keeps it so.
  const library = (path: string) => readFileSync(path, "utf8").replace(/<\/(script)/gi, "<\\/$1");
  const diff = join(dirname(require.resolve("diff/package.json")), "dist", "diff.min.js");
  const scripts = [library(plotlyPath()), plotsScript(), reportScript()];
  if (pairs.length > 0) scripts.push(library(diff), pairBrowserScript());
  const body = html`<a class="skip" href="#verdict">Skip to the verdict</a>
    <div class="page">
      ${header(run, now)}
      <nav class="contents" aria-label="Contents">
        <ol>
          <li><a href="#verdict">Verdict</a></li>
          ${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}
        </ol>
      </nav>
      <main>
        <section id="verdict" aria-label="Verdict">${verdictSection(run, against)}${keyFigures(run)}</section>
        <noscript
          ><p class="note">
            Charts and the list of pairs need JavaScript, which is off. Everything else can be read.
          </p></noscript
        >
        ${sections.map(
          ({ id, title, body: content }) =>
            html`<section id="${id}" aria-labelledby="${id}-title">
              <h2 id="${id}-title">${title}</h2>
              ${content}
            </section>`,
        )}
      </main>
      <footer>
        <p>
          Made by Rewardbook ${String(run.environment?.rewardbook ?? "")} from the files in <code>${run.dir}</code>.
          This file is complete: it loads nothing and sends nothing.
        </p>
      </footer>
    </div>`;
  return [
    "<!doctype html>",
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy(scripts)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">',
    '<link rel="icon" href="data:,">',
    html`<title>${run.name}: Rewardbook report</title>`.markup,
    `<style>${REPORT_STYLE}${PLOT_STYLE}</style></head><body>`,
    body.markup,
    ...Object.entries(figures).map(
      ([name, { data, layout }]) =>
        `<script type="application/json" data-for="${name}">${scriptJson({ data, layout })}</script>`,
    ),
    pairs.length > 0 ? `<script type="text/plain" id="pairs-data">${packPairs(pairs)}</script>` : "",
    `${scripts.map((script) => `<script>${script}</script>`).join("")}</body></html>\n`,
  ].join("\n");
}

/** Only the scripts above may run, by their hashes; nothing may be fetched. Plotly writes style elements. */
function policy(scripts: readonly string[]): string {
  const hashes = scripts.map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`).join(" ");
  return `default-src 'none'; script-src ${hashes}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
}

function header(run: RunRecord, now: Date): Html {
  const facts = [
    typeof run.config?.model === "string" && `model ${basename(run.config.model)}`,
    typeof run.config?.pairs === "string" && `pairs ${basename(run.config.pairs)}`,
    run.data?.counts &&
      `${(run.data.counts.train ?? 0).toLocaleString("en")} to train, ${(run.data.counts.val ?? 0).toLocaleString("en")} to validate`,
    `report of ${now.toISOString().slice(0, 16).replace("T", " ")} UTC`,
  ].filter(Boolean);
  return html`<header class="top">
    <div>
      <p class="kicker">Reward model report</p>
      <h1>${run.name}</h1>
      <p class="meta">${facts.join(" · ")}</p>
    </div>
    <button type="button" id="theme">Dark colours</button>
  </header>`;
}

const WORDS: readonly (readonly [string, string])[] = [
  ["Reward", "The number the model gives an answer. Only differences between answers to one prompt mean something."],
  ["Pair", "A prompt with two answers, one of which was preferred: chosen and rejected."],
  ["Δ", "Reward of the chosen answer minus that of the rejected one; above zero the model agrees with the data."],
  ["Accuracy", "Share of pairs with Δ above zero; a tie counts one half. A coin reaches 50%."],
  [
    "95% interval",
    "Intervals made in this way hold the true value in about 95 of 100 cases. Pairs of one prompt are not independent; the interval of the overall accuracy allows for that.",
  ],
  [
    "ECE",
    "Expected calibration error: by how much stated probabilities miss the observed shares, on average over bins. 0 is perfect. Symmetric: each pair is also seen with its answers exchanged; one-sided: P(chosen) alone, as the original notebook has it.",
  ],
  [
    "Test, validation",
    "Validation pairs were used to choose the best step and the temperature, so results on them are a little too good; nothing was chosen by test pairs.",
  ],
  ["Temperature", "A number that Δ is divided by before it becomes a probability, so that stated probabilities fit."],
  ["Overfitting gap", "Training accuracy minus validation accuracy."],
  ["Risk level", "How much harm a wrong answer does, as the data states it."],
];

function glossary(): Section {
  const body = html`<dl class="words">
    ${WORDS.map(
      ([word, meaning]) =>
        html`<dt>${word}</dt>
          <dd>${meaning}</dd>`,
    )}
  </dl>`;
  return { id: "words", title: "What the words mean", body };
}
