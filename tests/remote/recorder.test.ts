// Events of a job as a run's files: every step once, the newest word of a step that came twice, validations as a local run has them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveConfig } from "../../lib/config";
import type { PreferencePair } from "../../lib/pairs/pair";
import { openMetricsLog } from "../../lib/runs/metricsLog";
import { readLog, readRun } from "../../lib/runs/runFiles";
import type { TrainingProgress } from "../../lib/training/run";
import { newState, type TrainingState } from "../../lib/training/state";
import { parseEvent } from "../../remote/events";
import { Recorder } from "../../remote/recorder";

const home = process.cwd();
let folder = "";
beforeEach(() => process.chdir((folder = mkdtempSync(join(tmpdir(), "rewardbook-recorder-")))));
afterEach(() => {
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

const val: PreferencePair[] = [0, 1, 2].map((i) => ({
  ...{ id: `v${i}`, questionId: `q${i}`, prompt: `${i}?`, chosen: "yes", rejected: "no", riskLevel: "Low" },
  ...{ confidencePenalty: 0, raw: {}, line: i + 1 },
})) as unknown as PreferencePair[];

function open(): { recorder: Recorder; state: TrainingState; progress: TrainingProgress[] } {
  const config = resolveConfig({ run: "far", pairs: "p.jsonl" });
  const log = openMetricsLog("far", "all");
  log.write("config.json", config);
  const state = newState({ settings: {}, data: {}, base: {} });
  const progress: TrainingProgress[] = [];
  const hooks = { onProgress: (at: TrainingProgress) => void progress.push(at) };
  return {
    recorder: new Recorder({ config, log, state, val, hooks, say: () => {}, truncatedShare: 0 }),
    state,
    progress,
  };
}

const line = (event: object) => `rewardbook ${JSON.stringify(event)}`;
const start = (resumed_from_step = 0) => ({ event: "start", workers: 2, total_steps: 6, resumed_from_step });
const step = (number: number, loss = 0.5) => ({
  ...{ event: "step", step: number, epoch: number > 3 ? 2 : 1, loss, nll: loss, accuracy: 0.75, margin: 0.1 },
  ...{ min_reward: -1, mean_reward: 0, max_reward: 1, pairs: 4, num_tokens: 100 * number, learning_rate: 1e-4 },
  ...{ grad_norm: 1, seconds: 0.5 },
});
const tell = (recorder: Recorder, ...events: object[]) =>
  events.forEach((event) => recorder.take(parseEvent(line(event))!));

describe("lines of a job", () => {
  it("are events behind Ray's colours and process names, and text otherwise", () => {
    const prefixed = `\u001b[36m(RayTrainWorker pid=12, ip=10.0.0.2)\u001b[0m ${line(step(1))}`;
    expect(parseEvent(prefixed)).toMatchObject({ event: "step", step: 1 });
    for (const text of ["rewardbook {half", "a rewardbook {}", "2026-11-26 INFO step", ""])
      expect(parseEvent(text)).toBeNull();
    expect(() => parseEvent(line({ event: "step", step: "one" }))).toThrow(/packed by another version/);
  });
});

describe("a job's steps", () => {
  it("are logged once each, with the newest word where a worker died and they came again", () => {
    const { recorder, state, progress } = open();
    tell(recorder, start(), step(1), step(2), step(3), { event: "retry", attempt: 2, from_step: 2 }, start(2));
    tell(recorder, step(3, 0.25), step(4));
    const { steps } = readLog("metrics/far");
    expect(steps.map((record) => [record.step, record.loss])).toEqual([
      [1, 0.5],
      [2, 0.5],
      [3, 0.25],
      [4, 0.5],
    ]);
    expect(state).toMatchObject({ step: 4, epoch: 2, pairs_seen: 16, num_tokens: 400, epoch_sums: { pairs: 4 } });
    expect(state.train_seconds).toBeCloseTo(2, 6);
    expect(progress.at(-1)).toMatchObject({ step: 4, totalSteps: 6, secondsLeft: 1 });
    expect(steps[1].tokens_per_second).toBeCloseTo(200, 6);
  });

  it("are the same when the whole log is told again, as on coming back", () => {
    const events = [start(), step(1), step(2)];
    tell(open().recorder, ...events);
    const { recorder, state } = open();
    tell(recorder, ...events, step(3));
    expect(readLog("metrics/far").steps.map((record) => record.step)).toEqual([1, 2, 3]);
    expect(state.pairs_seen).toBe(12);
  });

  it("that gave no numbers are counted and not averaged", () => {
    const { recorder, state } = open();
    tell(recorder, start(), step(1), { ...step(2), loss: null, nll: null });
    expect(state).toMatchObject({ skipped_steps: 1, epoch_sums: { loss: 2, pairs: 4 } });
    expect(readLog("metrics/far").steps[1].loss).toBeNaN();
  });
});

describe("a job's validations", () => {
  it("become the files of an epoch", () => {
    const { recorder, state } = open();
    const rewards = [
      [2, 1],
      [0, 1],
      [3, 0],
    ];
    tell(recorder, start(), step(1), { event: "validation", when: "epoch", step: 1, epoch: 1, rewards });
    const run = readRun("metrics/far");
    expect(run.epochs[0].pairwise_accuracy).toBeCloseTo(2 / 3, 9);
    expect(run.deltas!.deltas).toEqual([1, -1, 3]);
    expect(run.epochs[0].train_accuracy).toBe(0.75);
    expect([recorder.validated, state.stopping.epoch]).toEqual([true, 1]);
  });

  it("of a later step are dropped when the job goes back before it", () => {
    const { recorder } = open();
    const validation = {
      event: "validation",
      when: "step",
      step: 2,
      epoch: 1,
      rewards: [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    };
    tell(recorder, start(), step(1), step(2), validation, start(1));
    expect(readLog("metrics/far").validations).toEqual([]);
  });
});
