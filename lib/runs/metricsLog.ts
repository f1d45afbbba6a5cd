// In: what a run measures. Out: its files under metrics/RUN, one line a step, safe to read while it goes on.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { metricsDir } from "../files/paths";

/** One line of `train_steps.jsonl`. */
export interface StepRecord {
  readonly ts: number;
  /** Optimizer step, from 1. */
  readonly step: number;
  /** Epoch, from 1. */
  readonly epoch: number;
  /** What is minimised: with weights, margin, smoothing and centring. */
  readonly loss: number;
  /** Mean softplus(−Δ), the loss without any of them: ln 2 for a model that knows nothing. */
  readonly nll: number;
  /** Share of pairs with a higher reward for the chosen answer; a tie counts one half. */
  readonly accuracy: number;
  /** Mean of r_chosen − r_rejected. */
  readonly margin: number;
  readonly min_reward: number;
  readonly mean_reward: number;
  readonly max_reward: number;
  readonly pairs: number;
  /** Tokens seen so far, padding not counted. */
  readonly num_tokens: number;
  readonly learning_rate: number;
  readonly grad_norm: number;
  readonly tokens_per_second: number;
  readonly padding_share: number;
}

/** Writer of a run's files. */
export interface MetricsLog {
  readonly dir: string;
  append(file: string, record: object): void;
  write(file: string, value: unknown): void;
  /** Writes all lines of a JSONL file anew. */
  replace(file: string, records: readonly object[]): void;
  /** One line of `training_log.csv`. */
  csv(record: Readonly<Record<string, number | string>>): void;
}

const RUN_FILES = ["train_steps.jsonl", "val_epochs.jsonl", "val_steps.jsonl", "warnings.jsonl", "training_log.csv"];

/** JSON without NaN: not a number is written as null, which every reader accepts. */
const toJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, (_key, v) => (ArrayBuffer.isView(v) ? Array.from(v as Float32Array) : v), indent);

/**
 * Opens metrics/RUN. A new run clears what an earlier one of the same name wrote; a resumed one drops the lines
 * after the checkpoint, which will be computed again.
 *
 * @param resumeStep step of the checkpoint gone on from; undefined for a new run
 */
export function openMetricsLog(run: string, resumeStep?: number): MetricsLog {
  const dir = metricsDir(run);
  if (resumeStep === undefined) rmSync(dir, { recursive: true, force: true });
  mkdirSync(join(dir, "val_deltas"), { recursive: true });
  mkdirSync(join(dir, "plots"), { recursive: true });
  if (resumeStep !== undefined) for (const file of RUN_FILES) keepUntil(join(dir, file), resumeStep);
  return {
    dir,
    append: (file, record) => appendFileSync(join(dir, file), toJson(record) + "\n"),
    replace: (file, records) => writeFileSync(join(dir, file), records.map((record) => toJson(record) + "\n").join("")),
    write: (file, value) => writeFileSync(join(dir, file), toJson(value, 2) + "\n"),
    csv: (record) => {
      const file = join(dir, "training_log.csv");
      if (!existsSync(file)) appendFileSync(file, Object.keys(record).join(",") + "\n");
      appendFileSync(file, Object.values(record).join(",") + "\n");
    },
  };
}

function keepUntil(file: string, step: number): void {
  if (!existsSync(file)) return;
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean);
  const stepColumn = lines[0]?.split(",").indexOf("step") ?? -1;
  const stepOf = (line: string): number => {
    if (file.endsWith(".csv")) return line === lines[0] ? 0 : Number(line.split(",")[stepColumn]);
    try {
      return JSON.parse(line).step;
    } catch {
      return Infinity; // torn by the kill
    }
  };
  const kept = lines.filter((line) => stepOf(line) <= step);
  writeFileSync(file, kept.map((line) => line + "\n").join(""));
}
