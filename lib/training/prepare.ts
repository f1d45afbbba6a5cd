// In: an opened run. Out: the run under way, with all that its first step needs, or one clear error before anything is written.
import { rmSync } from "node:fs";
import type { TrainingConfig } from "../config";
import { buildDataset, type PairDataset } from "../dataset";
import { isDecoder, type ModelConfig } from "../models/config";
import { fusesAttention } from "../models/attention";
import { createMonitor } from "./monitor";
import type { Warning } from "../runs/records";
import type { PreferencePair } from "../pairs/pair";
import { writeRejectedRows } from "../pairs/rejectedRows";
import type { LoadedModel } from "../checkpoints/checkpoint";
import { checkpointsDir, placeInProject } from "../files/paths";
import { setAsideDamaged } from "./checkpoints";
import { openMetricsLog, type MetricsLog } from "../runs/metricsLog";
import { createTrainingPlan, type TrainingPlan } from "../batching/trainingPlan";
import type { TrainingPairs } from "./data";
import { describeEnvironment } from "./environment";
import { createEpochSteps } from "./epochSteps";
import { loadTrainedModel, type TrainedModel } from "./model";
import type { OpenedRun } from "./open";
import { replayLog } from "./replay";
import type { Start } from "./start";
import { restoreOptimizer } from "./state";
import type { RunArtefacts, TrainingHooks, TrainingRun } from "./run";

/**
 * Loads the model of an opened run, tokenises, plans the batches and opens the log.
 *
 * @throws InputError, UsageError before any file of the run is touched
 */
export async function prepareRun(
  opened: OpenedRun,
  hooks: TrainingHooks,
  artefacts: RunArtefacts,
): Promise<TrainingRun> {
  const say = (text: string) => hooks.onMessage?.(text);
  const { config, backend, precision, pairs, start } = opened;
  const { state, resumeFrom } = start;
  const model = await loadTrainedModel(config, { precision, resumeFrom, quiet: hooks.quiet });
  const { loaded, directory, sharesTrunk } = model;
  if (!resumeFrom)
    say(
      `model: ${placeInProject(directory)}, ${loaded.model.config.modelType}${loaded.model.freshHead ? ", fresh head" : ""}`,
    );
  const datasets = await tokenisePairs(pairs, config, loaded);
  announceTruncation(datasets, config, say);
  const plan = planUpdates(datasets.dataset, config, loaded.model.config);
  const dataRecord = recordOf(pairs, datasets);
  const log = await openLog(opened, model, dataRecord);
  const run = assembleRun({
    config,
    hooks,
    artefacts,
    say,
    backend,
    precision,
    loaded,
    ...datasets,
    trainId: (pair) => pairs.train[pair].id,
    val: pairs.val,
    plan,
    state,
    log,
    dataRecord,
    sharesTrunk,
  });
  if (resumeFrom) await goOn(run, start);
  return run;
}

/** Puts back what the saved state holds beside the weights: the moments, and what the monitor has seen. */
async function goOn(run: TrainingRun, { state, resumeFrom, goesFurther }: Start): Promise<void> {
  const { config, log } = run;
  const { optimizer } = run.stepFor(Math.min(state.epoch, config.epochs));
  await restoreOptimizer(resumeFrom!, optimizer, { thawed: config.freeze === "gradual" && state.epoch_step === 0 });
  if (goesFurther) log.forgetEpoch(state.epoch);
  run.warnings.push(...replayLog(run.monitor, log.dir, run.val));
  run.say(`resumed after step ${state.step} from ${resumeFrom}`);
}

type Datasets = Pick<TrainingRun, "dataset" | "valDataset">;

/** The pairs of a run as token ids, weights and margins. */
export async function tokenisePairs(
  pairs: Pick<TrainingPairs, "train" | "val">,
  config: TrainingConfig,
  { tokenizer, settings }: Pick<LoadedModel, "tokenizer" | "settings">,
): Promise<Datasets> {
  const margin = config.loss === "scaled" && config.margin === 0 ? 1 : config.margin;
  const encoding = { ...settings, beta: config.beta, margin };
  const dataset = await buildDataset(pairs.train, tokenizer, encoding);
  return { dataset, valDataset: await buildDataset(pairs.val, tokenizer, { ...encoding, locateCuts: true }) };
}

/**
 * The steps of all epochs: which pairs, in which order and rows.
 *
 * @example
 * ```ts
 * const plan = planUpdates(dataset, config, model.config);
 * console.log(plan.epoch(1).length, "updates in the first epoch");
 * ```
 */
