// In: rewards and reward differences of pairs. Out: histograms, distributions, length against reward.
import { axis, brief, COLORS, emptyFigure, layout, minus, NO_PAIRS, round, verticalLine } from "./figure";
import type { Figure } from "./figure";
import { extent, histogram, mean, sample } from "./series";
import { percent } from "../../wording";

/**
 * Histogram of Δ = chosen reward − rejected reward: right, tied and wrong pairs stacked.
 *
 * @example
 * ```ts
 * await showFigure(deltaHistogramFigure([...rewardDeltas(scored)]));
 * ```
 */
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
      trace(
        deltas.filter((delta) => delta > 0),
        "right (Δ &gt; 0)",
        COLORS.blue,
      ),
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

/**
 * Rewards of chosen and rejected answers over common bins, as overlaid steps.
 *
 * @example
 * ```ts
 * await showFigure(rewardDistributionFigure(scored.map((p) => p.chosenScore), scored.map((p) => p.rejectedScore)));
 * ```
 */
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

/**
 * Reward difference against length difference of each pair; a cloud that leans is a model that counts words.
 *
 * @example
 * ```ts
 * await showFigure(lengthRewardFigure([{ lengthDelta: 12, rewardDelta: 0.4 }], { unit: "characters" }));
 * ```
 */
export function lengthRewardFigure(
  points: readonly { readonly lengthDelta: number; readonly rewardDelta: number }[],
  {
    spearman,
    unit = "tokens",
    most = 2000,
  }: { readonly spearman?: number; readonly unit?: string; readonly most?: number } = {},
): Figure {
  const title = "Does the model count words?";
  if (!points.length) return emptyFigure(title, NO_PAIRS);
  const shown = sample(points, most);
  const told =
    (spearman === undefined ? "" : `Spearman correlation ${minus(spearman.toFixed(2))}; `) +
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
