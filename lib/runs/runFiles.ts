// In: metrics/RUN. Out: everything the run wrote there, typed, with a note for each file that is missing or torn.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type z } from "zod";
import { InputError } from "../errors";
import * as evaluations from "./evaluationSchemas";
import * as schema from "./schemas";
import type { EpochRecord, GateVerdict, StepRecord, StepValidationRecord, Warning } from "./records";
import { seedsFile, type SeedsFile } from "./seedsSchema";

/** A run as its files tell it. Absent files are null or empty lists: the run may still be going on. */
export interface RunRecord {
  /** Name of the run. */
  readonly name: string;
  readonly dir: string;
  readonly config: schema.Json | null;
  readonly environment: schema.Json | null;
  readonly data: schema.RunData | null;
  readonly steps: readonly schema.StepLine[];
  readonly epochs: readonly schema.EpochLine[];
  /** Validations every `eval_steps`, where asked for. */
  readonly validations: readonly schema.StepValidation[];
  /** Δ of the last epoch written, with its number. */
  readonly deltas: { readonly epoch: number; readonly deltas: readonly number[] } | null;
  readonly metrics: schema.RunMetricsSeen | null;
  /** `evaluate`'s JSON of the best checkpoint on the validation pairs. */
  readonly evaluation: evaluations.EvaluationFile | null;
  readonly errors: evaluations.ErrorAnalysisFile | null;
  readonly gate: GateVerdict | null;
  readonly warnings: readonly schema.WarningLine[];
  /** Rewards of each validation pair by the best checkpoint. */
  readonly scores: readonly evaluations.ScoreLine[];
  /** The best checkpoint on pairs set aside until the end; null where it has not been evaluated on any. */
  readonly test: HeldOut | null;
  /** The seeds this run is the best of, and the rewards of each; null where it was trained alone. */
  readonly seeds: SeedsOfRun | null;
  /** `complete` once `metrics.json` stands. */
  readonly state: "complete" | "unfinished";
  /** What could not be read because the run was cut off while writing. */
  readonly notes: readonly string[];
}

/** Several seeds of one configuration. */
export interface SeedsOfRun {
  readonly file: SeedsFile;
  /** Rewards of each validation pair, a list a seed. */
  readonly scores: readonly (readonly evaluations.ScoreLine[])[];
}

/** What was measured on one set of pairs. */
export interface HeldOut {
  readonly evaluation: evaluations.EvaluationFile;
  readonly scores: readonly evaluations.ScoreLine[];
  readonly errors: evaluations.ErrorAnalysisFile | null;
}

/** What runs are called where they stand beside each other: their names, or their folders where names are the same. */
export const runLabels = (runs: readonly RunRecord[]): string[] =>
  new Set(runs.map(({ name }) => name)).size === runs.length
    ? runs.map(({ name }) => name)
    : runs.map(({ dir }) => dir);

/**
 * Reads a run's files.
 *
 * @param dir metrics/RUN
 * @throws InputError for a folder that is no run and for a file or line that does not read as what it should be
 * @example
 * ```ts
 * const { metrics, steps } = readRun("metrics/mine");
 * console.log(steps.length, metrics?.val_accuracy);
 * ```
 */
export function readRun(dir: string): RunRecord {
  if (!existsSync(dir) || !statSync(dir).isDirectory()) {
    throw new InputError(`${dir}: expected a run's folder, found none; it gets written by rewardbook train --run NAME`);
  }
  const notes: string[] = [];
  const lines = <S extends z.ZodType>(file: string, row: S) => readLines(join(dir, file), row, notes);
  const one = <S extends z.ZodType>(file: string, shape: S) => readJson(join(dir, file), shape);
  const config = one("config.json", schema.json);
  const steps = lines("train_steps.jsonl", schema.stepSeen);
  if (!config && !steps.length) {
    throw new InputError(
      `${dir}: expected config.json or train_steps.jsonl of a run, found neither; give the folder that rewardbook train wrote`,
    );
  }
  const metrics = one("metrics.json", schema.runMetricsSeen);
  const test = one("test_evaluation.json", evaluations.evaluationSeen);
  // Where nothing was set aside, the validation pairs were evaluated once more.
  const isTest = test !== null && basename(String(test.pairs_file ?? "")) !== "val_pairs.jsonl";
  return {
    name: basename(dir),
    dir,
    config,
    environment: one("environment.json", schema.json),
    data: one("data.json", schema.runData),
    steps,
    epochs: lines("val_epochs.jsonl", schema.epochSeen),
    validations: lines("val_steps.jsonl", schema.stepValidationSeen),
    deltas: latestDeltas(join(dir, "val_deltas")),
    metrics,
    evaluation: one("evaluation.json", evaluations.evaluationSeen),
    errors: one("errors.json", evaluations.errorAnalysisSeen),
    gate: one("quality_gate.json", schema.gateVerdict),
    warnings: lines("warnings.jsonl", schema.warningSeen),
    scores: lines(SCORES_FILE, evaluations.scoreLine),
    test: isTest
      ? {
          evaluation: test,
          scores: lines("test_scores.jsonl", evaluations.scoreLine),
          errors: one("test_errors.json", evaluations.errorAnalysisSeen),
        }
      : null,
    seeds: readSeeds(dir, notes),
    state: metrics ? "complete" : "unfinished",
    notes,
  };
}

