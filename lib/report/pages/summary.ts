// In: a run's files. Out: the top of its report: verdict, warnings, key figures.
import { seedsSentence } from "./seeds";
import { brief, minus } from "../figures/figure";
import { Html, html, type HtmlValue } from "../markup";
import { runLabels, type RunRecord } from "../../runs/runFiles";
import { compareRuns, comparisonSentence, comparisonTitle, powerSentence } from "../comparison";
import { verdictOf, type Verdict } from "../verdict";
import { hundredths, percent } from "../../wording";

const ICONS: Readonly<Record<string, Html>> = {
  passed: new Html('<path d="M5 12.5l4.5 4.5L19 7.5" />'),
  failed: new Html('<path d="M6.5 6.5l11 11M17.5 6.5l-11 11" />'),
  open: new Html('<path d="M12 7v6M12 16.6v.4" />'),
};

/** Verdict, its checks, what stands against other runs, and what the run warned of. */
export function verdictSection(run: RunRecord, others: readonly RunRecord[] = []): Html {
  const verdict = verdictOf(run);
  const checks = verdict.checks.map(
    ({ passed, text, advice }) =>
      html`<li${passed ? "" : new Html(' class="no"')}><span class="mark" aria-hidden="true">${passed ? "✓" : "✗"}</span>
<span><span class="hidden">${passed ? "passed: " : "failed: "}</span>${text}${!passed && html`. <span class="muted">To try: ${advice}.</span>`}</span></li>`,
  );
  const sentences = [seedsSentence(run), ...verdict.sentences].filter((text) => text !== "");
  const list =
    checks.length > 0 &&
    html`<ul class="checks">
      ${checks}
    </ul>`;
  return html`${box(verdict.tone, verdict.title, [...sentences.map(paragraph), list])} ${comparisons(run, others)}
  ${warnings(run)}`;
}

const paragraph = (sentence: string): Html => html`<p>${sentence}</p>`;

/** What a reader should see first, with its sign. */
function box(tone: Verdict["tone"], title: string, content: HtmlValue): Html {
  return html`<div class="verdict ${tone}">
    <h2>
      <svg
        width="30"
        height="30"
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        stroke-width="2.4"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
      >
        <circle cx="12" cy="12" r="10.6" stroke-width="1.8" />
        ${ICONS[tone]}</svg
      >${title}
    </h2>
    ${content}
  </div>`;
}

/** Whether the run is better than each other one, or no difference is shown. */
function comparisons(run: RunRecord, others: readonly RunRecord[]): HtmlValue {
  const [name, ...names] = runLabels([run, ...others]);
  return others.map((other, i) => {
    const comparison = compareRuns(run, other);
    const { result } = comparison;
    const tone = !result?.difference_shown ? "open" : result.difference > 0 ? "passed" : "failed";
    const sentences = [comparisonSentence(comparison, name, names[i]), powerSentence(comparison)];
    return box(
      tone,
      comparisonTitle(comparison, name, names[i]),
      sentences.filter((text) => text !== "").map(paragraph),
    );
  });
}

function warnings({ warnings: lines, notes }: RunRecord): HtmlValue {
  const seen = new Map<string, { line: RunRecord["warnings"][number]; times: number }>();
  for (const line of lines) {
    const kind = String(line.kind ?? line.message);
    seen.set(kind, { line, times: (seen.get(kind)?.times ?? 0) + 1 });
  }
  return [
    ...[...seen.values()].map(
      ({ line, times }) =>
        html`<p class="note">
          <strong
            >Warning${line.step === undefined ? "" : ` at step ${line.step}`}${times > 1 ? ` (${times} times)` : ""}:</strong
          >
          ${line.message}${line.advice && ` – ${line.advice}`}
        </p>`,
    ),
    ...notes.map((note) => html`<p class="note">${note}</p>`),
  ];
}

interface Card {
  readonly name: string;
  readonly value: HtmlValue;
  readonly told: HtmlValue;
  readonly scale?: Html;
}

/** Key figures, with intervals where there are any. */
export function keyFigures(run: RunRecord): Html {
  const cards = [...evaluationCards(run), ...trainingCards(run)];
  if (!cards.length) return html``;
  return html`<h3 class="hidden">Key figures</h3>
    <div class="cards">
      ${cards.map(
        ({ name, value, told, scale }) =>
          html`<div class="card">
            <h3>${name}</h3>
            <div class="value">${value}</div>
            ${scale}
            <p>${told}</p>
          </div>`,
      )}
    </div>`;
}

