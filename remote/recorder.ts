// In: the events of a remote training. Out: the same files, warnings and hooks as of a local one.
import type { TrainingConfig } from "../lib/config";
import type { PreferencePair } from "../lib/pairs/pair";
import type { MetricsLog } from "../lib/runs/metricsLog";
import type { StepRecord, Warning } from "../lib/runs/records";
import { readLog } from "../lib/runs/runFiles";
import { toScoredPair } from "../lib/scoring/score";
import { isBroken } from "../lib/training/divergence";
import { createMonitor, type Monitor } from "../lib/training/monitor";
import type { TrainingHooks } from "../lib/training/run";
import type { TrainingState } from "../lib/training/state";
import { logValidation } from "../lib/training/validate";
import type { JobEvent, StartEvent, StepEvent, ValidationEvent } from "./events";

export interface RecorderOptions {
  readonly config: TrainingConfig;
  readonly log: MetricsLog;
  readonly state: TrainingState;
  readonly val: readonly PreferencePair[];
  readonly hooks: TrainingHooks;
  readonly say: (text: string) => void;
  /** Share of training pairs of which an answer was cut. */
  readonly truncatedShare: number;
}

/** Writes what a job tells. A job that goes on from a checkpoint tells some steps again: the newest word counts. */
export class Recorder {
  readonly monitor: Monitor;
  readonly warnings: Warning[] = [];
  /** What the job said when it began; null before. */
  started: StartEvent | null = null;
  /** Whether a validation was told with the rewards of all pairs. */
  validated = false;
  private steps: StepRecord[];
  /** Since the job began, or began anew. */
  private recent = { pairs: 0, seconds: 0 };

  constructor(private readonly options: RecorderOptions) {
    this.monitor = createMonitor({ truncatedShare: options.truncatedShare });
    this.steps = [...readLog(options.log.dir).steps];
    this.placeState();
  }

  take(event: JobEvent): void {
    if (event.event === "start") this.start(event);
    else if (event.event === "step") this.step(event);
    else if (event.event === "validation") this.validation(event);
    else if (event.event === "retry")
      this.options.say(`a worker was lost, Ray starts it anew${event.message ? `: ${event.message}` : ""}`);
  }

  readonly warn = (found: readonly Warning[]): void => {
    for (const warning of found) {
      this.warnings.push(warning);
      this.options.log.append("warnings.jsonl", warning);
      this.options.say(`warning: ${warning.message}; ${warning.advice}`);
    }
  };

  private start(event: StartEvent): void {
    this.started = event;
    this.recent = { pairs: 0, seconds: 0 };
    this.goBackTo(event.resumed_from_step);
    this.options.say(inWords(event));
  }

  private step(event: StepEvent): void {
    const { hooks, state, log } = this.options;
    if (event.step <= state.step) this.goBackTo(event.step - 1);
    const record = stepRecord(event, this.steps.at(-1));
    this.steps.push(record);
    log.append("train_steps.jsonl", record);
    this.recent = { pairs: this.recent.pairs + event.pairs, seconds: this.recent.seconds + event.seconds };
    this.addToState(record);
    if (!isBroken(record.loss, record.grad_norm)) this.warn(this.monitor.onStep(record));
    hooks.onStep?.(record);
    const totalSteps = this.started?.total_steps ?? record.step;
    const { loss, correct, pairs } = state.epoch_sums;
    const pairsPerSecond = this.recent.pairs / Math.max(this.recent.seconds, 1e-9);
    const secondsLeft = ((totalSteps - record.step) * record.pairs) / pairsPerSecond;
    const { step, epoch } = record;
    const means = { loss: loss / pairs, accuracy: correct / pairs };
    hooks.onProgress?.({ step, totalSteps, epoch, ...means, pairsPerSecond, secondsLeft });
  }

  private validation({ when, epoch, rewards }: ValidationEvent): void {
    const { val, state, config, log, hooks } = this.options;
    if (rewards?.length !== val.length) return;
    state.epoch = epoch;
    const scored = val.map((pair, i) => toScoredPair(pair, rewards[i][0], rewards[i][1], config.beta));
    const { monitor, warn } = this;
    const record = logValidation({ state, config, log, monitor, warn }, scored, when);
    this.validated = true;
    hooks.onValidation?.(record);
  }

  /** Drops what was logged after a step: it comes again. */
  private goBackTo(step: number): void {
    const { log } = this.options;
    const { steps, epochs, validations, warnings } = readLog(log.dir);
    const before = <R extends { readonly step: number }>(records: readonly R[]) =>
      records.filter((r) => r.step <= step);
    this.steps = before(steps);
    this.warnings.splice(0, this.warnings.length, ...before(warnings));
    log.replace("train_steps.jsonl", this.steps);
    log.replace("val_steps.jsonl", before(validations));
    log.replace("warnings.jsonl", this.warnings);
    for (const record of epochs) if (record.step > step) log.forgetEpoch(record.epoch);
    this.placeState();
  }

  /** The state after the last step that is logged. */
  private placeState(): void {
    const { state } = this.options;
    [state.step, state.epoch, state.num_tokens, state.pairs_seen, state.skipped_steps] = [0, 1, 0, 0, 0];
    state.train_seconds = 0;
    state.epoch_sums = { loss: 0, correct: 0, pairs: 0 };
    for (const record of this.steps) this.addToState(record);
  }

  private addToState(record: StepRecord): void {
    const { step, epoch, num_tokens, tokens_per_second, pairs, loss, accuracy, grad_norm } = record;
    const { state } = this.options;
    if (tokens_per_second > 0) state.train_seconds += (num_tokens - state.num_tokens) / tokens_per_second;
    if (epoch !== state.epoch) state.epoch_sums = { loss: 0, correct: 0, pairs: 0 };
    [state.step, state.epoch, state.num_tokens] = [step, epoch, num_tokens];
    state.pairs_seen += pairs;
    if (isBroken(loss, grad_norm)) return void state.skipped_steps++;
    state.epoch_sums.loss += loss * pairs;
    state.epoch_sums.correct += Math.round(2 * accuracy * pairs) / 2; // a tie counts one half
    state.epoch_sums.pairs += pairs;
  }
}

function inWords({ workers, resumed_from_step, versions }: StartEvent): string {
  const found = Object.entries(versions ?? {}).map(([name, version]) => `${name} ${version}`);
  const from = resumed_from_step > 0 ? `, from the checkpoint after step ${resumed_from_step}` : "";
  return `the job trains on ${workers} worker${workers === 1 ? "" : "s"}${from}${found.length ? ` (${found.join(", ")})` : ""}`;
}

/** JSON has no NaN. */
const figure = (value: number | null): number => value ?? NaN;

/** A line of train_steps.jsonl; how much was padding a job does not tell. */
function stepRecord(event: StepEvent, last: StepRecord | undefined): StepRecord {
  return {
    ts: Date.now() / 1000,
    step: event.step,
    epoch: event.epoch,
    loss: figure(event.loss),
    nll: figure(event.nll),
    accuracy: figure(event.accuracy),
    margin: figure(event.margin),
    min_reward: figure(event.min_reward),
    mean_reward: figure(event.mean_reward),
    max_reward: figure(event.max_reward),
    pairs: event.pairs,
    num_tokens: event.num_tokens,
    learning_rate: event.learning_rate,
    grad_norm: figure(event.grad_norm),
    tokens_per_second: (event.num_tokens - (last?.num_tokens ?? 0)) / Math.max(event.seconds, 1e-9),
    padding_share: NaN,
  };
}
