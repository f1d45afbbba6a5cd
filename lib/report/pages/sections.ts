// In: a run's files and the names of its figures. Out: the sections on training, accuracy, calibration and length.
import { percent } from "../figures/figure";
import type { Figure } from "../figures/figure";
import { html, tableOf, type Html } from "../markup";
import type { RunRecord } from "../../runs/runFiles";

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

type Figures = Readonly<Record<string, Figure>>;

/** A chart's place: the page's script draws into it; its words stand beneath. */
export function chart(figures: Figures, name: string): Html {
  const figure = figures[name];
  if (!figure) return html``;
  return html`<figure class="chart">
    <div class="plot" data-figure="${name}" role="group" aria-label="${figure.description}"></div>
    <figcaption>
      <details>
        <summary>In words</summary>
        <p>${figure.description}</p>
      </details>
    </figcaption>
  </figure>`;
}

const TRAINING_CHARTS = [
  "train_loss_by_step",
  "train_val_loss_by_epoch",
  "val_accuracy_ece_by_epoch",
  "val_accuracy_loss_by_step",
  "learning_rate_by_step",
];

/** Charts side by side; those without data are left out, but for one where all are. */
function chartsOf(figures: Figures, names: readonly string[]): Html {
  const drawn = names.filter((name) => figures[name]?.data.length);
  return html`<div class="charts">
    ${(drawn.length ? drawn : names.slice(0, 1)).map((name) => chart(figures, name))}
  </div>`;
}

export function trainingSection(run: RunRecord, figures: Figures): Section {
  const rows = run.epochs.map((line) => [
    String(line.epoch),
    measured(line.train_loss),
    measured(line.val_loss),
    share(line.train_accuracy),
    share(line.pairwise_accuracy) +
      (line.accuracy_ci95 ? ` (${line.accuracy_ci95.map((end) => percent(end)).join(" to ")})` : ""),
    measured(line.ece),
  ]);
  const heads = [
    "epoch",
    "training loss",
    "validation loss",
    "training accuracy",
    "validation accuracy (95% interval)",
    "ECE",
  ];
  const best = run.metrics?.best_epoch;
  const body = html` <p>
      The loss should fall and level off. A validation loss that rises while the training loss falls is overfitting.
      ${best && run.epochs.length > 0 ? `The model kept is that of epoch ${best}, the best by validation accuracy.` : ""}
    </p>
    ${chartsOf(figures, TRAINING_CHARTS)}
    ${
      rows.length > 0 &&
      tableOf(
        "Epochs",
        heads.map((head, i) => ({ head, number: i > 0 })),
        rows,
      )
    }`;
  return { id: "training", title: "Training", body };
}

const measured = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value.toFixed(4) : "–");
const share = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? percent(value) : "–");

const MOST_ROWS = 200;

type Groups = Readonly<Record<string, { n: number; accuracy: number; ci95: readonly [number, number]; ece?: number }>>;

function groupTable(caption: string, head: string, groups: Groups): Html {
  const largest = Object.entries(groups).sort(([, a], [, b]) => b.n - a.n);
  const rows = largest
    .slice(0, MOST_ROWS)
    .map(([name, group]) => [
      name || "(empty)",
      group.n.toLocaleString("en"),
      percent(group.accuracy),
      group.ci95.map((end) => percent(end)).join(" to "),
      measured(group.ece),
    ]);
  const columns = [head, "pairs", "accuracy", "95% interval", "ECE"].map((text, i) => ({ head: text, number: i > 0 }));
  return html`<details>
    <summary>${caption} as a table</summary>
    ${tableOf(caption, columns, rows)}
  </details>`;
}

