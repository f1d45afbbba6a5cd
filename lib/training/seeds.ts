// In: a training request and several seeds. Out: a run a seed, what they say together, the best of them, and their ensemble.
import { existsSync, renameSync, rmSync } from "node:fs";
import { cp } from "node:fs/promises";
import { dirname, join } from "node:path";
import { linkDirectory, writeEnsemble } from "../checkpoints/ensemble";
import type { TrainingConfig } from "../config";
import { correctness } from "../ece";
import { UsageError } from "../errors";
import { evaluateScores, type Evaluation } from "../evaluation/evaluate";
import { compareOutcomes, type Comparison } from "../evaluation/compare";
import { lossSettings } from "../evaluation/pairLossValue";
import { writeFileAtomically } from "../files/atomic";
import { writeDirectoryAtomically } from "../files/directory";
import { checkpointsDir, metricsDir } from "../files/paths";
import { lockRun } from "../runs/lock";
import { readScoreLines, SCORES_FILE, SEEDS_FILE } from "../runs/runFiles";
import { pairOfLine } from "../runs/scoreLines";
import type { SeedsFile } from "../runs/seedsSchema";
import { rewardDeltas, type ScoredPair } from "../scoring/scoredPair";
import { meanPairs } from "../scoring/uncertainty";
import { crossedMean } from "../statistics/crossed";
import { trainRewardModel, type TrainingHooks, type TrainingResult } from "../training";
import { loadSplit, openRequest, type SplitData, type TrainingRequest } from "./data";
import { lossRecord } from "./lossRecord";
import { refuseToReplace } from "./start";

/** What `trainSeeds` returns. */
export interface SeedsResult {
  readonly run: string;
  readonly metricsDir: string;
  /** The best seed's model, a Hugging Face directory; the ensemble lies beside it. */
  readonly checkpoint: string;
  /** One result a seed. Fewer than seeds where training was interrupted; then `summary` is null. */
  readonly results: readonly TrainingResult[];
  readonly summary: SeedsSummary | null;
}

/** What the seeds say together. */
export interface SeedsSummary {
  /** `seeds.json`. */
  readonly file: SeedsFile;
  readonly best: TrainingResult;
  readonly ensemble: Evaluation;
  /** The ensemble against a seed taken by chance, on the same pairs. */
  readonly gain: Comparison;
}

/**
 * Seeds from what a command line says: `5` is five from the run's seed on, `1,2,7` a list.
 *
 * @throws UsageError for fewer than two, or one that stands twice
 * @example
 * ```ts
 * parseSeeds("3", 42); // → [42, 43, 44]
 * ```
 */
export function parseSeeds(text: string, first: number): number[] {
  const numbers = text.split(",").map((word) => (/^\s*\d+\s*$/.test(word) ? Number(word) : NaN));
  const seeds = numbers.length === 1 ? Array.from({ length: numbers[0] || 0 }, (_, i) => first + i) : numbers;
  if (seeds.length >= 2 && seeds.every(Number.isSafeInteger) && new Set(seeds).size === seeds.length) return seeds;
  throw new UsageError(
    `--seeds: expected a number of seeds from 2 on, or two different seeds or more with commas between, got ${JSON.stringify(text)}; see --help`,
  );
}

/** The run of one seed. */
const seedRun = (run: string, seed: number): string => `${run}-seed${seed}`;

/** Hooks, and the seed whose training begins. */
export type SeedsHooks = TrainingHooks & { readonly onSeed?: (seed: number, index: number) => void };

/** Going on with seeds never replaces a model that was trained alone. @throws UsageError */
function refuseSingle({ run, resume }: TrainingConfig): void {
  const found = [join(metricsDir(run), "train_steps.jsonl"), join(checkpointsDir(run), "last")].find(existsSync);
  if (!resume || found === undefined || existsSync(join(metricsDir(run), SEEDS_FILE))) return;
  throw new UsageError(
    `run ${run}: expected a run of several seeds to go on with, got one that was trained alone (${found}); leave out --seeds, or give another --run`,
  );
}

/**
 * Trains a model a seed on the same split and says what they reach together: mean and spread of the accuracy with an interval
 * that holds both another draw of pairs and another draw of seeds, the best model, and the ensemble of all.
 *
 * The split is that of the request's own seed; a seed decides the order of the pairs, a fresh head and dropout. With a frozen
 * encoder the texts go through it once.
 *
 * @throws what `trainRewardModel` throws; UsageError where one of the runs' names is taken
 * @example
 * ```ts
 * const several = await trainSeeds({ pairs: "pairs.jsonl", run: "five" }, parseSeeds("5", 42));
 * console.log(several);
 * ```
 */
export async function trainSeeds(
  request: TrainingRequest,
  seeds: readonly number[],
  hooks: SeedsHooks = {},
): Promise<SeedsResult> {
  const { config, data } = openRequest(request);
  const lock = lockRun(config.run);
  try {
    return await trainEach({ config, data, seeds }, hooks);
  } finally {
    lock.release();
  }
}

async function trainEach(
  { config, data, seeds }: { config: TrainingConfig; data: SplitData | null; seeds: readonly number[] },
  hooks: SeedsHooks,
): Promise<SeedsResult> {
  const say = (text: string) => hooks.onMessage?.(text);
  const runs = seeds.map((seed) => seedRun(config.run, seed));
  refuseSingle(config);
  for (const run of [config.run, ...runs]) refuseToReplace({ ...config, run }, say);
  const split = data ?? (await loadSplit(config));
  if (config.overwrite && !config.resume)
    for (const dir of [metricsDir(config.run), checkpointsDir(config.run)])
      rmSync(dir, { recursive: true, force: true });
  const done = { run: config.run, metricsDir: metricsDir(config.run), checkpoint: placeOf(config, "best") };
  const results: TrainingResult[] = [];
  for (const [i, seed] of seeds.entries()) {
    hooks.onSeed?.(seed, i);
    results.push(await trainRewardModel({ ...config, ...split, seed, run: runs[i] }, hooks));
    if (results[i].interrupted) return { ...done, results, summary: null };
  }
  return { ...done, results, summary: await sumUp({ config, split, seeds, results }) };
}

