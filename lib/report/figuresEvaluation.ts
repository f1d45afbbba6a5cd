// In: scores, rewards and group accuracies of an evaluation. Out: its figures.
import { axis, brief, COLORS, emptyFigure, layout, percent, plain, round } from "./figure";
import type { Figure } from "./figure";
import { extent, histogram, mean, sample } from "./series";

const NO_PAIRS = "No pair has been scored.";

/** Accuracy of one group of pairs with its 95% interval. */
export interface GroupAccuracy {
  readonly name: string;
  readonly accuracy: number;
  /** Pairs in the group; counted ties are in it. */
  readonly count: number;
  readonly low?: number;
  readonly high?: number;
}

export interface GroupAccuracyOptions {
  readonly title?: string;
  readonly groupTitle?: string;
  /** Accuracy over all pairs: a reference line. */
  readonly overall?: number;
}

/** Accuracy by group as points with intervals, count beside each name, chance and the overall accuracy as lines. */
export function groupAccuracyFigure(groups: readonly GroupAccuracy[], options: GroupAccuracyOptions = {}): Figure {
  const { title = "Accuracy by group", groupTitle = "group", overall } = options;
  const shown = groups.filter(({ count }) => count > 0);
  if (!shown.length) return emptyFigure(title, NO_PAIRS);
  const names = uniqueNames(shown);
  const least = Math.min(0.5, ...shown.map(({ low, accuracy }) => low ?? accuracy));
  return {
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "accuracy",
        showlegend: false,
        x: shown.map(({ accuracy }) => round(accuracy)),
        y: names,
        error_x: {
          type: "data",
          symmetric: false,
          array: shown.map(({ accuracy, high }) => round((high ?? accuracy) - accuracy)),
          arrayminus: shown.map(({ accuracy, low }) => round(accuracy - (low ?? accuracy))),
          thickness: 2,
          width: 6,
          color: COLORS.blue,
        },
        marker: { size: 11, color: COLORS.blue },
        text: shown.map((group) => (group.low === undefined ? "" : `95% interval ${intervalText(group)}`)),
        hovertemplate: "%{y}<br>accuracy %{x:.1%}<br>%{text}<extra></extra>",
      },
    ],
    layout: layout({
      title,
      subtitle: "95% intervals; dotted: chance" + (overall === undefined ? "" : `; dashed: all pairs, ${percent(overall)}`),
      xaxis: axis("pairwise accuracy (%)", { range: [Math.max(0, least - 0.05), 1.02], tickformat: ".0%" }),
      yaxis: axis(groupTitle, { type: "category", autorange: "reversed" }),
      more: {
        shapes: [
          verticalLine(0.5, COLORS.grey, "dot"),
          ...(overall === undefined ? [] : [verticalLine(overall, COLORS.vermillion, "dash")]),
        ],
      },
    }),
    description: `${title}: ${shown
      .map((group) => `${group.name} ${percent(group.accuracy)}${group.low === undefined ? "" : ` (${intervalText(group)})`}`)
      .join("; ")}.`,
  };
}

/** Accuracy by risk level; the title and axis of `groupAccuracyFigure` for it. */
export function riskFigure(groups: readonly GroupAccuracy[], overall?: number): Figure {
  return groupAccuracyFigure(groups, { title: "Accuracy by risk level", groupTitle: "risk level", overall });
}

/** Accuracy by quartile of the pairs' length. */
export function lengthQuartileFigure(groups: readonly GroupAccuracy[], overall?: number): Figure {
  return groupAccuracyFigure(groups, { title: "Accuracy by length quartile", groupTitle: "length of both answers", overall });
}

const intervalText = ({ accuracy, low = accuracy, high = accuracy }: GroupAccuracy) => `${percent(low)} to ${percent(high)}`;

/** Tick texts with counts; two names that look alike once shortened stay two rows. */
function uniqueNames(groups: readonly GroupAccuracy[]): string[] {
  const seen = new Map<string, number>();
  return groups.map(({ name, count }) => {
    const text = `${plain(name, 28) || "(empty)"} (${count.toLocaleString("en")})`;
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    return text + "\u200b".repeat(before);
  });
}

function verticalLine(x: number, color: string, dash: string): Record<string, unknown> {
  return { type: "line", x0: x, x1: x, y0: 0, y1: 1, yref: "paper", line: { color, width: 1.5, dash }, layer: "below" };
}