export function accuracySection({ evaluation }: RunRecord, figures: Figures): Section | null {
  if (!evaluation) return null;
  const hasRisks = Object.keys(evaluation.by_risk).some((risk) => risk !== "UNKNOWN");
  const charts = [
    ...(hasRisks ? ["accuracy_by_risk"] : []),
    "accuracy_by_preference_type",
    ...(evaluation.n_pairs > 0 ? ["val_deltas_hist", "reward_distribution"] : []),
  ];
  const byCategory = Object.keys(evaluation.by_category).length > 0;
  const body = html` <p>
      Share of validation pairs in which the preferred answer got the higher reward; a tie counts one half
      (${evaluation.ties} of ${evaluation.n_pairs.toLocaleString("en")} pairs tied). Small groups have wide intervals:
      two groups whose intervals overlap may well be alike.
    </p>
    ${chartsOf(figures, charts)} ${hasRisks && groupTable("Accuracy by risk level", "risk level", evaluation.by_risk)}
    ${groupTable("Accuracy by kind of preference", byCategory ? "category" : "kind (guessed from the texts)", byCategory ? evaluation.by_category : evaluation.by_preference_type)}`;
  return { id: "accuracy", title: "Accuracy", body };
}

export function calibrationSection({ evaluation }: RunRecord, figures: Figures): Section | null {
  if (!evaluation) return null;
  const { calibrated, temperature } = evaluation;
  const number = (value: number | null | undefined) => (value === null || value === undefined ? "–" : value.toFixed(4));
  const rows = [
    [
      "Symmetric ECE",
      "each pair also seen flipped; what the diagram shows",
      number(evaluation.ece_symmetric),
      number(calibrated?.ece_symmetric),
    ],
    ["ECE", "as the original notebook: P(chosen) in ten bins", number(evaluation.ece), number(calibrated?.ece)],
    ["MCE", "worst bin of that", number(evaluation.mce), number(calibrated?.mce)],
    ["Brier score", "a coin: 0.25", number(evaluation.brier), number(calibrated?.brier)],
    ["NLL", "a coin: 0.6931", number(evaluation.nll), number(calibrated?.nll)],
  ];
  const columns = [
    { head: "measure" },
    { head: "meaning" },
    { head: "raw", number: true },
    { head: `at T = ${number(temperature)}`, number: true },
  ];
  const body = html` <p>
      A calibrated model that says “80% sure” is right in 80% of such cases. Points under the dashed line: too sure;
      above it: not sure enough. The temperature T divides reward differences. It is fitted on all validation pairs; its
      column judges each pair by a T fitted on other prompts.
    </p>
    <div class="charts">
      ${chart(figures, "reliability")}
      <div>${tableOf("Calibration measures", columns, rows)}</div>
    </div>`;
  return { id: "calibration", title: "Calibration", body };
}

export function lengthSection({ evaluation }: RunRecord, figures: Figures): Section | null {
  const length = evaluation?.length;
  if (!length) return null;
  const row = (
    name: string,
    n: number | null | undefined,
    value: number | null | undefined,
    ci95: readonly [number, number] | null | undefined,
  ) => [
    name,
    n === null || n === undefined ? "–" : n.toLocaleString("en"),
    share(value),
    ci95 ? ci95.map((end) => percent(end)).join(" to ") : "–",
  ];
  const rows = [
    row(
      "Better answer is the longer one",
      length.n_chosen_longer,
      length.accuracy_chosen_longer,
      length.accuracy_chosen_longer_ci95,
    ),
    row(
      "Better answer is the shorter one",
      length.n_chosen_shorter,
      length.accuracy_chosen_shorter,
      length.accuracy_chosen_shorter_ci95,
    ),
    row("Always taking the longer answer", evaluation!.n_pairs, length.length_only_accuracy, null),
  ];
  const columns = ["pairs in which", "pairs", "accuracy", "95% interval"].map((head, i) => ({ head, number: i > 0 }));
  const body = html`${length.sentence && html`<p class="lead">${length.sentence}</p>`}
    <div class="charts">${chart(figures, "length_against_reward")}${chart(figures, "accuracy_by_length")}</div>
    ${tableOf("Accuracy by which answer is longer", columns, rows)}`;
  return { id: "length", title: "Length", body };
}
