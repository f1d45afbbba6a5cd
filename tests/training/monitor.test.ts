// Simulated runs with one known trouble each; the trouble, and nothing else, must be named.
import { describe, expect, test } from "vitest";
import { createMonitor, type MonitoredStep, type MonitoredValidation } from "../../lib/training/monitor";
import type { Warning } from "../../lib/runs/records";
import { createRandom } from "../../lib/random";

type StepFields = (step: number, noise: () => number) => Partial<MonitoredStep>;

/** A healthy run: loss 0.69 → 0.35, accuracy 50% → 85%, with the noise of batches of 16. */
function run(change: StepFields = () => ({}), steps = 400, options = {}): Warning[] {
  const random = createRandom(4);
  const monitor = createMonitor(options);
  const warnings: Warning[] = [];
  for (let step = 1; step <= steps; step++) {
    const progress = Math.min(1, step / 200);
    const rate = 0.5 + 0.35 * progress;
    let right = 0;
    for (let i = 0; i < 16; i++) if (random.next() < rate) right++;
    const record: MonitoredStep = {
      step,
      epoch: 1,
      loss: 0.69 - 0.34 * progress + 0.08 * random.normal(),
      accuracy: right / 16,
      margin: 1.5 * progress,
      min_reward: -2,
      mean_reward: 0.2 * random.normal(),
      max_reward: 2,
      grad_norm: 3 * Math.exp(0.3 * random.normal()),
      pairs: 16,
      ...change(step, random.normal),
    };
    warnings.push(...monitor.onStep(record));
  }
  return warnings;
}

const kinds = (warnings: readonly Warning[]) => warnings.map(({ kind }) => kind);

describe("steps", () => {
  test("a healthy run is left in peace", () => {
    expect(run()).toEqual([]);
  });

  test.each<[string, StepFields]>([
    ["not-a-number", (step) => (step >= 30 ? { loss: NaN, grad_norm: NaN } : {})],
    ["exploding-gradients", (step) => (step > 200 && step % 9 === 0 ? { grad_norm: 500 } : {})],
    ["loss-not-falling", (_step, noise) => ({ loss: 0.69 + 0.05 * noise() })],
    ["loss-rising", (step, noise) => (step > 250 ? { loss: 0.9 + 0.05 * noise() } : {})],
    ["accuracy-at-chance", () => ({ accuracy: 0.5 })],
    ["accuracy-below-chance", () => ({ accuracy: 0.3 })],
    ["equal-scores", (step) => (step > 100 ? { min_reward: 0.3, max_reward: 0.3, mean_reward: 0.3 } : {})],
    ["drifting-rewards", (step) => ({ mean_reward: step / 10 })],
  ])("%s", (kind, change) => {
    const warnings = run(change);
    expect(kinds(warnings)).toEqual([kind]);
    expect(warnings[0].message).toMatch(/\d/);
    expect(warnings[0].advice.length).toBeGreaterThan(20);
  });

  test("one spike is not an explosion", () => {
    expect(run((step) => (step === 130 ? { grad_norm: 900 } : {}))).toEqual([]);
  });

  test("truncations are told at the first step, with the share", () => {
    const warnings = run(undefined, 3, { truncatedShare: 0.26 });
    expect(kinds(warnings)).toEqual(["truncation"]);
    expect(warnings[0]).toMatchObject({ step: 1 });
    expect(warnings[0].message).toMatch(/^26.0% of the training pairs are cut/);
    expect(run(undefined, 3, { truncatedShare: 0.05 })).toEqual([]);
  });

  test("a trouble that went and came back is told again", () => {
    const broken = run((step) => (step === 20 || step === 21 || step === 40 ? { loss: Infinity } : {}), 60);
    expect(broken.map(({ step }) => step)).toEqual([20, 40]);
  });
});

describe("validations", () => {
  const validation = (epoch: number, fields: Partial<MonitoredValidation>): MonitoredValidation => ({
    step: epoch * 100,
    epoch,
    train_accuracy: 0.8,
    val_loss: 0.5,
    accuracy: 0.78,
    acc_by_risk: { HIGH: 0.77, LOW: 0.79 },
    ...fields,
  });
  const watch = (...records: MonitoredValidation[]) => {
    const monitor = createMonitor();
    return records.flatMap((record) => monitor.onValidation(record));
  };

  test("healthy validations are left in peace", () => {
    expect(watch(validation(1, {}), validation(2, { train_accuracy: 0.85, accuracy: 0.8 }))).toEqual([]);
  });

  test("overfitting by the gap, once while it lasts", () => {
    const warnings = watch(
      validation(1, {}),
      validation(2, { train_accuracy: 0.93 }),
      validation(3, { train_accuracy: 0.97 }),
    );
    expect(kinds(warnings)).toEqual(["overfitting"]);
    expect(warnings[0].message).toBe("training accuracy 93.0%, validation 78.0%: a gap of 15.0 points, growing");
  });

  test("overfitting by a rising validation loss", () => {
    const warnings = watch(validation(1, {}), validation(2, { train_accuracy: 0.86, val_loss: 0.6 }));
    expect(kinds(warnings)).toEqual(["overfitting"]);
    expect(warnings[0].message).toMatch(/validation loss rose from 0.5 to 0.6/);
  });

  test("one risk level collapsing, by fall or by lagging; small levels are not judged", () => {
    const fall = watch(validation(1, {}), validation(2, { acc_by_risk: { HIGH: 0.55, LOW: 0.85 } }));
    expect(kinds(fall)).toEqual(["risk-collapse"]);
    expect(fall[0].message).toMatch(/^accuracy on risk level HIGH fell from 77.0% to 55.0%/);
    expect(kinds(watch(validation(1, { acc_by_risk: { HIGH: 0.4, LOW: 0.8 } })))).toEqual(["risk-collapse"]);
    const small = { acc_by_risk: { HIGH: 0, LOW: 0.8 }, n_by_risk: { HIGH: 3, LOW: 300 } };
    expect(watch(validation(1, small))).toEqual([]);
  });

  test("an accuracy too good to be true", () => {
    expect(kinds(watch(validation(1, { train_accuracy: 1, accuracy: 0.995, acc_by_risk: {} })))).toEqual(["too-good"]);
  });
});
