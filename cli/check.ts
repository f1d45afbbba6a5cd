// rewardbook check: a file of pairs in, everything wrong or remarkable about it out; exit 1 when rows are at fault.
import { type Command, InvalidArgumentError } from "commander";
import { dirname } from "node:path";
import { initBackend } from "../lib/engine/backend";
import { embedTexts } from "../lib/scoring/embed";
import { checkPairs } from "../lib/check/check";
import { type LabelNoise, estimateLabelNoise } from "../lib/check/noise";
import type { CheckReport } from "../lib/check/report";
import type { PreferencePair } from "../lib/pairs/pair";
import { acceptedFields } from "../lib/pairs/formats/table";
import { writeRejectedRows } from "../lib/pairs/rejectedRows";
import { checkHtml } from "../lib/report/pages/check";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable, checkWritableFolder } from "../lib/files/writable";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { findModel } from "../lib/checkpoints/findModel";
import { EXIT, ExitWith } from "./exit";
import { configFlag, readingOptions } from "./flags";
import { type Output, createOutput } from "./output";
import { percent } from "../lib/wording";

const LISTED = 10;
const NOISE_TOKENS = 256;

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];
const positive = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0)) throw new InvalidArgumentError("expected a number above 0");
  return value;
};

export function register(program: Command): void {
  program
    .command("check")
    .description(
      "validate and profile a file of pairs: bad rows by line, duplicates, ties, contradictions, leaks, lengths, label noise",
    )
    .requiredOption(
      "--pairs <file>",
      "preference pairs: .jsonl, .json, .csv, .parquet, or .gz of the first three; the format is recognised by its fields",
    )
    .option(
      "--split <file>",
      "another split of the same data, which must share no question (may be given several times)",
      collect,
    )
    .option(
      "--against <file>",
      "an evaluation file that the pairs must not contain (may be given several times)",
      collect,
    )
    .option("--format <name>", "name of the format, where the fields do not tell it")
    .addOption(configFlag("minimum_gap"))
    .addOption(configFlag("ignore_fields"))
    .addOption(configFlag("category_field"))
    .addOption(configFlag("keep_ties"))
    .option("--no-keep-ties", "leave out pairs whose two scores are equal (default: off)")
    .option("--label-noise", "estimate the label noise by cross-validated scores of the frozen encoder")
    .option("--noise-sample <n>", "pairs that the estimate is made on (default: 2000)", positive)
    .option("--model <dir>", "encoder of --label-noise (default: the default encoder)")
    .option("--out <file>", "write the whole result as JSON")
    .option("--html <file>", "write a report as one HTML file")
    .option(
      "--rejected <dir>",
      "folder for STEM_rejected_rows.jsonl, which lists every row that is not used (default: beside --out or --html)",
    )
    .option("--skip-bad-rows", "rows at fault are counted and listed, but make no exit code 1")
    .option("--json", "print one JSON object on stdout")
    .addHelpText("after", () => `\nFields that are read:\n${fieldLines().join("\n")}`)
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out, options.html);
      await checkWritableFolder(options.rejected);
      const { report, read } = await checkPairs(options.pairs, {
        splits: options.split,
        against: options.against,
        format: options.format,
        ...readingOptions(options),
        estimateNoise: options.labelNoise ? (pairs) => noiseOf(pairs, options.model, out) : undefined,
        noiseSample: options.noiseSample,
      });
      if (options.out) await writeFileAtomically(options.out, `${JSON.stringify(report, null, 2)}\n`);
      if (options.html) await writeFileAtomically(options.html, checkHtml(report));
      const beside =
        options.rejected ?? (options.out || options.html ? dirname(options.out ?? options.html) : undefined);
      const rejected = beside === undefined ? undefined : await writeRejectedRows(read, beside);
      out.result(
        { ...report, rejected_rows: rejected ?? null },
        summary(report, [options.out, options.html, rejected]),
      );
      if (!report.ok && !(options.skipBadRows && report.pairs > 0)) throw new ExitWith(EXIT.input);
    });
}

const fieldLines = () => acceptedFields().map(({ format, fields }) => `  ${format}: ${fields.join(", ")}`);

/** The frozen encoder with its mean over the tokens judges the pairs it has not been fitted on. */
async function noiseOf(pairs: readonly PreferencePair[], model: string | undefined, out: Output): Promise<LabelNoise> {
  await initBackend();
  const loaded = await loadRewardModel(findModel(model), { head: "mean" });
  const settings = { ...loaded.settings, max_length: Math.min(loaded.settings.max_length, NOISE_TOKENS) };
  const bar = out.progress("embedding");
  try {
    return await estimateLabelNoise(pairs, (items) =>
      embedTexts({ ...loaded, settings }, items, { onProgress: bar.update }),
    );
  } finally {
    bar.end();
    loaded.model.dispose();
  }
}

function summary(report: CheckReport, written: readonly (string | undefined)[]): string[] {
  const { lengths, label_noise: noise } = report;
  const counts = (byReason: Readonly<Record<string, number>>) =>
    Object.entries(byReason)
      .map(([reason, n]) => `${reason} ${n}`)
      .join(", ") || "none";
  return [
    `${report.path}: ${report.container}, format ${report.format || "unknown"} (reads ${report.reads || "nothing"})`,
    `rows       ${report.rows}; pairs ${report.pairs}; questions ${report.questions}; different prompts ${report.prompts}`,
    `errors     ${report.errors} (${counts(report.errors_by_reason)})`,
    ...report.rejected
      .filter(({ reason }) => reason in report.errors_by_reason)
      .slice(0, LISTED)
      .map(({ line, fileLine, message }) => `  ${report.path}:${fileLine ?? line}: ${message}`),
    `left out   ${report.left_out} (${counts(report.left_out_by_reason)})`,
    ...report.notes.map((note) => `note       ${note}`),
    `repeats    ${report.duplicates.count} pairs, ${report.contradictions.count} labelled both ways, ${report.near_duplicate_prompts.count} near-duplicate prompts`,
    `length     the longer answer is preferred in ${percent(lengths.length_only_accuracy)} of pairs`,
    ...[...report.splits, ...report.contamination].map(
      ({ path, prompts, exact, near }) => `overlap    ${exact} of ${prompts} prompts of ${path}, ${near} more nearly`,
    ),
    ...(noise
      ? [
          `noise      about ${percent(noise.estimate)} of labels (judge agrees with ${percent(noise.judge_accuracy)} of ${noise.pairs} pairs)`,
        ]
      : []),
    ...report.warnings.map((warning) => `warning: ${warning}`),
    ...written.filter((path) => path !== undefined).map((path) => `written    ${path}`),
  ];
}
