// In: the configuration. Out: everything the first step needs, or one clear error before anything is written.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TrainingConfig } from "../config";
import { buildDataset, type PairDataset } from "../dataset";
import { initBackend, type BackendInfo } from "../engine/backend";
import { UsageError } from "../errors";
import { xlaPays } from "../engine/xlaPays";
import { createScorer, resolvePrecision, type Scorer } from "../evaluation/score";
import { parseModelConfig, type ModelConfig } from "../models/config";
import { gradualFreeze, trainableNames } from "../models/freeze";
import { attachLora } from "../models/lora";
import { countParameters, embeddingSize, type RewardModel } from "../models/rewardModel";
import { createMonitor, type Monitor, type Warning } from "../monitoring";
import type { PreferencePair } from "../pairs/pair";
import { writeRejectedRows } from "../pairs/read";
import { loadRewardModel, textPositions, type LoadedModel } from "../storage/checkpoint";
import { findModel } from "../storage/findModel";
import { readJsonFile } from "../storage/settings";
import { openMetricsLog, type MetricsLog } from "../storage/metricsLog";
import { createTrainingPlan, type BatchShape, type TrainingPlan } from "../text/trainingPlan";
import type { TrainingHooks } from "../training";
import { findResumePoint } from "./checkpoints";
import { readTrainingPairs, type TrainingPairs } from "./data";
import { describeEnvironment } from "./environment";
import { readTrainingState, restoreAdapted, restoreOptimizer, type TrainingState } from "./state";
import { openFrozenEncoder, type FrozenEncoder } from "./frozenEncoder";
import { createFrozenStep, isHeadOnly, type FrozenStep } from "./frozenStep";
import { createTrainingStep, type TrainingStep } from "./step";

/** A step that may be able to take several updates at once. */
export type RunStep = TrainingStep & Partial<Pick<FrozenStep, "runTogether">>;

/** A training under way. */
export interface TrainingRun {
  readonly config: TrainingConfig;
  readonly backend: BackendInfo;
  readonly precision: "bf16" | "f32";
  readonly loaded: LoadedModel;
  readonly dataset: PairDataset;
  readonly val: readonly PreferencePair[];
  readonly valDataset: PairDataset;
  readonly scorer: Scorer;
  readonly plan: TrainingPlan;
  readonly totalSteps: number;
  readonly log: MetricsLog;
  /** `data.json`. */
  readonly dataRecord: Record<string, unknown>;
  /** Only head and low-rank updates are saved; the trunk stays the policy's. */
  readonly sharesTrunk: boolean;
  readonly monitor: Monitor;
  readonly warnings: Warning[];
  readonly state: TrainingState;
  /** Set when the last step is done before the last epoch: a step limit or early stopping. */
  finished: boolean;
  /** The compiled step for what trains in this epoch. */
  stepFor(epoch: number): RunStep;
  currentStep(): TrainingStep | null;
  warn(warnings: readonly Warning[], hooks: TrainingHooks): void;
  /** Pairs a second since the start of this process's training, compilation included. */
  rate(pairs: number): number;
  dispose(): void;
}

const newState = (fingerprint: string): TrainingState => ({
  step: 0,
  epoch: 1,
  epoch_step: 0,
  num_tokens: 0,
  train_seconds: 0,
  pairs_seen: 0,
  epoch_sums: { loss: 0, correct: 0, pairs: 0 },
  stopping: { accuracy: -1, ece: 1, epoch: 0, step: 0, train_accuracy: null, since: 0 },
  fingerprint,
});

const isCausalLanguageModel = ({ raw }: ModelConfig): boolean =>
  Array.isArray(raw.architectures) && raw.architectures.some((name) => String(name).endsWith("ForCausalLM"));

/** The configured maximum length, or the model's own where that is smaller. */
function fitMaxLength(config: TrainingConfig, say: (text: string) => void): TrainingConfig {
  const path = join(findModel(config.model), "config.json");
  if (!existsSync(path)) return config; // loading the model says so
  const positions = textPositions(parseModelConfig(readJsonFile(path), path));
  if (config.max_length <= positions) return config;
  say(`max_length: ${config.max_length} is more than the model's ${positions} positions; using ${positions}`);
  return { ...config, max_length: positions };
}

/** What must be the same for a run to be gone on with: everything but names, limits and reporting. */
function runFingerprint(config: TrainingConfig, data: Record<string, unknown>): string {
  const { run: _run, resume: _resume, gate: _gate, patience: _patience, save_steps: _save, ...decisive } = config;
  return createHash("sha256").update(JSON.stringify([decisive, data])).digest("hex");
}

