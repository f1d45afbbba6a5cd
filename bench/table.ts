// In: the rows of all results on disk. Out: the Markdown tables of the README.
import type { AccuracyResult, SideAccuracy } from "./accuracy";
import type { Endurance } from "./endurance";
import type { BothSides, FamilyRow } from "./families";
import type { Row } from "./comparison";
import { hundredths } from "../lib/wording";

const number = (value: number): string =>
  value >= 1000
    ? Math.round(value).toLocaleString("en")
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value >= 0.01
          ? value.toFixed(2)
          : value.toPrecision(1);

/** The number that the target bounds. */
export const figureOf = ({ bound, ours, theirs }: Row): number => (bound.startsWith("ratio") ? ours / theirs! : ours);

export function reached(row: Row): boolean {
  return row.bound.endsWith("most") ? figureOf(row) <= row.target : figureOf(row) >= row.target;
}

export function markdownTable(rows: readonly Row[]): string {
  const sign = (row: Row) => (row.bound.endsWith("most") ? "≤" : "≥");
  const times = (row: Row) => (row.bound.startsWith("ratio") ? "×" : row.unit && ` ${row.unit}`);
  const lines = rows.map((row) => {
    const theirs = row.theirs === null ? "–" : `${number(row.theirs)} ${row.unit}`;
    const cells = [
      row.work,
      row.against,
      `${number(row.ours)} ${row.unit}`.trim(),
      theirs,
      `${number(figureOf(row))}${times(row)}`,
      `${sign(row)} ${row.target}${times(row)}`,
      reached(row) ? "yes" : "no",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| work | against | ours | theirs | measured | target | reached |",
    "|---|---|---|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

/** Both accuracies, their difference and the verdict, in one sentence. */
export function accuracyLine({
  trainPairs,
  heldOutPairs,
  ours,
  theirs,
  difference,
  interval,
  precision = "bf16",
  verdict,
}: AccuracyResult): string {
  const points = hundredths;
  const signed = (share: number) => `${share < 0 ? "−" : "+"}${points(Math.abs(share))}`;
  const side = ({ accuracy, interval: [low, high] }: SideAccuracy) =>
    `${points(accuracy)}% [${points(low)}, ${points(high)}]`;
  const apart = `${signed(difference)} points [${signed(interval[0])}, ${signed(interval[1])}]`;
  const data = `${heldOutPairs} held-out pairs after one epoch over ${trainPairs.toLocaleString("en")}, same split, budget, seed and order`;
  return `Accuracy on ${data}: ours ${side(ours)}, TRL RewardTrainer ${precision} ${side(theirs)}; difference ${apart}: ${verdict}.`;
}

/** How memory went through a long training, in one sentence. */
export function enduranceLine({ minutes, steps, early, late, samples }: Endurance): string {
  const most = Math.max(...samples.map(({ mb }) => mb));
  return `Training for ${minutes.toFixed(0)} minutes (${steps.toLocaleString("en")} steps, validations and checkpoints included): ${number(early)} MB resident early on (median of the second tenth), ${number(late)} MB at the end (last tenth), ${number(most)} MB at most.`;
}

/** One line a family, ours against transformers' better attention. */
export function familiesTable(rows: readonly FamilyRow[]): string {
  const speed = ({ oursPairsPerSecond: ours, theirsPairsPerSecond: theirs }: BothSides) => [
    number(ours),
    number(theirs),
    `${number(ours / theirs)}×`,
  ];
  const memory = ({ oursPeakMb: ours, theirsPeakMb: theirs }: BothSides) => `${number(ours)} / ${number(theirs)}`;
  const lines = rows.map(({ family, shape, parameters, scoring, training }) => {
    const cells = [
      family,
      shape,
      `${number(parameters / 1e6)} M`,
      ...speed(scoring),
      ...speed(training),
      memory(scoring),
      memory(training),
    ];
    return `| ${cells.join(" | ")} |`;
  });
  const heads = [
    "family",
    "shape, random weights",
    "parameters",
    "scoring, pairs/s",
    "transformers",
    "ratio",
    "training step, pairs/s",
    "transformers",
    "ratio",
    "peak scoring, MB: ours / transformers",
    "peak training, MB",
  ];
  return [`| ${heads.join(" | ")} |`, `|${"---|".repeat(heads.length)}`, ...lines, ""].join("\n");
}
