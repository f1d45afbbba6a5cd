// In: scored pairs and a way to name their group. Out: accuracy and calibration of each group.
import {
  brierScore,
  correctness,
  expectedCalibrationError,
  negativeLogLikelihood,
  sigmoid,
  symmetricCalibrationError,
} from "../ece";
import { wilsonInterval } from "../statistics/intervals";
import { quantileSorted } from "../statistics/pairedTests";
import { rewardDeltas, type ScoredPair } from "../scoring/scoredPair";

export interface GroupMetrics {
  readonly n: number;
  readonly ties: number;
  readonly accuracy: number;
  /** Wilson 95% interval. */
  readonly ci95: [number, number];
  readonly ece: number;
  readonly ece_symmetric: number;
  readonly brier: number;
  readonly nll: number;
  readonly mean_margin: number;
}

/** Metrics of a non-empty list of pairs. */
export function groupMetrics(pairs: readonly ScoredPair[]): GroupMetrics {
  const deltas = rewardDeltas(pairs);
  const probabilities = deltas.map(sigmoid);
  const corrects = deltas.map(correctness);
  const right = corrects.reduce((a, b) => a + b, 0);
  const { low, high } = wilsonInterval(right, pairs.length);
  return {
    n: pairs.length,
    ties: corrects.filter((correct) => correct === 0.5).length,
    accuracy: right / pairs.length,
    ci95: [low, high],
    ece: expectedCalibrationError(probabilities, corrects).ece,
    ece_symmetric: symmetricCalibrationError(probabilities).ece,
    brier: brierScore(probabilities),
    nll: negativeLogLikelihood(deltas),
    mean_margin: deltas.reduce((a, b) => a + b, 0) / pairs.length,
  };
}

/** Pairs by group name, names sorted; pairs whose name is undefined are left out. */
export function groupBy(
  pairs: readonly ScoredPair[],
  nameOf: (pair: ScoredPair) => string | undefined,
): Map<string, ScoredPair[]> {
  const groups = new Map<string, ScoredPair[]>();
  for (const pair of pairs) {
    const name = nameOf(pair);
    if (name === undefined) continue;
    const group = groups.get(name);
    if (group) group.push(pair);
    else groups.set(name, [pair]);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Metrics by group name. `fromEntries` keeps a name such as `__proto__` an ordinary key. */
export function metricsBy(
  pairs: readonly ScoredPair[],
  nameOf: (pair: ScoredPair) => string | undefined,
): Record<string, GroupMetrics> {
  return Object.fromEntries([...groupBy(pairs, nameOf)].map(([name, group]) => [name, groupMetrics(group)]));
}

export interface LengthQuartile extends GroupMetrics {
  /** Bounds of the mean length of a pair's two answers. */
  readonly low: number;
  readonly high: number;
}

/** Metrics by quartile of the pair's mean answer length, `Q1` the shortest; fewer groups where lengths repeat. */
export function metricsByLengthQuartile(pairs: readonly ScoredPair[]): Record<string, LengthQuartile> {
  const lengthOf = (pair: ScoredPair) => (pair.chosenLength + pair.rejectedLength) / 2;
  const sorted = Float64Array.from(pairs, lengthOf).sort();
  const cuts = [0.25, 0.5, 0.75].map((share) => quantileSorted(sorted, share));
  const groups = groupBy(pairs, (pair) => `Q${1 + cuts.filter((cut) => lengthOf(pair) > cut).length}`);
  return Object.fromEntries(
    [...groups].map(([name, group]) => {
      const lengths = group.map(lengthOf);
      const [low, high] = [lengths.reduce((a, b) => Math.min(a, b)), lengths.reduce((a, b) => Math.max(a, b))];
      return [name, { ...groupMetrics(group), low, high }];
    }),
  );
}