export const planUpdates = ({ tokens }: PairDataset, config: TrainingConfig, model: ModelConfig): TrainingPlan =>
  createTrainingPlan(tokens, {
    // Exact but for dropout, whose masks two texts would then have in common.
    beginnings:
      isDecoder(model) && fusesAttention(model, false) && !config.dropout && config.lora_dropout === 0
        ? tokens
        : undefined,
    batchSize: config.batch_size,
    gradientAccumulation: config.gradient_accumulation,
    tokensPerBatch: config.tokens_per_batch,
    seed: config.seed,
    epochs: config.epochs,
    linkedPairs: config.linked_pairs,
    longRows: fusesAttention(model, config.dropout),
  });

/** `data.json`. */
export const recordOf = (pairs: TrainingPairs, { dataset, valDataset }: Datasets): Record<string, unknown> => ({
  ...pairs.record,
  counts: { train: pairs.train.length, val: pairs.val.length, test: pairs.test.length },
  truncation: { train: dataset.truncation, val: valDataset.truncation },
});

/** Opens the run's log with what is known before the first step. */
async function openLog(
  { config, backend, pairs, start }: OpenedRun,
  model: TrainedModel,
  dataRecord: Record<string, unknown>,
): Promise<MetricsLog> {
  const { state, resumeFrom } = start;
  if (resumeFrom) setAsideDamaged(config.run, resumeFrom);
  else rmSync(checkpointsDir(config.run), { recursive: true, force: true });
  const log = openMetricsLog(config.run, resumeFrom ? state.logs : undefined);
  log.write("config.json", { ...config, model: model.directory === resumeFrom ? config.model : model.directory });
  log.write("environment.json", describeEnvironment(backend));
  await writeData(log, pairs, dataRecord);
  return log;
}

/** What a run is trained and validated on, as its folder keeps it. */
export async function writeData(
  log: MetricsLog,
  pairs: TrainingPairs,
  dataRecord: Record<string, unknown>,
): Promise<void> {
  log.write("data.json", dataRecord);
  for (const report of pairs.reports) await writeRejectedRows(report, log.dir);
  log.replace("val_pairs.jsonl", rawOf(pairs.val));
  if (pairs.test.length) log.replace("test_pairs.jsonl", rawOf(pairs.test));
}

/** Rows as they were read, one at a time. */
function* rawOf(pairs: readonly PreferencePair[]): Generator<object> {
  for (const { raw } of pairs) yield raw;
}

type Prepared = Pick<
  TrainingRun,
  | "config"
  | "hooks"
  | "artefacts"
  | "say"
  | "backend"
  | "precision"
  | "loaded"
  | "dataset"
  | "trainId"
  | "valDataset"
  | "val"
  | "plan"
  | "state"
  | "log"
  | "dataRecord"
  | "sharesTrunk"
>;

function assembleRun(prepared: Prepared): TrainingRun {
  const { config, loaded, dataset, plan, log, valDataset, say } = prepared;
  const { dispose: disposeSteps, ...steps } = createEpochSteps(prepared);
  const warnings: Warning[] = [];
  const allSteps = plan.updatesPerEpoch * config.epochs;
  const started = performance.now();
  let pairsDone = 0;
  return {
    ...prepared,
    ...steps,
    totalSteps: config.max_steps > 0 ? Math.min(config.max_steps, allSteps) : allSteps,
    trainedParameters: () =>
      (steps.currentStep()?.trainable ?? []).reduce((sum, name) => sum + loaded.model.parameters.get(name)!.size, 0),
    peakMemoryMb: () => process.resourceUsage().maxRSS / 1024,
    monitor: createMonitor({ truncatedShare: dataset.truncation.pairs / dataset.size }),
    warnings,
    health: { skippedInRow: 0, lastFinite: prepared.state.step, lastSaved: prepared.state.step },
    warn: (found) => {
      for (const warning of found) {
        warnings.push(warning);
        log.append("warnings.jsonl", warning);
        say(`warning: ${warning.message}; ${warning.advice}`);
      }
    },
    rate: (pairs) => (pairsDone += pairs) / ((performance.now() - started) / 1000),
    dispose: () => {
      disposeSteps();
      loaded.model.dispose();
      dataset.tokens.close();
      valDataset.tokens.close();
    },
  };
}

/** Says how many pairs were cut. */
export function announceTruncation(
  { dataset, valDataset }: Datasets,
  config: TrainingConfig,
  say: (text: string) => void,
): void {
  for (const [name, { truncation, size }] of [
    ["training", dataset],
    ["validation", valDataset],
  ] as const) {
    if (truncation.pairs)
      say(
        `${name}: ${truncation.pairs} of ${size} pairs longer than ${config.max_length} tokens; ${truncation.tokens_cut} tokens cut`,
      );
  }
}
