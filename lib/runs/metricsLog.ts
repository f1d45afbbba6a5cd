// In: what a run measures. Out: its files under metrics/RUN, one line a step, safe to read while it goes on.
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { isTemporary, syncFile, writeFileAtomicallySync } from "../files/atomic";
import type { z } from "zod";
import type { ErrorAnalysis } from "../evaluation/errorAnalysis";
import type { Evaluation, OriginalEvaluation } from "../evaluation/evaluate";
import { metricsDir } from "../files/paths";
import { about } from "../files/systemError";
import type { runData } from "./schemas";
import type {
  DeltasFile,
  EpochRecord,
  GateVerdict,
  RunMetrics,
  StepRecord,
  StepValidationRecord,
  Warning,
} from "./records";

/** What a line of each file that grows holds. */
interface GrowingFiles {
  "train_steps.jsonl": StepRecord;
  /** The evaluation without its bins, and the original notebook's keys. */
  "val_epochs.jsonl": EpochRecord & Omit<Evaluation, "calibration_bins"> & OriginalEvaluation;
  "val_steps.jsonl": StepValidationRecord;
  "warnings.jsonl": Warning;
}

/** What each file that is written whole holds. */
interface WholeFiles {
  "config.json": object;
  "environment.json": object;
  "data.json": z.input<typeof runData>;
  "evaluation.json": Evaluation;
  "errors.json": ErrorAnalysis;
  "quality_gate.json": GateVerdict;
  "metrics.json": RunMetrics;
  [name: `reward_eval_val_epoch${string}.json`]: OriginalEvaluation & {
    readonly val_loss: number;
    readonly epoch: number;
  };
  [name: `val_deltas/${string}.json`]: DeltasFile;
}

/** Writer of a run's files. */
export interface MetricsLog {
  readonly dir: string;
  append<F extends keyof GrowingFiles>(file: F, record: GrowingFiles[F]): void;
  /** Writes a JSON file, whole or not at all. */
  write<F extends keyof WholeFiles>(file: F, value: WholeFiles[F]): void;
  /** Writes all lines of a JSONL file anew, whole or not at all. */
  replace(file: string, records: Iterable<object>): void;
  /** One line of `training_log.csv`. */
  csv(record: Readonly<Record<string, number | string>>): void;
  /** Bytes of each file that grows, when they are on the disk: where a run that goes on from here begins to write. */
  marks(): Record<string, number>;
  /** Takes back the lines of an epoch's validation: the epoch goes on after all. */
  forgetEpoch(epoch: number): void;
}

const GROWING_FILES = [
  "train_steps.jsonl",
  "val_epochs.jsonl",
  "val_steps.jsonl",
  "warnings.jsonl",
  "training_log.csv",
] as const;
/** What only the end of a run writes: while it goes on again there is none. */
const LAST_FILES = ["metrics.json", "quality_gate.json"];

/** JSON without NaN: not a number is written as null, which every reader accepts. */
const toJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, (_key, v) => (ArrayBuffer.isView(v) ? Array.from(v as Float32Array) : v), indent);

function* linesOf(records: Iterable<object>): Generator<string> {
  for (const record of records) yield `${toJson(record)}\n`;
}

/**
 * Opens metrics/RUN. A new run clears what an earlier one of the same name wrote; a resumed one drops the lines
 * after the checkpoint, which will be computed again.
 *
 * @param marks `marks()` as they were at the checkpoint gone on from; `all` drops none; undefined for a new run
 */
export function openMetricsLog(run: string, marks?: Readonly<Record<string, number>> | "all"): MetricsLog {
  const dir = metricsDir(run);
  const at = (file: string) => join(dir, file);
  if (!marks) rmSync(dir, { recursive: true, force: true });
  mkdirSync(at("val_deltas"), { recursive: true });
  mkdirSync(at("plots"), { recursive: true });
  if (marks) {
    for (const file of GROWING_FILES) cutBack(at(file), marks === "all" ? Infinity : (marks[file] ?? 0));
    // in its folders too
    const torn = readdirSync(dir, { recursive: true, encoding: "utf8" }).filter((file) => isTemporary(basename(file)));
    for (const file of [...LAST_FILES, ...torn]) rmSync(at(file), { force: true });
  }
  return {
    dir,
    append: (file, record) => about(at(file), () => appendFileSync(at(file), toJson(record) + "\n")),
    replace: (file, records) => writeFileAtomicallySync(at(file), linesOf(records)),
    write: (file, value) => writeFileAtomicallySync(at(file), toJson(value, 2) + "\n"),
    csv: (record) => {
      const file = at("training_log.csv");
      const head = existsSync(file) ? "" : Object.keys(record).join(",") + "\n";
      about(file, () => appendFileSync(file, head + Object.values(record).join(",") + "\n"));
    },
    marks: () =>
      Object.fromEntries(GROWING_FILES.filter((file) => existsSync(at(file))).map((f) => [f, syncFile(at(f))])),
    forgetEpoch: (epoch) => {
      keepLines(at("val_epochs.jsonl"), (line) => JSON.parse(line).epoch !== epoch);
      keepLines(at("training_log.csv"), (line) => Number(line.split(",")[0]) !== epoch);
    },
  };
}

/** Cuts a log to the bytes it had at a checkpoint: to whole lines, should somebody have changed it since. */
function cutBack(file: string, bytes: number): void {
  if (!existsSync(file)) return;
  const kept = readFileSync(file).subarray(0, bytes);
  const whole = kept.lastIndexOf("\n") + 1;
  if (whole === 0) rmSync(file);
  else truncateSync(file, whole);
}

function keepLines(file: string, keep: (line: string) => boolean): void {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  writeFileAtomicallySync(
    file,
    lines
      .filter(keep)
      .map((line) => `${line}\n`)
      .join(""),
  );
}
