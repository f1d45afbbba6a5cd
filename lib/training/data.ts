// In: the configuration. Out: training and validation pairs, and the record of where they came from.
import type { TrainingConfig } from "../config";
import { InputError } from "../errors";
import type { PreferencePair } from "../pairs/pair";
import { loadPairs, type ReadReport } from "../pairs/read";
import { hashFile } from "../files/atomic";
import { splitPairs, type SplitStats } from "../split";

/** The pairs of a run. */
export interface TrainingPairs {
  readonly train: readonly PreferencePair[];
  readonly val: readonly PreferencePair[];
  readonly test: readonly PreferencePair[];
  readonly reports: readonly ReadReport[];
  /** The start of `data.json`. */
  readonly record: Record<string, unknown>;
}

async function readSource(file: string, config: TrainingConfig) {
  const { pairs, report } = await loadPairs(file, config);
  const source = {
    file,
    sha256: await hashFile(file),
    format: report.format,
    rows: report.rows,
    used: report.used,
    not_used: report.counts,
  };
  return { pairs, report, source };
}

/**
 * Reads the pairs of a run; without a validation file they are split by question.
 *
 * @throws InputError when nothing is left to train or to validate on
 */
export async function readTrainingPairs(config: TrainingConfig): Promise<TrainingPairs> {
  if (config.pairs === undefined) {
    throw new InputError("train: expected a file of preference pairs, got none; name one with --pairs FILE");
  }
  const main = await readSource(config.pairs, config);
  if (config.val !== undefined) {
    const held = await readSource(config.val, config);
    const asked = new Set(main.pairs.map((pair) => pair.questionId));
    const shared = held.pairs.filter((pair) => asked.has(pair.questionId)).length;
    const record = { sources: [main.source, held.source], split: null, val_pairs_of_training_questions: shared };
    return notEmpty({ train: main.pairs, val: held.pairs, test: [], reports: [main.report, held.report], record });
  }
  const { train, val, test, stats, nearDuplicates } = splitPairs(main.pairs, config);
  const record: { sources: unknown[]; split: SplitStats; near_duplicates_across_splits: number } = {
    sources: [main.source],
    split: stats,
    near_duplicates_across_splits: nearDuplicates.length,
  };
  return notEmpty({ train, val, test, reports: [main.report], record });
}

function notEmpty(pairs: TrainingPairs): TrainingPairs {
  if (pairs.train.length === 0) {
    throw new InputError("train: expected at least one training pair, got none; see rewardbook check --pairs FILE");
  }
  if (pairs.val.length === 0) {
    throw new InputError(
      `train: expected validation pairs, got none of ${pairs.train.length} pairs; give --val FILE, a larger --val-ratio, or pairs over more questions`,
    );
  }
  return pairs;
}