/** The lines that a run of this version wrote, whole: what training goes on from. */
export interface RunLog {
  readonly steps: readonly StepRecord[];
  readonly epochs: readonly EpochRecord[];
  readonly validations: readonly StepValidationRecord[];
  readonly warnings: Warning[];
}

/** @throws InputError naming file, line and field of what another version wrote or somebody changed */
export function readLog(dir: string): RunLog {
  const lines = <S extends z.ZodType>(file: string, row: S) => readLines(join(dir, file), row, []);
  return {
    steps: lines("train_steps.jsonl", schema.stepRecord),
    epochs: lines("val_epochs.jsonl", schema.epochRecord),
    validations: lines("val_steps.jsonl", schema.stepValidation),
    warnings: lines("warnings.jsonl", schema.warning),
  };
}

/** One file of a run. @throws InputError where it is absent or not what it should be */
export function readRunFile<S extends z.ZodType>(path: string, shape: S): z.output<S> {
  const value = readJson(path, shape);
  if (value === null) throw new InputError(`${path}: expected a file of this run, found none; train again`);
  return value;
}

/** Scored pairs of a file that `score` or `evaluate --scores` wrote. @throws InputError for any other */
export function readScoreLines(path: string): evaluations.ScoreLine[] {
  const lines = readLines(path, evaluations.scoreLine, []);
  if (lines.length > 0) return lines;
  throw new InputError(`${path}: expected scored pairs, one a line, found none; rewardbook score writes them`);
}

function readSeeds(dir: string, notes: string[]): SeedsOfRun | null {
  const file = readJson(join(dir, SEEDS_FILE), seedsFile);
  if (!file) return null;
  const scores = file.seeds.map(({ run }) =>
    readLines(join(dirname(dir), basename(run), SCORES_FILE), evaluations.scoreLine, notes),
  );
  const missing = file.seeds.filter((_, i) => scores[i].length === 0);
  if (missing.length === 0) return { file, scores };
  notes.push(
    `${missing.map(({ run }) => run).join(", ")}: the scores of this seed are gone; it is left out of comparisons.`,
  );
  return { file, scores: scores.filter((lines) => lines.length > 0) };
}

/** Of a run that is the best of several seeds. */
export const SEEDS_FILE = "seeds.json";
/** Rewards of the validation pairs by the best checkpoint. */
export const SCORES_FILE = "val_scores.jsonl";

function readJson<S extends z.ZodType>(path: string, shape: S): z.output<S> | null {
  if (!existsSync(path)) return null;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InputError(`${path}: expected JSON, got ${(error as Error).message}; train again or remove the file`);
  }
  return checked(shape, value, path);
}

function readLines<S extends z.ZodType>(path: string, shape: S, notes: string[]): z.output<S>[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  const rows: z.output<S>[] = [];
  lines.forEach((line, i) => {
    if (!line.trim()) return;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      // Only the last line can be torn by a kill; it has no line break yet.
      if (i === lines.length - 1) {
        notes.push(`${basename(path)}: the last line was cut off while it was written and is left out.`);
        return;
      }
      throw new InputError(
        `${path} line ${i + 1}: expected a JSON object, got ${JSON.stringify(line.slice(0, 60))}; remove the line`,
      );
    }
    rows.push(checked(shape, value, `${path} line ${i + 1}`));
  });
  return rows;
}

function checked<S extends z.ZodType>(shape: S, value: unknown, where: string): z.output<S> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new InputError(
    `${where}: ${path.length ? `field ${path.join(".")}: ` : ""}${message}; the file is not one rewardbook wrote`,
  );
}

function latestDeltas(dir: string): RunRecord["deltas"] {
  if (!existsSync(dir)) return null;
  const files = readdirSync(dir).filter((name) => /^deltas_epoch\d+\.json$/.test(name));
  const epochOf = (name: string) => Number(/\d+/.exec(name)![0]);
  const last = files.sort((a, b) => epochOf(a) - epochOf(b)).pop();
  return last ? readJson(join(dir, last), schema.deltasFile) : null;
}