function accuracyCard(name: string, { accuracy, accuracy_ci95: ci95, n_pairs }: Measured): Card {
  const interval = ci95 ? `95% interval ${percent(ci95[0])} to ${percent(ci95[1])}; dotted: a coin; ` : "";
  const told = `${interval}${n_pairs.toLocaleString("en")} pairs`;
  return { name, value: percent(accuracy!), told, scale: scaleOf(accuracy!, ci95) };
}

type Measured = NonNullable<RunRecord["evaluation"]>;

/** The test result first, where there is one. */
function evaluationCards(run: RunRecord): Card[] {
  const first = run.test?.evaluation ?? run.evaluation;
  if (!first || first.accuracy === null) return [];
  const { accuracy, baselines, ece, ece_symmetric, length } = first;
  const cards: Card[] = [];
  if (run.test) cards.push(accuracyCard("Accuracy on test pairs", first));
  if (run.evaluation && run.evaluation.accuracy !== null)
    cards.push(accuracyCard("Accuracy on validation pairs", run.evaluation));
  if (baselines.longer_answer !== undefined) {
    const gain = accuracy - baselines.longer_answer;
    cards.push({
      name: "Gain over “longer is better”",
      value: html`${gain >= 0 ? "+" : "−"}${hundredths(Math.abs(gain))} <span>points</span>`,
      told: `always taking the longer answer: ${percent(baselines.longer_answer)}`,
    });
  }
  if (ece_symmetric !== null && ece_symmetric !== undefined) {
    cards.push({
      name: "Calibration error",
      value: html`${hundredths(ece_symmetric)} <span>points</span>`,
      told: `0 is perfect${ece === null || ece === undefined ? "" : `; one-sided ECE of the original: ${brief(ece)}`}`,
    });
  }
  if (run.evaluation?.loss != null)
    cards.push({
      name: "Validation loss",
      value: run.evaluation.loss.toFixed(3),
      told: "mean over the validation pairs, with the weights and margins of training",
    });
  if (typeof length?.spearman_delta_length === "number") {
    cards.push({
      name: "Reward follows length",
      value: minus(length.spearman_delta_length.toFixed(2)),
      told: "rank correlation, −1 to 1; 0: not at all",
    });
  }
  return cards;
}

function trainingCards({ metrics }: RunRecord): Card[] {
  if (!metrics) return [];
  const cards: Card[] = [];
  const {
    overfitting_gap: gap,
    train_accuracy: train,
    train_seconds: seconds,
    train_pairs_per_second: rate,
    num_parameters,
  } = metrics;
  if (typeof gap === "number" && typeof train === "number") {
    cards.push({
      name: "Overfitting gap",
      value: html`${hundredths(gap)} <span>points</span>`,
      told: `training accuracy ${percent(train)} (of the best epoch, each pair taken before its own step) minus validation accuracy`,
    });
  }
  if (typeof seconds === "number") {
    const speed = typeof rate === "number" ? `${rate.toFixed(1)} pairs a second` : "";
    cards.push({
      name: "Training time",
      value: duration(seconds),
      told: [`${metrics.training_steps ?? "?"} steps`, chosenStep(metrics), speed].filter(Boolean).join(", "),
    });
  }
  if (typeof num_parameters === "number") {
    const memory = metrics.peak_memory_mb;
    cards.push({
      name: "Model size",
      value: html`${(num_parameters / 1e6).toFixed(1)} <span>M parameters</span>`,
      told: typeof memory === "number" ? `peak memory ${(memory / 1024).toFixed(1)} GiB` : "",
    });
  }
  return cards;
}

const chosenStep = ({ best_step: step }: NonNullable<RunRecord["metrics"]>) =>
  step === undefined ? "" : `the model of step ${step.toLocaleString("en")} kept`;

/** `754` → `12 min 34 s`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** An accuracy with its interval on a line from 0 to 100%. */
function scaleOf(value: number, ci95: readonly [number, number] | null | undefined): Html {
  const at = (share: number) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(2)}%`;
  const range = ci95 && html`<span class="range" style="left:${at(ci95[0])};width:${at(ci95[1] - ci95[0])}"></span>`;
  return html`<div class="scale" aria-hidden="true">
    <span class="chance" style="left:50%"></span>${range}<span class="point" style="left:${at(value)}"></span>
  </div>`;
}
