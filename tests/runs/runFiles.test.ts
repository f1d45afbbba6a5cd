import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { readRun } from "../../lib/runs/runFiles";
import { runFigures } from "../../lib/report/figures/runFigures";
import { verdictOf } from "../../lib/report/verdict";
import { writeRun } from "../report/fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-runs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("readRun", () => {
  test("a whole run", () => {
    const run = readRun(writeRun(root, { name: "whole" }));
    expect(run).toMatchObject({ name: "whole", state: "complete", notes: [] });
    expect([run.steps.length, run.epochs.length, run.scores.length]).toEqual([300, 2, 400]);
    // The folder also holds epoch 1; would fail if files were taken in any other order.
    expect(run.deltas).toMatchObject({ epoch: 2 });
    expect(run.deltas!.deltas).toHaveLength(400);
    for (const [name, figure] of Object.entries(runFigures(run))) expect(figure.data.length, name).toBeGreaterThan(0);
  });

  test("a run still going on: steps only, the last line torn", () => {
    const dir = join(root, "going");
    writeRun(root, { name: "going" });
    for (const file of [
      "metrics.json",
      "evaluation.json",
      "errors.json",
      "quality_gate.json",
      "val_scores.jsonl",
      "val_epochs.jsonl",
      "val_deltas",
    ]) {
      rmSync(join(dir, file), { recursive: true });
    }
    appendFileSync(join(dir, "train_steps.jsonl"), '{"step": 301, "ep');
    const run = readRun(dir);
    expect(run.steps).toHaveLength(300);
    expect(run.notes).toEqual(["train_steps.jsonl: the last line was cut off while it was written and is left out."]);
    expect(run).toMatchObject({ state: "unfinished", evaluation: null, deltas: null, scores: [] });
    expect(verdictOf(run).title).toBe("Training has not finished");
    expect(Object.keys(runFigures(run))).toContain("train_loss_by_step");
  });

  test("a loss that is no number is written as null and read as NaN", () => {
    const dir = writeRun(root, { name: "nan" });
    writeFileSync(join(dir, "train_steps.jsonl"), '{"step":1,"epoch":1,"loss":null}\n');
    expect(readRun(dir).steps[0].loss).toBeNaN();
  });

  test("a torn line before the last one is an error with its number", () => {
    const dir = writeRun(root, { name: "torn" });
    writeFileSync(
      join(dir, "train_steps.jsonl"),
      '{"step":1,"epoch":1,"loss":1}\n{"step":2\n{"step":3,"epoch":1,"loss":1}\n',
    );
    expect(() => readRun(dir)).toThrow(/train_steps\.jsonl line 2: expected a JSON object, got "\{\\"step\\":2"/);
    writeFileSync(join(dir, "train_steps.jsonl"), '{"step":"one","epoch":1,"loss":1}\n');
    expect(() => readRun(dir)).toThrow(/train_steps\.jsonl line 1: field step:/);
  });

  test("a folder that is no run, and none at all", () => {
    expect(() => readRun(root)).toThrow(/expected config\.json or train_steps\.jsonl/);
    expect(() => readRun(join(root, "absent"))).toThrow(
      /absent: expected a run's folder, found none; it gets written by/,
    );
  });

  // zod's record and a plain object literal both lose this name.
  test("a risk level called __proto__ stays", () => {
    const run = readRun(writeRun(root, { name: "proto", hostile: true }));
    expect(Object.keys(run.evaluation!.by_risk)).toContain("__proto__");
  });
});

describe("verdictOf", () => {
  test("passed, failed and not judged", () => {
    const good = readRun(writeRun(root, { name: "good" }));
    expect(verdictOf(good)).toMatchObject({ tone: "passed", title: "Passed the quality gate" });
    const weak = readRun(writeRun(root, { name: "weak", skill: 0.1 }));
    expect(verdictOf(weak).tone).toBe("failed");
    expect(verdictOf(weak).title).toMatch(/^Did not pass the quality gate \(\d of 5 checks failed\)$/);
    expect(verdictOf({ ...good, gate: null }).tone).toBe("open");
  });

  test("what the interval does not rule out is said", () => {
    const run = readRun(writeRun(root, { name: "doubt" }));
    const second = (accuracy_ci95: [number, number], difference_ci95: [number, number]) =>
      verdictOf({
        ...run,
        evaluation: { ...run.evaluation!, accuracy_ci95, baseline_tests: { longer_answer: { difference_ci95 } } },
      }).sentences[1];
    expect(second([0.49, 0.9], [0.1, 0.2])).toContain("cannot tell the model from a coin");
    expect(second([0.6, 0.9], [-0.01, 0.2])).toContain("cannot tell it from always taking the longer answer");
    expect(second([0.6, 0.9], [0.01, 0.2])).not.toContain("cannot tell");
  });

  test("the first sentence tells accuracy, interval, a coin and the length baseline", () => {
    const { evaluation, ...rest } = readRun(writeRun(root, { name: "words" }));
    const [sentence] = verdictOf({
      ...rest,
      evaluation: {
        ...evaluation!,
        accuracy: 0.8125,
        accuracy_ci95: [0.77, 0.85],
        baselines: { random: 0.5, longer_answer: 0.575 },
      },
    }).sentences;
    expect(sentence).toContain(
      "81.3% of the time on validation pairs, by which the best step was chosen (95% interval 77.0% to 85.0%, 400 pairs)",
    );
    expect(sentence).toContain("A coin would be right in 50%, always taking the longer answer in 57.5%.");
  });
});
