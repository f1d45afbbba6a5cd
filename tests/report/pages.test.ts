import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { REPORT_STYLE } from "../../lib/report/pages/assets/style";
import { createRandom } from "../../lib/random";
import { reportHtml } from "../../lib/report/pages/report";
import { compareRuns, comparisonSentence } from "../../lib/report/comparison";
import { readRun } from "../../lib/runs/runFiles";
import { writeRun, type FixtureOptions } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-report-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const runOf = (options: FixtureOptions) => readRun(writeRun(root, options));
const LIMIT = 6e6;

describe("reportHtml", () => {
  test("the same files and time give the same bytes", () => {
    const run = runOf({ name: "same" });
    const now = new Date(0);
    expect(reportHtml(run, { now })).toBe(reportHtml(run, { now }));
  });

  test("a run that has only begun still has a report", () => {
    const dir = join(root, "begun");
    writeRun(root, { name: "begun" });
    for (const file of [
      "metrics.json",
      "evaluation.json",
      "errors.json",
      "quality_gate.json",
      "val_scores.jsonl",
      "val_epochs.jsonl",
      "val_deltas",
      "data.json",
      "environment.json",
    ]) {
      rmSync(join(dir, file), { recursive: true });
    }
    appendFileSync(join(dir, "train_steps.jsonl"), '{"st');
    const page = reportHtml(readRun(dir));
    expect(page).toContain("Training has not finished");
    expect(page).toContain("the last line was cut off while it was written");
    expect(page).not.toContain('id="calibration"');
  });

  // Texts that hardly pack, more than 3,000 characters each.
  test("stays under 6 MB whatever the texts", () => {
    const run = runOf({ name: "large", pairs: 3000, skill: 0.2 });
    const random = createRandom(3);
    const text = () => Array.from({ length: 500 }, () => random.integer(2 ** 31).toString(36)).join("<");
    const scores = run.scores.map((line) => ({ ...line, prompt: text(), chosen: text(), rejected: text() }));
    const groups = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [
        `category ${i}`,
        { n: 1, accuracy: 1, ci95: [0.2, 1] as [number, number] },
      ]),
    );
    const page = reportHtml({
      ...run,
      scores,
      evaluation: { ...run.evaluation!, by_category: groups },
    });
    expect(Buffer.byteLength(page)).toBeLessThan(LIMIT);
    const packed = /id="pairs-data">([^<]*)</.exec(page)![1];
    const views = JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString());
    expect(views).toHaveLength(3000);
    expect(views[2999].answers[0]).toContain("characters more]");
  });
});

describe("two runs compared", () => {
  const good = runOf({ name: "good", seed: 1 });
  const weak = runOf({ name: "weak", seed: 2, skill: 0.5 });

  // The difference is told from the better run's side, whichever comes first.
  test("the sentence names the better run with interval and both tests", () => {
    for (const [a, b] of [
      [good, weak],
      [weak, good],
    ]) {
      expect(comparisonSentence(compareRuns(a, b), a.name, b.name)).toMatch(
        /^good is better than weak by \d+\.\d points \(95% interval \d+\.\d points to \d+\.\d points; bootstrap over prompts p = .*, McNemar p = .*\) on the 400 validation pairs \(200 prompts\)/,
      );
    }
    expect(comparisonSentence(compareRuns(good, good), "a", "b")).toContain("equally accurate");
  });

  test("runs on different parts of one file that share a few pairs by chance are not compared", () => {
    const few = (name: string, from: number) => {
      const whole = runOf({ name, seed: from });
      return { ...whole, scores: whole.scores.slice(from, from + 60) };
    };
    const comparison = compareRuns(few("early", 1), few("late", 57));
    expect(comparisonSentence(comparison, "early", "late")).toMatch(
      /different parts of the same file, with \d pairs? of \d prompts? in common; rewardbook compare scores both/,
    );
  });

  test("the front page says when no difference is shown, and how small a one these pairs could show", () => {
    const alike = runOf({ name: "alike", seed: 3 });
    const front = (other: typeof good) => {
      const page = reportHtml(good, { against: [other] });
      return page.slice(page.indexOf('<section id="verdict"'), page.indexOf('<div class="cards"'));
    };
    expect(compareRuns(good, alike).result!.difference_shown).toBe(false);
    expect(front(alike)).toMatch(/No difference shown between good and alike\s*<\/h2>/);
    expect(front(alike)).toMatch(/would show a true difference of \d+\.\d points four times in five/);
    expect(front(weak)).toMatch(/good is better than weak\s*<\/h2>/);
    expect(front(weak)).not.toContain("No difference");
    const elsewhere = { ...weak, data: { ...weak.data!, sources: [{ ...weak.data!.sources[0], sha256: "other" }] } };
    expect(front(elsewhere)).toMatch(/Not compared with weak\s*<\/h2>/);
  });

  test("pairs only one run scored are left out and counted", () => {
    const { result, ...rest } = compareRuns(good, { ...weak, scores: weak.scores.slice(100) });
    expect(result!.n_pairs).toBe(300);
    expect(rest).toMatchObject({ skipped: 100 });
  });

  // `line 7` of one file is not `line 7` of another.
  test("runs on other data are not tested against each other", () => {
    const other = { ...weak, data: { ...weak.data!, sources: [{ ...weak.data!.sources[0], sha256: "other" }] } };
    expect(comparisonSentence(compareRuns(good, other), "good", "weak")).toMatch(
      /different data files.*no paired test/,
    );
  });
});

/** WCAG 2.1, contrast ratio of two sRGB colours. */
function contrast(a: string, b: string): number {
  const luminance = (color: string) => {
    const [red, green, blue] = [1, 3, 5]
      .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

test.each([
  ["light", 0],
  ["dark", 1],
] as const)("text is readable in %s colours (WCAG AA, 4.5:1)", (_theme, block) => {
  const rules = [...REPORT_STYLE.matchAll(/:root[^{]*\{([^}]*)\}/g)].map(([, body]) => body);
  const colors = Object.fromEntries(
    [...rules[block].matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]),
  );
  const pairs = [
    ["ink", "ground"],
    ["ink", "panel"],
    ["muted", "ground"],
    ["muted", "panel"],
    ["accent", "ground"],
    ["accent", "accent-soft"],
  ];
  for (const tone of ["good", "bad", "open"])
    pairs.push([tone, `${tone}-soft`], ["ink", `${tone}-soft`], ["muted", `${tone}-soft`]);
  for (const mark of ["chosen-mark", "rejected-mark"]) pairs.push(["ink", mark]);
  for (const [text, ground] of pairs)
    expect(contrast(colors[text], colors[ground]), `${text} on ${ground}`).toBeGreaterThanOrEqual(4.5);
});
