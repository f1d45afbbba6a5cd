// In: accuracies by group. Out: their figures.
import { axis, COLORS, emptyFigure, layout, NO_PAIRS, plain, round, verticalLine } from "./figure";
import type { Figure } from "./figure";
import { percent } from "../../wording";

/** Accuracy of one group of pairs; `Evaluation.by_risk` and its like hold these. */
export interface GroupAccuracy {
  /** Pairs in the group, counted ties among them. */
  readonly n: number;
  readonly accuracy: number;
  /** 95% interval. */
  readonly ci95?: readonly [number, number];
}

export interface GroupAccuracyOptions {
  readonly title?: string;
  readonly groupTitle?: string;
  /** Accuracy over all pairs: a reference line. */
  readonly overall?: number;
  /** Most groups drawn, the largest first. */
  readonly most?: number;
}

/**
 * Accuracy by group as points with intervals, count beside each name, chance and the overall accuracy as lines.
 *
 * @example
 * ```ts
 * await showFigure(groupAccuracyFigure(evaluateScores(scored).by_category, { title: "Accuracy by category" }));
 * ```
 */
export function groupAccuracyFigure(
  groups: Readonly<Record<string, GroupAccuracy>>,
  options: GroupAccuracyOptions = {},
): Figure {
  const { title = "Accuracy by group", groupTitle = "group", overall, most = 24 } = options;
  const known = Object.entries(groups).filter(([, { n }]) => n > 0);
  if (!known.length) return emptyFigure(title, NO_PAIRS);
  const largest = new Set(
    [...known]
      .sort(([, a], [, b]) => b.n - a.n)
      .slice(0, most)
      .map(([name]) => name),
  );
  const shown = known
    .filter(([name]) => largest.has(name))
    .map(([name, { n, accuracy, ci95 }]) => ({ name, n, accuracy, ci95 }));
  const least = Math.min(0.5, ...shown.map(({ ci95, accuracy }) => ci95?.[0] ?? accuracy));
  return {
    data: [
      {
        type: "scatter",
        mode: "markers",
        name: "accuracy",
        showlegend: false,
        x: shown.map(({ accuracy }) => round(accuracy)),
        y: tickNames(shown),
        error_x: {
          type: "data",
          symmetric: false,
          array: shown.map(({ accuracy, ci95 }) => round((ci95?.[1] ?? accuracy) - accuracy)),
          arrayminus: shown.map(({ accuracy, ci95 }) => round(accuracy - (ci95?.[0] ?? accuracy))),
          thickness: 2,
          width: 6,
          color: COLORS.blue,
        },
        marker: { size: 11, color: COLORS.blue },
        cliponaxis: false, // a point at 100% stays whole
        text: shown.map(({ ci95 }) => (ci95 ? `95% interval ${intervalText(ci95)}` : "")),
        hovertemplate: "%{y}<br>accuracy %{x:.1%}<br>%{text}<extra></extra>",
      },
    ],
    layout: layout({
      title,
      subtitle:
        "95% intervals; dotted: chance" +
        (overall === undefined ? "" : `; dashed: all pairs, ${percent(overall)}`) +
        (shown.length < known.length ? `; the ${shown.length} largest of ${known.length}` : ""),
      xaxis: axis("pairwise accuracy (%)", { range: [Math.max(0, least - 0.05), 1.02], tickformat: ".0%" }),
      yaxis: axis(groupTitle, { type: "category", autorange: "reversed", dtick: 1 }),
      more: {
        shapes: [
          verticalLine(0.5, COLORS.grey, "dot"),
          ...(overall === undefined ? [] : [verticalLine(overall, COLORS.vermillion, "dash")]),
        ],
      },
    }),
    description: `${title}: ${shown
      .map(({ name, accuracy, ci95 }) => `${name} ${percent(accuracy)}${ci95 ? ` (${intervalText(ci95)})` : ""}`)
      .join("; ")}.`,
  };
}

const RISKS = ["NONE", "LOW", "MEDIUM", "MODERATE", "HIGH", "SEVERE", "CRITICAL", "UNKNOWN"];

/**
 * Accuracy by risk level, from low to high: `Evaluation.by_risk`.
 *
 * @example
 * ```ts
 * await showFigure(riskFigure(evaluateScores(scored).by_risk));
 * ```
 */
export function riskFigure(groups: Readonly<Record<string, GroupAccuracy>>, overall?: number, epoch?: number): Figure {
  const sorted = Object.entries(groups).sort(
    ([a], [b]) => RISKS.indexOf(a.toUpperCase()) - RISKS.indexOf(b.toUpperCase()),
  );
  return groupAccuracyFigure(Object.fromEntries(sorted), {
    title: `Accuracy by risk level${epoch === undefined ? "" : ` (epoch ${epoch}, the best)`}`,
    groupTitle: "risk level",
    overall,
  });
}

/**
 * Accuracy by quartile of the pairs' length: `Evaluation.by_length_quartile`.
 *
 * @example
 * ```ts
 * await showFigure(lengthQuartileFigure(evaluateScores(scored).by_length_quartile));
 * ```
 */
export function lengthQuartileFigure(
  quartiles: Readonly<Record<string, GroupAccuracy & { readonly low: number; readonly high: number }>>,
  { overall, unit = "characters" }: { readonly overall?: number; readonly unit?: string } = {},
): Figure {
  const whole = (length: number) => Math.round(length).toLocaleString("en");
  const named = Object.entries(quartiles).map(
    ([name, group]) => [`${name}: ${whole(group.low)}–${whole(group.high)}`, group] as const,
  );
  return groupAccuracyFigure(Object.fromEntries(named), {
    title: "Accuracy by length of the answers",
    groupTitle: `mean length (${unit})`,
    overall,
  });
}

const intervalText = ([low, high]: readonly [number, number]) => `${percent(low)} to ${percent(high)}`;

/** Tick texts with counts; two names that look alike once shortened stay two rows. */
function tickNames(groups: readonly { readonly name: string; readonly n: number }[]): string[] {
  const seen = new Map<string, number>();
  return groups.map(({ name, n }) => {
    const text = `${plain(name, 28) || "(empty)"} (${n.toLocaleString("en")})`;
    const before = seen.get(text) ?? 0;
    seen.set(text, before + 1);
    return text + "\u200b".repeat(before);
  });
}
