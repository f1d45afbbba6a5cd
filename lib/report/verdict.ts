// In: a run's files. Out: the verdict and the sentences a reader needs who was not there.
import { brief } from "./figures/figure";
import type { RunRecord } from "../runs/runFiles";
import { hundredths, percent } from "../wording";

export interface Verdict {
  readonly tone: "passed" | "failed" | "open";
  readonly title: string;
  /** Plain sentences, the most important first. */
  readonly sentences: readonly string[];
  readonly checks: readonly { readonly passed: boolean; readonly text: string; readonly advice: string }[];
}

/**
 * The verdict of a run: its quality gate in words, or why there is none.
 *
 * @example
 * ```ts
 * console.log(verdictOf(readRun("metrics/mine")));
 * ```
 */
export function verdictOf(run: RunRecord): Verdict {
  const sentences = [
    accuracySentence(run),
    doubt(run),
    lengthSentence(run),
    calibrationSentence(run),
    setAside(run),
  ].filter((text) => text !== "");
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
    return { tone: "open", title: "Not judged by the quality gate", sentences: [...told, whyNoGate(run)], checks };
  }
  if (run.gate.passed) {
    const title = `Passed the quality gate${interrupted ? ", though training was interrupted" : ""}`;
    return { tone: "passed", title, sentences: told, checks };
  }
  const failed = checks.filter(({ passed }) => !passed).length;
  const title = `Did not pass the quality gate (${failed} of ${checks.length} checks failed)`;
  return { tone: "failed", title, sentences: told, checks };
}

/** Which of its conditions was not met. */
function whyNoGate({ config, evaluation }: RunRecord): string {
  const [gate, least, pairs] = [config?.gate, Number(config?.gate_min_pairs), evaluation?.n_pairs];
  if (gate === "off") return "The quality gate did not judge this run: it was switched off (gate: off).";
  if (gate === "auto" && pairs !== undefined && pairs < least)
    return `The quality gate did not judge this run: its ${pairs} validation pairs are fewer than the ${least} it asks for (gate_min_pairs).`;
  return "The quality gate's verdict on this run is missing: quality_gate.json is not among its files.";
}

const ofPairs = ({ accuracy_ci95: ci95, n_pairs }: NonNullable<RunRecord["evaluation"]>) =>
  `(${ci95 ? `95% interval ${percent(ci95[0])} to ${percent(ci95[1])}, ` : ""}${n_pairs.toLocaleString("en")} pairs)`;

/** The test pairs first, where there are any: nothing was chosen by them. */
function accuracySentence(run: RunRecord): string {
  const { evaluation, test, data } = run;
  const first = test?.evaluation ?? evaluation;
  if (!first || first.accuracy === null) return "The model has not been evaluated on held-out pairs yet.";
  const longer = first.baselines.longer_answer;
  const shared = data?.val_pairs_of_training_questions;
  const unseen =
    test === null && typeof shared === "number" && shared > 0 ? "" : ", to a question it was not trained on";
  const baselines = `A coin would be right in 50%${longer === undefined ? "" : `, always taking the longer answer in ${percent(longer)}`}.`;
  const named = test
    ? `test pairs, by which nothing was chosen`
    : "validation pairs, by which the best step was chosen";
  const told = `Shown two answers${unseen}, the model picks the preferred one ${percent(first.accuracy)} of the time on ${named} ${ofPairs(first)}. ${baselines}`;
  if (!test || evaluation?.accuracy == null) return told;
  return `${told} On the validation pairs, by which the best step was chosen, it is ${percent(evaluation.accuracy)} ${ofPairs(evaluation)}.`;
}

/** Test pairs that wait to be evaluated; empty where there are none, or they were. */
function setAside({ data, name, test }: RunRecord): string {
  const pairs = data?.counts?.test ?? 0;
  if (pairs === 0 || test) return "";
  const files = `--pairs metrics/${name}/test_pairs.jsonl --out metrics/${name}/test_evaluation.json --scores metrics/${name}/test_scores.jsonl`;
  return `${pairs.toLocaleString("en")} test pairs are set aside and have not been evaluated: rewardbook evaluate --checkpoint checkpoints/${name}/best ${files}.`;
}

/** What the interval does not rule out; empty where it rules out a coin and counting words. */
function doubt(run: RunRecord): string {
  const evaluation = run.test?.evaluation ?? run.evaluation;
  const low = evaluation?.accuracy_ci95?.[0];
  if (low === undefined) return "";
  if (low <= 0.5)
    return "These pairs cannot tell the model from a coin: validate on more questions, or train a better model.";
  const gain = evaluation?.baseline_tests?.longer_answer?.difference_ci95[0];
  return gain !== undefined && gain <= 0 ? "These pairs cannot tell it from always taking the longer answer." : "";
}

const lengthSentence = ({ evaluation, test }: RunRecord) => (test?.evaluation ?? evaluation)?.length?.sentence ?? "";

/**
 * The temperature is named only where it helps the pairs it is told of: a proper score (NLL) and the symmetric ECE both
 * better. `none` where there is no temperature, or it is 1.
 */
export function calibrationHelp(evaluation: NonNullable<RunRecord["evaluation"]>): "helps" | "does not" | "none" {
  const { calibrated, temperature, nll, ece_symmetric } = evaluation;
  if (!calibrated || temperature == null || temperature === 1) return "none";
  const better = (after: number | null | undefined, before: number | null | undefined) =>
    after != null && before != null && after <= before;
  return better(calibrated.nll, nll) && better(calibrated.ece_symmetric, ece_symmetric) ? "helps" : "does not";
}

function calibrationSentence(run: RunRecord): string {
  const evaluation = run.test?.evaluation ?? run.evaluation;
  const error = evaluation?.ece_symmetric;
  if (error === undefined || error === null) return "";
  const fitted = evaluation?.calibrated?.ece_symmetric;
  const after =
    calibrationHelp(evaluation!) === "helps" && fitted != null
      ? `; with the fitted temperature of ${brief(evaluation!.temperature!)}, by ${points(fitted)}`
      : "";
  return `Its stated probabilities miss the true share of right choices by ${points(error)} on average${after}.`;
}

/** `0.0312` → `3.1 points`. */
export function points(share: number): string {
  const value = hundredths(share);
  return `${value} point${value === "1.0" ? "" : "s"}`;
}
