// In: calibration bins. Out: the reliability diagram.
import { axis, brief, COLORS, emptyFigure, layout, NO_PAIRS, round } from "./figure";
import type { Figure } from "./figure";
import { percent } from "../../wording";

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Share of correct pairs in the bin. */
  readonly accuracy: number;
  /** Mean predicted probability in the bin. */
  readonly confidence: number;
  readonly ci95?: readonly [number, number] | null;
}

/**
 * The bins of an `ece_detail` (the original notebook's keys): P(chosen) against outcome.
 *
 * @example
 * ```ts
 * await showFigure(reliabilityFigure(originalBins(originalEvaluation(scored).ece_detail)));
 * ```
 */
export function originalBins(detail: {
  readonly bin_edges: readonly number[];
  readonly bin_counts: readonly number[];
  readonly bin_acc: readonly number[];
  readonly bin_conf: readonly number[];
}): ReliabilityBin[] {
  return detail.bin_counts.map((count, i) => ({
    low: detail.bin_edges[i],
    high: detail.bin_edges[i + 1],
    count,
    accuracy: detail.bin_acc[i],
    confidence: detail.bin_conf[i],
  }));
}

/**
 * Pairs by how sure the model was, whichever answer it took: the upper half of the symmetric bins of
 * `Evaluation.calibration_bins`. In bins of P(chosen) everything below one half is wrong by construction; these can be
 * read against the diagonal.
 *
 * @example
 * ```ts
 * await showFigure(reliabilityFigure(confidenceBins(evaluateScores(scored).calibration_bins)));
 * ```
 */
export function confidenceBins(
  bins: readonly {
    readonly low: number;
    readonly high: number;
    readonly symmetric_count: number;
    readonly symmetric_accuracy: number;
    readonly symmetric_confidence: number;
    readonly symmetric_ci95?: readonly [number, number] | null;
  }[],
): ReliabilityBin[] {
  return bins
    .filter(({ low }) => low >= 0.5 - 1e-9)
    .map((bin) => ({
      low: bin.low,
      high: bin.high,
      count: bin.symmetric_count,
      accuracy: bin.symmetric_accuracy,
      confidence: bin.symmetric_confidence,
      ci95: bin.symmetric_ci95,
    }));
}

/**
 * Accuracy against confidence by bin above, pairs in each bin below; the diagonal is perfect calibration.
 *
 * @example
 * ```ts
 * const { calibration_bins, ece_symmetric } = evaluateScores(scored);
 * await showFigure(reliabilityFigure(confidenceBins(calibration_bins), { ece: ece_symmetric }));
 * ```
 */
export function reliabilityFigure(bins: readonly ReliabilityBin[], { ece }: { readonly ece?: number } = {}): Figure {
  const title = "Reliability: is the model as right as it is sure?";
  const kept = bins.filter(({ count }) => count > 0);
  if (!kept.length) return emptyFigure(title, NO_PAIRS);
  const from = bins[0].low;
  const lowest = Math.min(from, ...kept.map(({ accuracy, ci95 }) => ci95?.[0] ?? accuracy));
  const kind = from < 0.5 - 1e-9 ? "" : "symmetric "; // bins of the side that the model takes: not the original's error
  const told =
    (ece === undefined ? "" : `${kind}expected calibration error ${brief(ece)}; `) + "dashed: perfect calibration";
  return {
    data: [diagonal(from), measuredReliability(kept), binCounts(bins)],
    layout: layout({
      title,
      subtitle: told,
      xaxis: axis("confidence (predicted probability, %)", {
        range: [from - 0.01, 1.01],
        tickformat: ".0%",
        anchor: "y2",
      }),
      yaxis: axis("accuracy (%)", { domain: [0.36, 1], tickformat: ".0%", range: [lowest - 0.03, 1.03] }),
      more: { yaxis2: axis("pairs (count)", { domain: [0, 0.26], rangemode: "tozero" }) },
    }),
    description: `${title} ${told}. ${kept
      .map((bin) => `${percent(bin.confidence)} sure: ${percent(bin.accuracy)} right of ${bin.count}`)
      .join("; ")}.`,
  };
}

function diagonal(from: number): Record<string, unknown> {
  return {
    type: "scatter",
    mode: "lines",
    name: "perfect calibration",
    x: [from, 1],
    y: [from, 1],
    line: { color: COLORS.grey, dash: "dash", width: 1.5 },
    hoverinfo: "skip",
  };
}

function measuredReliability(bins: readonly ReliabilityBin[]): Record<string, unknown> {
  const half = (pick: (bin: ReliabilityBin, ci95: readonly [number, number]) => number) =>
    bins.map((bin) => round(pick(bin, bin.ci95 ?? [bin.accuracy, bin.accuracy])));
  return {
    type: "scatter",
    mode: "lines+markers",
    name: "measured",
    x: bins.map(({ confidence }) => round(confidence)),
    y: bins.map(({ accuracy }) => round(accuracy)),
    error_y: {
      type: "data",
      symmetric: false,
      array: half(({ accuracy }, [, high]) => high - accuracy),
      arrayminus: half(({ accuracy }, [low]) => accuracy - low),
      thickness: 1.2,
      width: 4,
    },
    line: { color: COLORS.blue, width: 2 },
    marker: { size: 9, color: COLORS.blue },
    text: bins.map(({ count }) => `${count} pairs`),
    hovertemplate: "sure %{x:.1%}<br>right %{y:.1%}<br>%{text}<extra></extra>",
  };
}

function binCounts(bins: readonly ReliabilityBin[]): Record<string, unknown> {
  return {
    type: "bar",
    name: "pairs",
    x: bins.map(({ low, high }) => round((low + high) / 2)),
    y: bins.map(({ count }) => count),
    width: bins.map(({ low, high }) => 0.94 * (high - low)),
    marker: { color: COLORS.faint },
    yaxis: "y2",
    hovertemplate: "%{y} pairs<extra></extra>",
  };
}