const placeOf = (config: TrainingConfig, name: string): string => join(checkpointsDir(config.run), name);

interface Trained {
  readonly config: TrainingConfig;
  readonly split: SplitData;
  readonly seeds: readonly number[];
  readonly results: readonly TrainingResult[];
}

async function sumUp({ config, split, seeds, results }: Trained): Promise<SeedsSummary> {
  const lists = results.map((result) => scoredBy(result, split, config));
  const outcomes = lists.map((list) => rewardDeltas(list).map(correctness));
  const clusters = lists[0].map(({ promptKey }) => promptKey);
  const together = meanPairs(lists);
  const ensemble = evaluateScores(together, { temperature: "fit", loss: lossSettings(lossRecord(config)) });
  const average = clusters.map((_, i) => outcomes.reduce((sum, own) => sum + own[i], 0) / outcomes.length);
  const gain = compareOutcomes(rewardDeltas(together).map(correctness), Float64Array.from(average), clusters);
  const best = bestOf(results);
  const file: SeedsFile = {
    run: config.run,
    best: results[best].run,
    n_pairs: clusters.length,
    n_prompts: ensemble.n_prompts,
    accuracy: spreadOf(outcomes, clusters),
    seeds: results.map(({ run, evaluation }, i) => ({
      seed: seeds[i],
      run,
      accuracy: evaluation.accuracy,
      accuracy_ci95: evaluation.accuracy_ci95,
    })),
    ensemble: {
      checkpoint: placeOf(config, "ensemble"),
      accuracy: ensemble.accuracy,
      accuracy_ci95: ensemble.accuracy_ci95,
      loss: ensemble.loss,
      ece_symmetric: ensemble.ece_symmetric,
      temperature: ensemble.temperature,
    },
  };
  await writeEnsemble(file.ensemble.checkpoint, {
    kind: sharesEncoder(config) ? "heads" : "models",
    best,
    temperature: ensemble.temperature,
    members: results.map(({ run, checkpoint }, i) => ({ seed: seeds[i], run, checkpoint, level: levelOf(lists[i]) })),
  });
  await keepBest(config, { best: results[best], file, ensemble });
  return { file, best: results[best], ensemble, gain };
}

/** Whether all seeds have the same encoder, of which one copy is enough. */
const sharesEncoder = ({ freeze, lora_rank, architecture }: TrainingConfig): boolean =>
  freeze === "head-only" && lora_rank === 0 && architecture === "separate";

/** The validation pairs with what the best checkpoint of a run gave them. */
function scoredBy({ metricsDir: dir }: TrainingResult, { val }: SplitData, { beta }: TrainingConfig): ScoredPair[] {
  const lines = readScoreLines(join(dir, SCORES_FILE));
  return lines.map((line, i) => {
    const weight = 1 + beta * (val[i]?.confidencePenalty ?? 0);
    return { ...pairOfLine(line), weight, margin: val[i]?.margin };
  });
}

const levelOf = (pairs: readonly ScoredPair[]): number =>
  pairs.reduce((sum, { chosenScore, rejectedScore }) => sum + (chosenScore + rejectedScore) / 2, 0) / pairs.length;

/** By accuracy, then by the smaller loss, then the first. */
function bestOf(results: readonly TrainingResult[]): number {
  const better = (a: Evaluation, b: Evaluation) =>
    a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.loss < b.loss);
  return results.reduce((best, { evaluation }, i) => (better(evaluation, results[best].evaluation) ? i : best), 0);
}

function spreadOf(outcomes: readonly Float64Array[], clusters: readonly string[]): SeedsFile["accuracy"] {
  const { estimate, low, high, standardError, degrees } = crossedMean(outcomes, clusters, { reference: 0.5 });
  const means = outcomes.map((own) => own.reduce((a, b) => a + b, 0) / own.length);
  const squares = means.reduce((sum, one) => sum + (one - estimate) ** 2, 0);
  return {
    mean: estimate,
    sd: Math.sqrt(squares / (means.length - 1)),
    ci95: [Math.max(0, low), Math.min(1, high)],
    standard_error: standardError,
    degrees_of_freedom: degrees,
  };
}

/** The best seed's files under the run's own name, and what the seeds say beside them. */
async function keepBest(
  config: TrainingConfig,
  { best, file, ensemble }: { best: TrainingResult; file: SeedsFile; ensemble: Evaluation },
): Promise<void> {
  await writeDirectoryAtomically(placeOf(config, "best"), (temporary) => linkDirectory(best.checkpoint, temporary));
  const dir = metricsDir(config.run);
  // Whole before it takes the name: without what the seeds say it would be a run that was trained alone.
  const next = join(dirname(dir), `.${config.run}.next`);
  rmSync(next, { recursive: true, force: true });
  // Copies: a log grows in place, and the seed's own run may go on.
  await cp(best.metricsDir, next, { recursive: true });
  await writeFileAtomically(join(next, "ensemble_evaluation.json"), `${JSON.stringify(ensemble, null, 2)}\n`);
  await writeFileAtomically(join(next, SEEDS_FILE), `${JSON.stringify(file, null, 2)}\n`);
  rmSync(dir, { recursive: true, force: true });
  renameSync(next, dir);
}
