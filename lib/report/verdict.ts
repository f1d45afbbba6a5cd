// In: a run's files. Out: the verdict and the sentences a reader needs who was not there.
import { brief, percent } from "./figures/figure";
import type { RunRecord } from "../runs/runFiles";

export interface Verdict {
  readonly tone: "passed" | "failed" | "open";
  readonly title: string;
  /** Plain sentences, the most important first. */
  readonly sentences: readonly string[];
  readonly checks: readonly { readonly passed: boolean; readonly text: string; readonly advice: string }[];
}

/** The verdict of a run: its quality gate in words, or why there is none. */
export function verdictOf(run: RunRecord): Verdict {
  const sentences = [accuracySentence(run), doubt(run), lengthSentence(run), calibrationSentence(run)].filter(
    (text) => text !== "",
  );
  const checks = run.gate?.criteria ?? [];
  if (run.state === "unfinished") {
    const steps = run.steps.length;
    return {
      tone: "open",
      title: "Training has not finished",
      sentences: [`${steps} steps are logged. The figures below show what stands so far.`, ...sentences],
      checks,
    };
  }
  const interrupted = run.metrics?.interrupted === true;
  const told = interrupted
    ? [
        `Training was interrupted after ${run.metrics?.training_steps ?? "some"} steps; what it had learned by then was measured.`,
        ...sentences,
      ]
    : sentences;
  if (!run.gate) {
    const why =
      "The quality gate did not judge this run: it was off, or there were too few validation pairs for a judgement.";
    return { tone: "open", title: "Not judged by the quality gate", sentences: [...told, why], checks };
  }
  if (run.gate.passed) {
    const title = `Passed the quality gate${interrupted ? ", though training was interrupted" : ""}`;
    return { tone: "passed", title, sentences: told, checks };
  }
  const failed = checks.filter(({ passed }) => !passed).length;
  const title = `Did not pass the quality gate (${failed} of ${checks.length} checks failed)`;
  return { tone: "failed", title, sentences: told, checks };
}

function accuracySentence({ evaluation }: RunRecord): string {
  if (!evaluation || evaluation.accuracy === null) return "The model has not been evaluated on validation pairs yet.";
  const { accuracy, accuracy_ci95: ci95, n_pairs, baselines } = evaluation;
  const interval = ci95 ? `95% interval ${percent(ci95[0])} to ${percent(ci95[1])}, ` : "";
  const longer = baselines.longer_answer;
  return (
    `Shown two answers to a question it was not trained on, the model picks the preferred one ${percent(accuracy)} of the time ` +
    `(${interval}${n_pairs.toLocaleString("en")} pairs). A coin would be right in 50%` +
    `${longer === undefined ? "" : `, always taking the longer answer in ${percent(longer)}`}.`
  );
}

/** What the interval does not rule out; empty where it rules out a coin and counting words. */
function doubt({ evaluation }: RunRecord): string {
  const low = evaluation?.accuracy_ci95?.[0];
  if (low === undefined) return "";
  if (low <= 0.5)
    return "These pairs cannot tell the model from a coin: validate on more questions, or train a better model.";
  const gain = evaluation?.baseline_tests?.longer_answer?.difference_ci95[0];
  return gain !== undefined && gain <= 0 ? "These pairs cannot tell it from always taking the longer answer." : "";
}

const lengthSentence = ({ evaluation }: RunRecord) => evaluation?.length?.sentence ?? "";

function calibrationSentence({ evaluation }: RunRecord): string {
  const error = evaluation?.ece_symmetric;
  if (error === undefined || error === null) return "";
  const fitted = evaluation?.calibrated?.ece_symmetric;
  const after =
    fitted === undefined || fitted === null
      ? ""
      : `; with the fitted temperature of ${brief(evaluation!.temperature ?? 1)}, by ${points(fitted)}`;
  return `Its stated probabilities miss the true share of right choices by ${points(error)} on average${after}.`;
}

/** `0.0312` → `3.1 points`. */
export function points(share: number): string {
  const value = (100 * share).toFixed(1);
  return `${value} point${value === "1.0" ? "" : "s"}`;
}