/** Histogram of Δ = chosen reward − rejected reward: right, tied and wrong pairs stacked. */
export function deltaHistogramFigure(
  deltas: readonly number[],
  { bins = 50, epoch }: { readonly bins?: number; readonly epoch?: number } = {},
): Figure {
  const title = "Reward difference Δ = chosen − rejected";
  if (!deltas.length) return emptyFigure(title, NO_PAIRS);
  const range = extent(deltas);
  const wrong = deltas.filter((delta) => delta < 0);
  const ties = deltas.filter((delta) => delta === 0);
  const told = `${epoch === undefined ? "" : `epoch ${epoch}; `}mean ${brief(mean(deltas))}, ${percent(wrong.length / deltas.length)} wrong`;
  const trace = (values: readonly number[], name: string, color: string) => {
    const { edges, counts } = histogram(values, bins, range);
    return {
      type: "bar",
      name,
      x: counts.map((_, i) => round((edges[i] + edges[i + 1]) / 2)),
      y: counts,
      width: edges[1] - edges[0],
      marker: { color, line: { color: "#FFFFFF", width: 0.5 } },
      hovertemplate: `Δ about %{x}<br>%{y} ${name}<extra></extra>`,
    };
  };
  return {
    data: [
      trace(wrong, "wrong (Δ &lt; 0)", COLORS.vermillion),
      ...(ties.length ? [trace(ties, "tied (Δ = 0)", COLORS.grey)] : []),
      trace(deltas.filter((delta) => delta > 0), "right (Δ &gt; 0)", COLORS.blue),
    ],
    layout: layout({
      title,
      subtitle: told,
      xaxis: axis("Δ (reward units)"),
      yaxis: axis("pairs (count)"),
      legend: true,
      more: { barmode: "stack", bargap: 0, shapes: [verticalLine(0, COLORS.ink, "dash")] },
    }),
    description: `${title} of ${deltas.length} pairs in ${bins} bins: ${told}${ties.length ? `, ${ties.length} tied` : ""}.`,
  };
}

/** One bin of a reliability diagram. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Share of correct pairs in the bin. */
  readonly accuracy: number;
  /** Mean predicted probability in the bin. */
  readonly confidence: number;
}

