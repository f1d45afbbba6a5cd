// In: a run's files and the names of its figures. Out: the sections on training, accuracy, calibration and length.
import type { Figure } from "../figures/figure";
import { html, tableOf, type Html } from "../markup";
import type { RunRecord } from "../../runs/runFiles";
import { calibrationHelp } from "../verdict";
import { percent } from "../../wording";

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** What the sections on held-out pairs are told of: a run's files with the set of pairs that comes first. */
export type Told = RunRecord & {
  readonly part: "test" | "validation";
  /** The validation pairs' own evaluation: what is chosen, is chosen by it. */
  readonly validation?: RunRecord["evaluation"];
};

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
    "one-sided ECE",
  ];
  const body = html` <p>
      The loss should fall and level off. A validation loss that rises while the training loss falls is overfitting.
      ${whichStep(run)}
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

/** Best, last and chosen step, in words. */
function whichStep({ metrics, epochs, steps, validations }: RunRecord): string {
  const best = metrics?.best_step;
  if (best === undefined || steps.length === 0) return "";
  const last = steps[steps.length - 1].step;
  const at = (step: number) => [...epochs, ...validations].find((line) => line.step === step);
  const told = (step: number) => {
    const line = at(step);
    if (!line) return `step ${step.toLocaleString("en")}`;
    const accuracy = "pairwise_accuracy" in line ? line.pairwise_accuracy : line.accuracy;
    return `step ${step.toLocaleString("en")} (validation accuracy ${share(accuracy)}, loss ${measured(line.val_loss)})`;
  };
  if (best === last)
    return `The last step was also the best by validation accuracy, and is the one kept: ${told(best)}.`;
  return `The model kept is that of the best step by validation accuracy, ties by ECE: ${told(best)}. The last was ${told(last)}.`;
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
  const columns = [head, "pairs", "accuracy", "95% interval", "one-sided ECE"].map((text, i) => ({
    head: text,
    number: i > 0,
  }));
  return html`<details>
    <summary>${caption} as a table</summary>
    ${tableOf(caption, columns, rows)}
  </details>`;
}

/** @param told the pairs the sections speak of: test pairs where there are any, else validation pairs */
export function accuracySection({ evaluation, part }: Told, figures: Figures): Section | null {
  if (!evaluation) return null;
  const hasRisks = Object.keys(evaluation.by_risk).some((risk) => risk !== "UNKNOWN");
  const charts = [
    ...(hasRisks ? ["accuracy_by_risk"] : []),
    "accuracy_by_preference_type",
    ...(evaluation.n_pairs > 0 ? ["val_deltas_hist", "reward_distribution"] : []),
  ];
  const { by_preference_type: kinds, by_category: categories } = evaluation;
  const hasCategories = Object.keys(categories).some((category) => !Object.hasOwn(kinds, category));
  const body = html` <p>
      Share of ${part} pairs in which the preferred answer got the higher reward; a tie counts one half
      (${evaluation.ties} of ${evaluation.n_pairs.toLocaleString("en")} pairs tied). Small groups have wide intervals:
      two groups whose intervals overlap may well be alike.
    </p>
    ${chartsOf(figures, charts)} ${hasRisks && groupTable("Accuracy by risk level", "risk level", evaluation.by_risk)}
    ${groupTable("Accuracy by kind of preference", "kind (by the data, else guessed from the texts)", kinds)}
    ${hasCategories && groupTable("Accuracy by category", "category", categories)}`;
  return { id: "accuracy", title: "Accuracy", body };
}

const four = (value: number | null | undefined) => (value === null || value === undefined ? "–" : value.toFixed(4));

export function calibrationSection(told: Told, figures: Figures): Section | null {
  const { evaluation, part } = told;
  if (!evaluation) return null;
  const { calibrated, temperature } = evaluation;
  const helps = calibrationHelp(evaluation) === "helps";
  const row = (name: string, meaning: string, key: "ece_symmetric" | "ece" | "mce" | "brier" | "nll") => [
    name,
    meaning,
    four(evaluation[key]),
    ...(helps ? [four(calibrated?.[key])] : []),
  ];
  const rows = [
    row(
      "Symmetric ECE",
      "expected calibration error: how far stated and observed shares lie apart, on average over bins; each pair also seen flipped, as in the diagram",
      "ece_symmetric",
    ),
    row("One-sided ECE", "the same as the original notebook has it: P(chosen) in ten bins, not flipped", "ece"),
    row("MCE", "maximum calibration error: the worst of those bins", "mce"),
    row("Brier score", "mean squared distance of P(chosen) from 1; a coin: 0.25", "brier"),
    row(
      "NLL",
      "negative log-likelihood: mean of −ln P(chosen), the loss without weights and margins; a coin: 0.6931",
      "nll",
    ),
  ];
  const columns = [
    { head: "measure" },
    { head: "meaning" },
    { head: "raw", number: true },
    ...(helps ? [{ head: `at T = ${four(temperature)}`, number: true }] : []),
  ];
  const body = html` <p>
      A calibrated model that says “80% sure” is right in 80% of such cases. Points under the dashed line: too sure;
      above it: not sure enough. Measured on the ${part} pairs. ${temperatureSentence(told)}
    </p>
    <div class="charts">
      ${chart(figures, "reliability")}
      <div>${tableOf("Calibration measures", columns, rows)}</div>
    </div>`;
  return { id: "calibration", title: "Calibration", body };
}

/** What became of the temperature, and why. */
function temperatureSentence({ evaluation, validation, part }: Told): string {
  const meaning = "A temperature T divides reward differences before they become probabilities.";
  const chosenBy = validation ?? evaluation!;
  const choice = chosenBy.temperature_choice;
  if (choice && (part === "validation" || !choice.used)) {
    const { nll, ece_symmetric } = chosenBy;
    const { nll: after, ece_symmetric: error } = choice.cross_validated;
    if (choice.status !== "fitted")
      return `${meaning} None is used: ${UNFITTED[choice.status] ?? "none could be fitted"}.`;
    const effect = `on ${part === "validation" ? "" : "validation "}prompts it was not fitted on, T = ${four(choice.fitted)} changes NLL from ${four(nll)} to ${four(after)} and symmetric ECE from ${four(ece_symmetric)} to ${four(error)}`;
    return choice.used
      ? `${meaning} One is used, since it helps: ${effect}.`
      : `${meaning} None is used, since it does not help: ${effect}.`;
  }
  const { temperature, calibrated, nll, ece_symmetric } = evaluation!;
  const help = calibrationHelp(evaluation!);
  if (help === "none") return `${meaning} None is used.`;
  const effect = `NLL from ${four(nll)} to ${four(calibrated?.nll)} and symmetric ECE from ${four(ece_symmetric)} to ${four(calibrated?.ece_symmetric)}`;
  return `${meaning} T = ${four(temperature)} ${help === "helps" ? "helps" : "does not help"} the ${part} pairs: it changes ${effect}.`;
}

const UNFITTED: Readonly<Record<string, string>> = {
  empty: "there are no pairs to fit it on",
  separable: "every pair is right, so that any smaller T looks better",
  reversed: "the mean reward difference is not positive, so that no T helps",
};

export function lengthSection({ evaluation }: Told, figures: Figures): Section | null {
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
  const body = html`${length.sentence && html`<p>${length.sentence}</p>`}
  ${chartsOf(figures, ["length_against_reward", "accuracy_by_length"])}
  ${tableOf("Accuracy by which answer is longer", columns, rows)}`;
  return { id: "length", title: "Length", body };
}
