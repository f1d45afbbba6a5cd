// In: a split. Out: its files, as the original names them, with what the split came to.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { writeJson, writeJsonLines, writeJsonList } from "../files/write";
import { SPLITS, type Split } from "../split";
import type { PreferencePair } from "./pair";

/** Where a split is written and how. */
export interface SplitFiles {
  readonly directory: string;
  /** Name of the input without extension; `preference_pairs…` keeps the original's names. */
  readonly stem: string;
  /** A JSON list (as the original) or JSON lines. */
  readonly container: "json" | "jsonl";
  readonly withTest: boolean;
  /** Rows as they were read, or those that the stage-3 system trains on. Default `pairs`. */
  readonly format?: "pairs" | "stage3";
}

/** Prompt and answer in one text, as `prepare_reward_training_data` of the stage-3 system joins them. */
const stage3Row = ({ prompt, chosen, rejected }: PreferencePair) => ({
  input_chosen: `${prompt} ${chosen}`,
  input_rejected: `${prompt} ${rejected}`,
  label: 1,
});

/**
 * Writes `STEM_train`, `_val`, `_test` (where asked for) and `STEM_split_stats.json`; returns the paths by name.
 *
 * @example
 * ```ts
 * const split = splitPairs(pairs, { train_ratio: 0.8, val_ratio: 0.1, test_ratio: 0.1, seed: 42 });
 * await writeSplit(split, { directory: "data/mine", stem: "pairs", container: "jsonl", withTest: true });
 * ```
 */
export async function writeSplit(split: Split, files: SplitFiles): Promise<Record<string, string>> {
  const stem = files.stem.startsWith("preference_pairs") ? "preference_pairs" : files.stem;
  const paths: Record<string, string> = {};
  for (const name of SPLITS) {
    const path = join(files.directory, `${stem}_${name}.${files.container}`);
    if (name === "test" && !files.withTest) {
      // An older test file beside the new split would share questions with it.
      await rm(path, { force: true });
      continue;
    }
    paths[name] = path;
    const rows = split[name].map((pair) => (files.format === "stage3" ? stage3Row(pair) : pair.raw));
    await (files.container === "json" ? writeJsonList : writeJsonLines)(paths[name], rows);
  }
  paths.stats = join(files.directory, `${stem}_split_stats.json`);
  await writeJson(paths.stats, split.stats);
  return paths;
}