/** The bins of an `ece_detail` (the original notebook's keys). */
export function binsOf(detail: {
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
 * Pairs by how sure the model was, whichever answer it took: confidence σ(|Δ|/T), correct when Δ > 0, a tie one half.
 * Unlike bins of P(chosen) = σ(Δ), where every bin below one half is all wrong by construction, these can be read against the diagonal.
 */
export function confidenceBins(deltas: readonly number[], { bins = 10, temperature = 1 } = {}): ReliabilityBin[] {
  const width = 0.5 / bins;
  const sums = Array.from({ length: bins }, () => ({ count: 0, right: 0, confidence: 0 }));
  for (const delta of deltas) {
    if (!Number.isFinite(delta)) continue;
    const confidence = 1 / (1 + Math.exp(-Math.abs(delta) / temperature));
    const bin = sums[Math.min(bins - 1, Math.floor((confidence - 0.5) / width))];
    bin.count++;
    bin.right += delta > 0 ? 1 : delta === 0 ? 0.5 : 0;
    bin.confidence += confidence;
  }
  return sums.map(({ count, right, confidence }, i) => ({
    low: 0.5 + i * width,
    high: 0.5 + (i + 1) * width,
    count,
    accuracy: count ? right / count : 0,
    confidence: count ? confidence / count : 0,
  }));
}

/** Accuracy against confidence by bin above, pairs in each bin below; the diagonal is perfect calibration. */
export function reliabilityFigure(
  bins: readonly ReliabilityBin[],
  { ece, intervals }: { readonly ece?: number; readonly intervals?: readonly (readonly [number, number])[] } = {},
): Figure {
  const title = "Reliability: is the model as right as it is sure?";
  const kept = bins.flatMap((bin, i) => (bin.count > 0 ? [{ ...bin, interval: intervals?.[i] }] : []));
  if (!kept.length) return emptyFigure(title, NO_PAIRS);
  const from = bins[0].low;
  const told = ece === undefined ? "dashed: perfect calibration" : `expected calibration error ${brief(ece)}; dashed: perfect calibration`;
  return {
    data: [
      {
        type: "scatter",
        mode: "lines",
        name: "perfect calibration",
        x: [from, 1],
        y: [from, 1],
        line: { color: COLORS.grey, dash: "dash", width: 1.5 },
        hoverinfo: "skip",
        showlegend: false,
      },
      {
        type: "scatter",
        mode: "lines+markers",
        name: "measured",
        showlegend: false,
        x: kept.map(({ confidence }) => round(confidence)),
        y: kept.map(({ accuracy }) => round(accuracy)),
        ...(intervals
          ? {
              error_y: {
                type: "data",
                symmetric: false,
                array: kept.map(({ accuracy, interval }) => round((interval?.[1] ?? accuracy) - accuracy)),
                arrayminus: kept.map(({ accuracy, interval }) => round(accuracy - (interval?.[0] ?? accuracy))),
                thickness: 1.2,
                width: 4,
              },
            }
          : {}),
        line: { color: COLORS.blue, width: 2 },
        marker: { size: 9, color: COLORS.blue },
        text: kept.map(({ count }) => `${count} pairs`),
        hovertemplate: "sure %{x:.1%}<br>right %{y:.1%}<br>%{text}<extra></extra>",
      },
      {
        type: "bar",
        name: "pairs",
        showlegend: false,
        x: bins.map(({ low, high }) => round((low + high) / 2)),
        y: bins.map(({ count }) => count),
        width: bins.map(({ low, high }) => 0.94 * (high - low)),
        marker: { color: COLORS.faint },
        yaxis: "y2",
        hovertemplate: "%{y} pairs<extra></extra>",
      },
    ],
    layout: layout({
      title,
      subtitle: told,
      xaxis: axis("confidence (predicted probability, %)", { range: [from - 0.01, 1.01], tickformat: ".0%", anchor: "y2" }),
      yaxis: axis("accuracy (%)", { domain: [0.36, 1], tickformat: ".0%", range: [Math.min(from, ...kept.map(lowest)) - 0.03, 1.03] }),
      more: { yaxis2: axis("pairs (count)", { domain: [0, 0.26], rangemode: "tozero" }) },
    }),
    description: `${title} ${told}. ${kept
      .map((bin) => `${percent(bin.confidence)} sure: ${percent(bin.accuracy)} right of ${bin.count}`)
      .join("; ")}.`,
  };
}

const lowest = ({ accuracy, interval }: { accuracy: number; interval?: readonly [number, number] }) => interval?.[0] ?? accuracy;

/** Rewards of chosen and rejected answers over common bins, as overlaid steps. */
export function rewardDistributionFigure(
  chosen: readonly number[],
  rejected: readonly number[],
  { bins = 50 }: { readonly bins?: number } = {},
): Figure {
  const title = "Rewards of chosen and rejected answers";
  if (!chosen.length && !rejected.length) return emptyFigure(title, NO_PAIRS);
  const [chosenLow, chosenHigh] = extent(chosen);
  const [rejectedLow, rejectedHigh] = extent(rejected);
  const range = [Math.min(chosenLow, rejectedLow), Math.max(chosenHigh, rejectedHigh)] as const;
  const trace = (values: readonly number[], name: string, color: string, dash: string) => {
    const { edges, counts } = histogram(values, bins, range);
    return {
      type: "scatter",
      mode: "lines",
      name: `${name} (mean ${brief(mean(values))})`,
      x: counts.map((_, i) => round((edges[i] + edges[i + 1]) / 2)),
      y: counts,
      line: { color, width: 2, shape: "hvh", dash },
      fill: "tozeroy",
      fillcolor: `${color}2B`,
      hovertemplate: `reward about %{x}<br>%{y} ${name}<extra></extra>`,
    };
  };
  return {
    data: [trace(chosen, "chosen", COLORS.blue, "solid"), trace(rejected, "rejected", COLORS.vermillion, "dot")],
    layout: layout({
      title,
      xaxis: axis("reward (reward units)"),
      yaxis: axis("answers (count)", { rangemode: "tozero" }),
      legend: true,
    }),
    description: `${title}: mean chosen ${brief(mean(chosen))}, mean rejected ${brief(mean(rejected))}.`,
  };
}

/** Reward difference against length difference of each pair; a cloud that leans is a model that counts words. */
export function lengthRewardFigure(
  points: readonly { readonly lengthDelta: number; readonly rewardDelta: number }[],
  { spearman, unit = "tokens", most = 2000 }: { readonly spearman?: number; readonly unit?: string; readonly most?: number } = {},
): Figure {
  const title = "Does the model count words?";
  if (!points.length) return emptyFigure(title, NO_PAIRS);
  const shown = sample(points, most);
  const told =
    (spearman === undefined ? "" : `Spearman correlation ${spearman.toFixed(2)}; `) +
    `${shown.length.toLocaleString("en")} of ${points.length.toLocaleString("en")} pairs drawn`;
  return {
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "pairs",
        showlegend: false,
        x: shown.map(({ lengthDelta }) => lengthDelta),
        y: shown.map(({ rewardDelta }) => round(rewardDelta)),
        marker: {
          size: 6,
          opacity: 0.45,
          color: shown.map(({ rewardDelta }) => (rewardDelta < 0 ? COLORS.vermillion : COLORS.blue)),
          symbol: shown.map(({ rewardDelta }) => (rewardDelta < 0 ? "x" : "circle")),
        },
        hovertemplate: `Δ length %{x} ${unit}<br>Δ reward %{y}<extra></extra>`,
      },
    ],
    layout: layout({
      title,
      subtitle: told,
      xaxis: axis(`Δ length, chosen − rejected (${unit})`, { zeroline: true, zerolinecolor: COLORS.grey }),
      yaxis: axis("Δ reward, chosen − rejected", { zeroline: true, zerolinecolor: COLORS.grey }),
    }),
    description: `${title} Reward difference against length difference: ${told}.`,
  };
}