/**
 * Reads and checks all input, loads the model, tokenises, plans the batches and opens the log.
 *
 * @throws InputError, UsageError before any file of the run is touched
 */
export async function prepareRun(given: TrainingConfig, hooks: TrainingHooks): Promise<TrainingRun> {
  const say = (text: string) => hooks.onMessage?.(text);
  const config = fitMaxLength(given, say);
  const backend = await initBackend();
  const precision = await resolvePrecision(config.precision);
  say(`backend: ${backend.name} ${backend.version}, ${backend.threads} threads${backend.gpu ? `, ${backend.gpu}` : ""}, ${precision}`);
  const pairs = await readTrainingPairs(config);
  announce(pairs, say);

  const fingerprint = runFingerprint(config, pairs.record);
  const resumeFrom = config.resume ? await findResumePoint(config.run, fingerprint, say) : null;
  const state = resumeFrom ? readTrainingState(resumeFrom) : newState(fingerprint);
  const adapted = config.lora_rank > 0;
  const sharesTrunk = config.architecture === "shared" && (adapted || config.freeze === "head-only");
  // Low-rank updates and a head alone go on the base they began with.
  const directory = resumeFrom && !adapted && !sharesTrunk ? resumeFrom : findModel(config.model);
  const loaded = await loadRewardModel(directory, {
    seed: config.seed,
    head: config.head === "auto" ? undefined : config.head,
    settings: { template: config.template, max_length: config.max_length, truncation: config.truncation },
    storage: precision === "bf16" && (adapted || config.freeze === "head-only") ? "as-stored" : "f32",
  });
  if (adapted) {
    const targets = config.lora_targets === "auto" ? undefined : config.lora_targets.split(",").map((name) => name.trim());
    attachLora(loaded.model, { rank: config.lora_rank, alpha: config.lora_alpha, dropout: config.lora_dropout, targets, seed: config.seed });
  }
  if (resumeFrom && directory !== resumeFrom) await restoreAdapted(resumeFrom, loaded.model);
  if (config.architecture === "shared" && !isCausalLanguageModel(loaded.model.config)) {
    throw new UsageError(`architecture: expected a …ForCausalLM directory for a shared trunk, got ${directory}; leave --architecture separate`);
  }
  if (!resumeFrom) say(`model: ${directory}, ${loaded.model.config.modelType}${loaded.model.freshHead ? ", fresh head" : ""}`);

  const margin = config.loss === "scaled" && config.margin === 0 ? 1 : config.margin;
  const encoding = { ...loaded.settings, beta: config.beta, margin };
  const dataset = await buildDataset(pairs.train, loaded.tokenizer, encoding);
  const valDataset = await buildDataset(pairs.val, loaded.tokenizer, encoding);
  for (const [name, { truncation, size }] of [["training", dataset], ["validation", valDataset]] as const) {
    if (truncation.pairs) say(`${name}: ${truncation.pairs} of ${size} pairs longer than ${config.max_length} tokens; ${truncation.tokens_cut} tokens cut`);
  }
  const plan = createTrainingPlan(dataset.tokens, {
    batchSize: config.batch_size,
    gradientAccumulation: config.gradient_accumulation,
    tokensPerBatch: config.tokens_per_batch,
    seed: config.seed,
    epochs: config.epochs,
    linkedPairs: config.linked_pairs,
  });
  const allSteps = plan.updatesPerEpoch * config.epochs;

  const log = openMetricsLog(config.run, resumeFrom ? state.step : undefined);
  log.write("config.json", { ...config, model: directory === resumeFrom ? config.model : directory });
  log.write("environment.json", describeEnvironment(backend));
  const dataRecord = {
    ...pairs.record,
    counts: { train: pairs.train.length, val: pairs.val.length, test: pairs.test.length },
    truncation: { train: dataset.truncation, val: valDataset.truncation },
  };
  log.write("data.json", dataRecord);
  for (const report of pairs.reports) await writeRejectedRows(report, log.dir);
  log.replace("val_pairs.jsonl", pairs.val.map((pair) => pair.raw));
  if (pairs.test.length) log.replace("test_pairs.jsonl", pairs.test.map((pair) => pair.raw));

  const common = { config, backend, precision, loaded, dataset, valDataset, val: pairs.val, plan, state, log, dataRecord, sharesTrunk };
  const run = assembleRun({ ...common, totalSteps: config.max_steps > 0 ? Math.min(config.max_steps, allSteps) : allSteps });
  if (resumeFrom) {
    await restoreOptimizer(resumeFrom, run.stepFor(state.epoch).optimizer);
    say(`resumed after step ${state.step} from ${resumeFrom}`);
  }
  return run;
}

