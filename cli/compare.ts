// rewardbook compare: runs, seeds or checkpoints in, which is better on held-out pairs and how sure that is out.
import type { Command } from "commander";
import { initBackend } from "../lib/engine/backend";
import { UsageError } from "../lib/errors";
import { compareScoreRuns, type Comparison } from "../lib/evaluation/compare";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { loadPairs, readingNotes } from "../lib/pairs/read";
import { compareLines, comparisonSentence, powerSentence, type RunComparison } from "../lib/report/comparison";
import { joinFiles, keptScoresOf, readSides, scoreSide, type Side } from "../lib/runs/sides";
import type { ScoredPair } from "../lib/scoring/scoredPair";
import { holm } from "../lib/statistics";
import { addReadingFlags, precisionOption, readingOptions } from "./flags";
import { createOutput, type Output } from "./output";
import { percent } from "../lib/wording";

/** One file of held-out pairs, or all of them, under the first side against each other. */
interface Compared {
  readonly pairs: string;
  readonly comparisons: readonly RunComparison[];
}

export function register(program: Command): void {
  const command = program
    .command("compare")
    .description(
      "whether one run is better than another on held-out pairs: paired, by prompt, over seeds, with its power",
    )
    .requiredOption(
      "--runs <sides>",
      "A,B: names of runs (all seeds of each), checkpoint directories or files that score wrote; a1+a2,b1+b2 joins models to sides",
    )
    .option(
      "--pairs <files...>",
      "files of held-out pairs to score (default: the validation pairs both were scored on)",
    )
    .option("--detect <points>", "difference of accuracy, in points, whose power is told", "2")
    .option("--out <file>", "JSON file to write")
    .addOption(precisionOption());
  addReadingFlags(command)
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out);
      const detect = Number(options.detect) / 100;
      if (!(detect > 0 && detect < 1))
        throw new UsageError(
          `--detect: expected points above 0 and below 100, got ${JSON.stringify(options.detect)}; see --help`,
        );
      const sides = readSides(options.runs);
      const compared = options.pairs
        ? await onFiles(sides, options.pairs, { out, detect, options })
        : [onKept(sides, detect)];
      const result = resultOf(sides, compared);
      if (options.out) await writeFileAtomically(options.out, JSON.stringify(result, null, 2) + "\n");
      const kind = options.pairs ? "held-out pairs" : "validation pairs";
      out.result(result, [
        ...compared.flatMap((one) => linesOf(sides, one, { kind, headed: compared.length > 1 })),
        ...(options.out ? [`written    ${options.out}`] : []),
      ]);
    });
}

/** By the scores that runs kept of their own validation pairs. */
function onKept([first, ...others]: readonly Side[], detect: number): Compared {
  const [lists, ...rest] = keptScoresOf([first, ...others]);
  return { pairs: "validation", comparisons: rest.map((other) => compareLines(lists, other, { detect })) };
}

interface FileOptions {
  readonly out: Output;
  readonly detect: number;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Each file by itself and, where there are several, all of them together, which comes first. */
async function onFiles(
  sides: readonly Side[],
  paths: readonly string[],
  { out, detect, options }: FileOptions,
): Promise<Compared[]> {
  await initBackend();
  const files: { path: string; pairs: Awaited<ReturnType<typeof loadPairs>>["pairs"] }[] = [];
  for (const path of paths) {
    const { pairs, report } = await loadPairs(path, readingOptions(options));
    for (const note of readingNotes(report)) out.say(`${path}: ${note}`);
    files.push({ path, pairs });
  }
  const pairs = files.length > 1 ? joinFiles(files) : files[0].pairs;
  const bySide: ScoredPair[][][] = [];
  for (const side of sides) {
    const bar = out.progress(`scoring ${side.name}`);
    const precision = options.precision as "f32" | "bf16";
    bySide.push(await scoreSide(side, pairs, { precision, onProgress: bar.update, onMessage: out.say }));
    bar.end();
  }
  const within = (from: number, to: number): RunComparison[] => {
    const [lists, ...others] = bySide.map((side) => side.map((list) => list.slice(from, to)));
    return others.map((other) => ({ result: compareScoreRuns(lists, other, { detect }), skipped: 0 }));
  };
  if (files.length === 1) return [{ pairs: paths[0], comparisons: within(0, pairs.length) }];
  let from = 0;
  const each = files.map(({ path, pairs: { length } }) => ({
    pairs: path,
    comparisons: within(from, (from += length)),
  }));
  return [{ pairs: "all files", comparisons: within(0, pairs.length) }, ...each];
}

/** The whole under the names of a single comparison, and every comparison with its p-value adjusted for looking so often. */
function resultOf(sides: readonly Side[], compared: readonly Compared[]) {
  const flat = compared.flatMap(({ pairs, comparisons }) =>
    comparisons.map((comparison, i) => ({ pairs, against: sides[i + 1].name, comparison })),
  );
  const results = flat.flatMap(({ comparison }) => (comparison.result ? [comparison.result] : []));
  const adjusted = holm(results.map((result) => result.p_value));
  const comparisons = flat.map(({ pairs, against, comparison }) => ({
    pairs,
    against,
    ...(comparison.result
      ? { ...comparison.result, p_value_holm: adjusted[results.indexOf(comparison.result)] }
      : { why: comparison.why }),
  }));
  return {
    run: sides[0].name,
    models: sides.map(({ models }) => models.map(({ name }) => name)),
    ...comparisons[0],
    comparisons,
  };
}

const accuracies = ({ accuracy, other_accuracy: other }: Comparison) =>
  `${percent(accuracy)} against ${percent(other)}`;

function linesOf(
  sides: readonly Side[],
  { pairs, comparisons }: Compared,
  { kind, headed }: { readonly kind: string; readonly headed: boolean },
): string[] {
  const lines = comparisons.flatMap((comparison, i) => [
    `compared   ${comparisonSentence(comparison, sides[0].name, sides[i + 1].name, kind)}`,
    ...(comparison.result
      ? [`accuracy   ${accuracies(comparison.result)}`, `power      ${powerSentence(comparison)}`]
      : []),
  ]);
  return headed ? [`${pairs}:`, ...lines.map((line) => `  ${line}`)] : lines;
}
