// In: split pairs and the configuration. Out: the run under way, with all that its first step needs, or one clear error before
// anything is written.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TrainingConfig } from "../config";
import { buildDataset, type PairDataset } from "../dataset";
import { initBackend, type BackendInfo } from "../engine/backend";
import { resolvePrecision } from "../scoring/score";
import { parseModelConfig, type ModelConfig } from "../models/config";
import { fusesAttention } from "../models/attention";
import { createMonitor, type Warning } from "./monitor";
import { readingNotes } from "../pairs/read";
import { writeRejectedRows } from "../pairs/rejectedRows";
import { textPositions, type LoadedModel } from "../checkpoints/checkpoint";
import { findModel } from "../checkpoints/findModel";
import { openMetricsLog, type MetricsLog } from "../runs/metricsLog";
import { readJsonFile } from "../files/json";
import { createTrainingPlan, type TrainingPlan } from "../batching/trainingPlan";
import { checkData, loadSplit, openRequest, type TrainingPairs, type TrainingRequest } from "./data";
import { describeEnvironment } from "./environment";
import { createEpochSteps } from "./epochSteps";
import { loadTrainedModel, type TrainedModel } from "./model";
import { findStart, type Start } from "./start";
import { restoreOptimizer } from "./state";
import type { RunArtefacts, TrainingHooks, TrainingRun } from "./run";

/**
 * Reads and checks all input, loads the model, tokenises, plans the batches and opens the log.
 *
 * @throws InputError, UsageError before any file of the run is touched
 */
export async function prepareRun(
  request: TrainingRequest,
  hooks: TrainingHooks,
  artefacts: RunArtefacts,
): Promise<TrainingRun> {
  const say = (text: string) => hooks.onMessage?.(text);
  const opened = openRequest(request);
  const config = fitMaxLength(opened.config, say);
  const backend = await initBackend();
  const precision = await resolvePrecision(config.precision);
  say(
    `backend: ${backend.name} ${backend.version}, ${backend.threads} threads${backend.gpu ? `, ${backend.gpu}` : ""}, ${precision}`,
  );
  const pairs = await checkData(opened.data ?? (await loadSplit(config)));
  announce(pairs, say);
  const start = await findStart(config, pairs.record, say);
  const { state, resumeFrom } = start;
  const model = await loadTrainedModel(config, { precision, resumeFrom });
  const { loaded, directory, sharesTrunk } = model;
  if (!resumeFrom)
    say(`model: ${directory}, ${loaded.model.config.modelType}${loaded.model.freshHead ? ", fresh head" : ""}`);
  const datasets = await tokenisePairs(pairs, config, loaded);
  announceTruncation(datasets, config, say);
  const plan = planUpdates(datasets.dataset, config, loaded.model.config);
  const dataRecord = recordOf(pairs, datasets);
  const log = await openLog({ config, backend, pairs, start, model, dataRecord });
  const run = assembleRun({
    config,
    hooks,
    artefacts,
    say,
    backend,
    precision,
    loaded,
    ...datasets,
    val: pairs.val,
    plan,
    state,
    log,
    dataRecord,
    sharesTrunk,
  });
  if (resumeFrom) {
    await restoreOptimizer(resumeFrom, run.stepFor(state.epoch).optimizer);
    say(`resumed after step ${state.step} from ${resumeFrom}`);
  }
  return run;
}

/** The configured maximum length, or the model's own where that is smaller. */
function fitMaxLength(config: TrainingConfig, say: (text: string) => void): TrainingConfig {
  const path = join(findModel(config.model), "config.json");
  if (!existsSync(path)) return config; // loading the model says so
  const positions = textPositions(parseModelConfig(readJsonFile(path), path));
  if (config.max_length <= positions) return config;
  say(`max_length: ${config.max_length} is more than the model's ${positions} positions; using ${positions}`);
  return { ...config, max_length: positions };
}

type Datasets = Pick<TrainingRun, "dataset" | "valDataset">;

async function tokenisePairs(
  pairs: TrainingPairs,
  config: TrainingConfig,
  { tokenizer, settings }: LoadedModel,
): Promise<Datasets> {
  const margin = config.loss === "scaled" && config.margin === 0 ? 1 : config.margin;
  const encoding = { ...settings, beta: config.beta, margin };
  const dataset = await buildDataset(pairs.train, tokenizer, encoding);
  return { dataset, valDataset: await buildDataset(pairs.val, tokenizer, { ...encoding, locateCuts: true }) };
}

/** The steps of all epochs: which pairs, in which order and rows. */
export const planUpdates = ({ tokens }: PairDataset, config: TrainingConfig, model: ModelConfig): TrainingPlan =>
  createTrainingPlan(tokens, {
    batchSize: config.batch_size,
    gradientAccumulation: config.gradient_accumulation,
    tokensPerBatch: config.tokens_per_batch,
    seed: config.seed,
    epochs: config.epochs,
    linkedPairs: config.linked_pairs,
    longRows: fusesAttention(model, config.dropout),
  });

/** `data.json`. */
const recordOf = (pairs: TrainingPairs, { dataset, valDataset }: Datasets): Record<string, unknown> => ({
  ...pairs.record,
  counts: { train: pairs.train.length, val: pairs.val.length, test: pairs.test.length },
  truncation: { train: dataset.truncation, val: valDataset.truncation },
});

/** Opens the run's log with what is known before the first step. */
async function openLog({
  config,
  backend,
  pairs,
  start,
  model,
  dataRecord,
}: {
  readonly config: TrainingConfig;
  readonly backend: BackendInfo;
  readonly pairs: TrainingPairs;
  readonly start: Start;
  readonly model: TrainedModel;
  readonly dataRecord: Record<string, unknown>;
}): Promise<MetricsLog> {
  const log = openMetricsLog(config.run, start.resumeFrom ? start.state.step : undefined);
  log.write("config.json", { ...config, model: model.directory === start.resumeFrom ? config.model : model.directory });
  log.write("environment.json", describeEnvironment(backend));
  log.write("data.json", dataRecord);
  for (const report of pairs.reports) await writeRejectedRows(report, log.dir);
  log.replace(
    "val_pairs.jsonl",
    pairs.val.map((pair) => pair.raw),
  );
  if (pairs.test.length)
    log.replace(
      "test_pairs.jsonl",
      pairs.test.map((pair) => pair.raw),
    );
  return log;
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
    monitor: createMonitor({ truncatedShare: dataset.truncation.pairs / dataset.size }),
    warnings,
    finished: false,
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

function announce(pairs: TrainingPairs, say: (text: string) => void): void {
  for (const report of pairs.reports) {
    const left = Object.entries(report.counts).map(([reason, n]) => `${n} ${reason}`);
    say(
      `${report.path}: ${report.format}, ${report.used} of ${report.rows} pairs used${left.length ? ` (left out: ${left.join(", ")})` : ""}`,
    );
    for (const note of readingNotes(report)) say(`${report.path}: ${note}`);
  }
  const leaks = pairs.record.near_duplicates_across_splits;
  if (leaks)
    say(
      `split: ${leaks} prompts nearly alike stand in different splits; rewardbook split --keep-near-duplicates keeps them together`,
    );
  say(
    `pairs: ${pairs.train.length} to train, ${pairs.val.length} to validate${pairs.test.length ? `, ${pairs.test.length} to test` : ""}`,
  );
}

function announceTruncation(
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
