// What a report says of a run, word by word: test pairs first, the true reason for a missing verdict, a temperature only where it helps.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { calibrationSection } from "../../lib/report/pages/sections";
import { notesSection } from "../../lib/report/pages/notes";
import { verdictOf } from "../../lib/report/verdict";
import { readRun, type RunRecord } from "../../lib/runs/runFiles";
import { writeRun } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-verdict-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const run = readRun(writeRun(root, { name: "plain" }));
const words = (one: RunRecord) => verdictOf(one).sentences.join("\n");

describe("the verdict", () => {
  test("names the test pairs first, where they were evaluated", () => {
    const tested = readRun(writeRun(root, { name: "tested", test: true }));
    const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
    const [first] = verdictOf(tested).sentences;
    expect(first.indexOf(percent(tested.test!.evaluation.accuracy!))).toBeGreaterThan(0);
    expect(first).toMatch(
      /on test pairs, by which nothing was chosen .*120 pairs.*On the validation pairs, by which the best step was chosen, it is/,
    );
    expect(first).toContain(percent(tested.evaluation!.accuracy!));
    expect(words(run)).not.toContain("test pairs");
  });

  test("says that test pairs wait, and how they are evaluated", () => {
    const waiting = { ...run, data: { ...run.data!, counts: { train: 1, val: 1, test: 30 } } };
    expect(words(waiting)).toContain(
      "30 test pairs are set aside and have not been evaluated: rewardbook evaluate --checkpoint checkpoints/plain/best",
    );
  });

  test("says which condition the gate missed", () => {
    const without = (gate: string, pairs: number): RunRecord => ({
      ...run,
      gate: null,
      config: { ...run.config, gate, gate_min_pairs: 100 },
      evaluation: { ...run.evaluation!, n_pairs: pairs },
    });
    expect(words(without("off", 400))).toContain("it was switched off (gate: off)");
    expect(words(without("auto", 82))).toContain("its 82 validation pairs are fewer than the 100 it asks for");
    expect(words(without("auto", 400))).toContain("verdict on this run is missing: quality_gate.json");
  });

  test("does not call a question unseen that was trained on", () => {
    const leaking = { ...run, data: { ...run.data!, val_pairs_of_training_questions: 3 } };
    expect(words(run)).toContain("to a question it was not trained on");
    expect(words(leaking)).not.toContain("not trained on");
  });
});

describe("calibration", () => {
  const at = (temperature: number, nll: number, ece: number): RunRecord => ({
    ...run,
    evaluation: {
      ...run.evaluation!,
      nll: 0.5,
      ece_symmetric: 0.05,
      temperature,
      calibrated: { nll, ece_symmetric: ece },
    },
  });
  const told = (one: RunRecord) =>
    calibrationSection({ ...one, part: "validation" }, {})!.body.markup.replace(/\s+/g, " ");

  test("a temperature stands in table and verdict only where NLL and symmetric ECE both gain", () => {
    expect(told(at(1.7, 0.45, 0.03))).toContain("at T = 1.7000");
    expect(words(at(1.7, 0.45, 0.03))).toContain("with the fitted temperature of 1.7");
    for (const worse of [at(1.7, 0.45, 0.09), at(1.7, 0.55, 0.03), at(1, 0.5, 0.05)]) {
      expect(told(worse)).not.toContain('<th scope="col" class="number">at T');
      expect(words(worse)).not.toContain("temperature");
    }
    expect(told(at(1.7, 0.45, 0.09))).toContain("does not help");
  });

  test("says why a fitted one is not used", () => {
    const cross_validated = { nll: 0.6, brier: 0.2, ece: 0.3, ece_symmetric: 0.06, mce: 0.4 };
    const choice = { used: false, fitted: 1.3, status: "fitted" as const, cross_validated };
    const kept = { ...run, evaluation: { ...run.evaluation!, temperature: 1, temperature_choice: choice } };
    expect(told(kept)).toContain(
      "None is used, since it does not help: on prompts it was not fitted on, T = 1.3000 changes NLL",
    );
    expect(
      told({
        ...kept,
        evaluation: { ...kept.evaluation, temperature_choice: { ...choice, status: "separable" as const } },
      }),
    ).toContain("every pair is right");
    // on test pairs, too, where nothing was fitted
    const onTest = calibrationSection({ ...run, part: "test", validation: kept.evaluation }, {})!.body.markup;
    expect(onTest.replace(/\s+/g, " ")).toContain(
      "does not help: on validation prompts it was not fitted on, T = 1.3000",
    );
  });
});

test("an author's notes are formatted, and nothing in them runs or is fetched", () => {
  const { markup } = notesSection(
    "# A *title*\n<script>window.PWN=1</script> <img src=x onerror=1>\n\n[web](https://example.org) [bad](javascript:alert(1)) [data](data:text/html,x) ![picture](https://example.org/p.png)\n\n\u202eturned",
  ).body;
  expect(markup).toContain("<h1>A <em>title</em></h1>");
  expect(markup).toContain('<a href="https://example.org" rel="noopener noreferrer">web</a>');
  expect(markup).not.toMatch(/<script|<img|href="(javascript|data):|\u202e/);
  expect(markup).toContain("[U+202E]turned");
});
