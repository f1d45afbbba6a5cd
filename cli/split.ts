// rewardbook split: one file of pairs in, training, validation and test files that share no question out.
import { type Command, InvalidArgumentError, Option } from "commander";
import { stemOf } from "../lib/pairs/bytes";
import { loadStoredPairs, readingNotes } from "../lib/pairs/read";
import { writeRejectedRows } from "../lib/pairs/rejectedRows";
import { checkWritableFolder } from "../lib/files/writable";
import { splitPairs } from "../lib/split";
import { writeSplit } from "../lib/pairs/writeSplit";
import { addReadingFlags, configFlag, readingOptions } from "./flags";
import { createOutput } from "./output";

const LISTED = 5;

const share = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value <= 1)) throw new InvalidArgumentError("expected a share from 0 to 1");
  return value;
};
const whole = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value)) throw new InvalidArgumentError("expected a whole number");
  return value;
};

export function register(program: Command): void {
  const command = program
    .command("split")
    .description("split pairs by question, stratified by risk level, without leaks")
    .requiredOption("--pairs <file>", "preference pairs in any format of `check`")
    .requiredOption(
      "--out <dir>",
      "folder for STEM_train, STEM_val (and STEM_test) and STEM_split_stats.json; STEM is the name of the " +
        "input, and preference_pairs for every input whose name begins so; a .json input gives .json lists, others .jsonl",
    )
    .option("--train-ratio <share>", "share of questions for training (default: what the others leave)", share)
    .option(
      "--val-ratio <share>",
      "share of questions for validation (default: 0.1, or what --train-ratio and --test-ratio leave)",
      share,
    )
    .option("--test-ratio <share>", "share of questions for testing; 0 writes no test file", share, 0)
    .option("--seed <n>", "the same seed gives the same files on every machine", whole, 42)
    .option("--drop-weak", "leave out pairs with score difference 0, and pairs whose answers are both rated 1")
    .option(
      "--keep-near-duplicates",
      "keep questions with near-duplicate prompts in one split (otherwise they are reported)",
    );
  addReadingFlags(command)
    .addOption(configFlag("keep_ties"))
    .option("--no-keep-ties", "leave out pairs whose two scores are equal (default: off)")
    .addOption(
      new Option(
        "--format <word>",
        "rows to write: pairs as they were read, or stage3 with input_chosen, input_rejected (prompt, a space, answer) and label 1",
      )
        .choices(["pairs", "stage3"])
        .default("pairs"),
    )
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritableFolder(options.out);
      const { pairs, report } = await loadStoredPairs(options.pairs, readingOptions(options));
      const testRatio: number = options.testRatio;
      const valRatio: number =
        options.valRatio ??
        (options.trainRatio === undefined ? Math.min(0.1, 1 - testRatio) : 1 - options.trainRatio - testRatio);
      const trainRatio: number = options.trainRatio ?? 1 - valRatio - testRatio;
      const ratios = { train: trainRatio, val: Math.abs(valRatio) < 1e-9 ? 0 : valRatio, test: testRatio };
      const split = splitPairs(pairs, {
        train_ratio: trainRatio,
        val_ratio: ratios.val,
        test_ratio: testRatio,
        seed: options.seed,
        drop_weak: options.dropWeak === true,
        keep_near_duplicates: options.keepNearDuplicates === true,
      });
      const container = report.container === "json" ? "json" : "jsonl";
      const files = await writeSplit(split, {
        directory: options.out,
        stem: stemOf(options.pairs),
        container,
        withTest: testRatio > 0,
        format: options.format,
      });
      const rejected = await writeRejectedRows(report, options.out);
      const { counts, unique_qids } = split.stats;
      const lines = [
        `${options.pairs}: ${report.format} (${report.reads}), ${report.used} of ${report.rows} rows used`,
        ...Object.entries(report.counts).map(([reason, n]) => `  left out: ${n} ${reason} (listed in ${rejected})`),
        ...readingNotes(report).map((note) => `  ${note}`),
        `train ${counts.train} pairs of ${unique_qids.train} questions, val ${counts.val} of ${unique_qids.val}, test ${counts.test} of ${unique_qids.test}`,
        ...(["train", "val", "test"] as const)
          .filter((name) => counts[name] === 0 && ratios[name] > 0)
          .map((name) => `warning: ${name} is empty; the pairs are about too few questions`),
        ...(split.nearDuplicates.length > 0
          ? [
              `warning: ${split.nearDuplicates.length} near-duplicate prompts lie in different splits; --keep-near-duplicates keeps them together`,
            ]
          : []),
        ...split.nearDuplicates
          .slice(0, LISTED)
          .map(
            ({ lines: [a, b], splits, similarity }) =>
              `  line ${a} (${splits[0]}) and line ${b} (${splits[1]}): similarity ${similarity.toFixed(2)}`,
          ),
        ...Object.values(files).map((path) => `written ${path}`),
      ];
      const nearDuplicates = { count: split.nearDuplicates.length, examples: split.nearDuplicates.slice(0, LISTED) };
      out.result(
        {
          ...split.stats,
          format: report.format,
          rows: report.rows,
          used: report.used,
          not_used: report.counts,
          kept_ties: report.kept_ties,
          unread_fields: report.unread,
          notes: report.notes,
          files,
          rejected_rows: rejected ?? null,
          near_duplicate_prompts_across_splits: nearDuplicates,
        },
        lines,
      );
    });
}
