// In: reward differences and length differences of pairs. Out: how far length explains the model, and a plain sentence.
import { correctness } from "../ece";
import { spearman } from "../statistics/correlation";
import { wilsonInterval } from "../statistics/intervals";
import { percent } from "../wording";

export interface LengthBias {
  /** Spearman correlation of Δreward and Δlength over pairs as labelled; null where either does not vary. */
  readonly spearman_delta_length: number | null;
  /** The same with every pair also flipped, so that labels that favour length do not hide the model's habit. */
  readonly spearman_symmetric: number | null;
  readonly n_chosen_longer: number;
  readonly n_chosen_shorter: number;
  /** Accuracy where the chosen answer is longer / shorter; null where there is no such pair. */
  readonly accuracy_chosen_longer: number | null;
  readonly accuracy_chosen_shorter: number | null;
  readonly accuracy_chosen_longer_ci95: [number, number] | null;
  readonly accuracy_chosen_shorter_ci95: [number, number] | null;
  /** Accuracy of always taking the longer answer; equal lengths count one half. */
  readonly length_only_accuracy: number;
  /** Share of pairs of unequal length in which the model prefers the longer answer; null where there is none. */
  readonly prefers_longer: number | null;
  readonly verdict: "mostly-length" | "partly-length" | "no-sign" | "too-few-pairs";
  readonly sentence: string;
}

const FEWEST_PAIRS = 20;

/**
 * Length bias of a model.
 *
 * `mostly-length`: it prefers the longer answer in 70% of the pairs or more and is, beyond the 95% interval, wrong more
 * often than right where the better answer is shorter; or the same the other way round. `partly-length`: the intervals of its accuracy where the chosen
 * answer is longer and where it is shorter do not touch.
 *
 * @param deltas       chosen minus rejected reward
 * @param lengthDeltas chosen minus rejected length, any unit
 * Reference: Singhal et al. (2023), A long way to go, arXiv 2310.03716.
 * @example
 * ```ts
 * const longer = Float64Array.from(scored, (pair) => pair.chosenLength - pair.rejectedLength);
 * console.log(lengthBias(rewardDeltas(scored), longer).sentence);
 * ```
 */
export function lengthBias(deltas: Float64Array, lengthDeltas: Float64Array): LengthBias {
  const corrects = deltas.map(correctness);
  const longer = share(corrects.filter((_, i) => lengthDeltas[i] > 0));
  const shorter = share(corrects.filter((_, i) => lengthDeltas[i] < 0));
  const unequal = longer.n + shorter.n;
  const baseline = lengthDeltas.map(correctness);
  const figures = {
    spearman_delta_length: spearman(deltas, lengthDeltas),
    spearman_symmetric: spearman(withMirror(deltas), withMirror(lengthDeltas)),
    n_chosen_longer: longer.n,
    n_chosen_shorter: shorter.n,
    accuracy_chosen_longer: longer.mean,
    accuracy_chosen_shorter: shorter.mean,
    accuracy_chosen_longer_ci95: longer.ci95,
    accuracy_chosen_shorter_ci95: shorter.ci95,
    length_only_accuracy: baseline.reduce((a, b) => a + b, 0) / Math.max(1, baseline.length),
    prefers_longer: unequal === 0 ? null : (longer.sum + shorter.n - shorter.sum) / unequal,
  };
  const verdict = judge(figures);
  return { ...figures, verdict, sentence: sentenceOf(verdict, figures) };
}

function share(corrects: Float64Array) {
  const n = corrects.length;
  const sum = corrects.reduce((a, b) => a + b, 0);
  if (n === 0) return { n, sum, mean: null, ci95: null };
  const { low, high } = wilsonInterval(sum, n);
  return { n, sum, mean: sum / n, ci95: [low, high] as [number, number] };
}

/** The differences, then those of the pairs flipped. */
function withMirror(values: Float64Array): Float64Array {
  const both = new Float64Array(2 * values.length);
  both.set(values);
  both.set(
    values.map((value) => -value),
    values.length,
  );
  return both;
}

type Figures = Omit<LengthBias, "verdict" | "sentence">;

function judge(figures: Figures): LengthBias["verdict"] {
  const { accuracy_chosen_longer_ci95: longer, accuracy_chosen_shorter_ci95: shorter, prefers_longer } = figures;
  if (figures.n_chosen_longer + figures.n_chosen_shorter < FEWEST_PAIRS || !longer || !shorter) return "too-few-pairs";
  const preferred = prefers_longer! >= 0.5 ? prefers_longer! : 1 - prefers_longer!;
  const against = prefers_longer! >= 0.5 ? shorter : longer;
  if (preferred >= 0.7 && against[1] < 0.5) return "mostly-length";
  return shorter[1] < longer[0] || longer[1] < shorter[0] ? "partly-length" : "no-sign";
}

const whole = (share: number | null) => (share === null ? "–" : percent(share, 0));

function sentenceOf(verdict: LengthBias["verdict"], figures: Figures): string {
  const shorter = whole(figures.accuracy_chosen_shorter);
  const longer = whole(figures.accuracy_chosen_longer);
  const only = whole(figures.length_only_accuracy);
  if (verdict === "mostly-length") {
    const likesLonger = figures.prefers_longer! >= 0.5;
    const [liked, other] = likesLonger ? ["longer", "shorter"] : ["shorter", "longer"];
    const share = likesLonger ? figures.prefers_longer! : 1 - figures.prefers_longer!;
    const interval = figures[likesLonger ? "accuracy_chosen_shorter_ci95" : "accuracy_chosen_longer_ci95"]!;
    return (
      `The model is mostly counting words: it prefers the ${liked} answer in ${whole(share)} of pairs and is right in ` +
      `only ${likesLonger ? shorter : longer} (95% interval ${interval.map(whole).join(" to ")}) of those whose better ` +
      `answer is the ${other} one. Always taking the longer answer would be right in ${only}. ` +
      `Add pairs whose better answer is ${other}.`
    );
  }
  if (verdict === "partly-length") {
    return (
      `Length plays a part: the model is right in ${longer} of pairs whose better answer is longer and in ${shorter} of ` +
      `those whose better answer is shorter. Always taking the longer answer would be right in ${only}.`
    );
  }
  if (verdict === "no-sign") {
    return (
      `No sign of counting words: the model is right in ${longer} of pairs whose better answer is longer and in ` +
      `${shorter} of those whose better answer is shorter. Always taking the longer answer would be right in ${only}.`
    );
  }
  return "There are too few pairs of unequal length, in one direction or in both, to say whether the model counts words.";
}