type Prepared = Pick<
  TrainingRun,
  "config" | "backend" | "precision" | "loaded" | "dataset" | "valDataset" | "val" | "plan" | "state" | "log" | "dataRecord" | "sharesTrunk" | "totalSteps"
>;

function assembleRun(prepared: Prepared): TrainingRun {
  const { config, precision, loaded, dataset, plan, log, valDataset } = prepared;
  const padId = loaded.tokenizer.padId;
  const scorer = createScorer(loaded.model, padId, { precision, tokensPerBatch: config.tokens_per_batch });
  const warnings: Warning[] = [];
  const fused = shapesWorthFusing(loaded.model, plan);
  let step: { rule: string; step: RunStep } | null = null;
  let frozen: FrozenEncoder | null = null;
  const started = performance.now();
  let pairsDone = 0;
  const ruleAt = (epoch: number) => (config.freeze === "gradual" ? gradualFreeze(loaded.model.config, epoch) : config.freeze);
  const stepFor = (epoch: number): RunStep => {
    const rule = ruleAt(epoch);
    if (step?.rule === rule) return step.step;
    const trainable = [...trainableNames(loaded.model, rule)];
    const options = { model: loaded.model, trainable, dataset, config, precision, padId, fused };
    frozen?.dispose();
    // A frozen encoder gives a text the same vector every time; with dropout it would not.
    const plan = { precision, padId, tokensPerBatch: config.tokens_per_batch };
    frozen = !config.dropout && isHeadOnly(loaded.model, trainable) ? openFrozenEncoder(loaded, plan) : null;
    const next: RunStep = frozen ? createFrozenStep({ ...options, ...frozen.plan }) : createTrainingStep(options);
    if (step) {
      // What goes on training keeps its moments; what thaws starts with none.
      const moments = step.step.optimizer.state();
      next.optimizer.restore(new Map([...next.optimizer.state()].map(([name, fresh]) => [name, moments.get(name) ?? fresh])));
      step.step.dispose();
    }
    step = { rule, step: next };
    return next;
  };
  return {
    ...prepared,
    scorer: { score: (tokens, options) => (frozen?.scorer ?? scorer).score(tokens, options), dispose: () => scorer.dispose() },
    monitor: createMonitor({ truncatedShare: dataset.truncation.pairs / dataset.size }),
    warnings,
    finished: false,
    stepFor,
    currentStep: () => step?.step ?? null,
    warn: (found, hooks) => {
      for (const warning of found) {
        warnings.push(warning);
        log.append("warnings.jsonl", warning);
        hooks.onMessage?.(`warning: ${warning.message}; ${warning.advice}`);
      }
    },
    rate: (pairs) => (pairsDone += pairs) / ((performance.now() - started) / 1000),
    dispose: () => {
      step?.step.dispose();
      frozen?.dispose();
      scorer.dispose();
      loaded.model.dispose();
      dataset.tokens.close();
      valDataset.tokens.close();
    },
  };
}

/** The shapes whose graphs run often enough, over all epochs, to pay for their compilation. */
function shapesWorthFusing(model: RewardModel, { work }: TrainingPlan): Set<BatchShape> {
  const parameters = countParameters(model) - embeddingSize(model);
  return new Set([...work].filter(([, tokens]) => xlaPays({ parameters, tokens, training: true })).map(([shape]) => shape));
}

function announce(pairs: TrainingPairs, say: (text: string) => void): void {
  for (const report of pairs.reports) {
    const left = Object.entries(report.counts).map(([reason, n]) => `${n} ${reason}`);
    say(`${report.path}: ${report.format}, ${report.used} of ${report.rows} pairs used${left.length ? ` (left out: ${left.join(", ")})` : ""}`);
  }
  const leaks = pairs.record.near_duplicates_across_splits;
  if (leaks) say(`split: ${leaks} prompts nearly alike stand in different splits; rewardbook split --keep-near-duplicates keeps them together`);
  say(`pairs: ${pairs.train.length} to train, ${pairs.val.length} to validate${pairs.test.length ? `, ${pairs.test.length} to test` : ""}`);
}
