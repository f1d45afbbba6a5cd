import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REPORT_STYLE } from "../../lib/report/pages/assets/style";
import { launchBrowser } from "../../lib/report/browser";
import { reportHtml } from "../../lib/report/pages/report";
import { compareRuns, comparisonSentence } from "../../lib/report/pages/compare";
import { readRun } from "../../lib/runs/runFiles";
import { hasBrowser } from "./browser";
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

  // `<` takes six bytes in a JSON script: the worst texts, as long as they come.
  test("stays under 6 MB whatever the texts", () => {
    const run = runOf({ name: "large", pairs: 3000, skill: 0.2 });
    const text = "<".repeat(20_000);
    const cases = run.errors!.cases.map((mistake) => ({
      ...mistake,
      prompt: text,
      diff: [{ op: "same" as const, text }],
    }));
    const groups = Object.fromEntries(
      Array.from({ length: 5000 }, (_, i) => [
        `category ${i}`,
        { n: 1, accuracy: 1, ci95: [0.2, 1] as [number, number] },
      ]),
    );
    const page = reportHtml({
      ...run,
      errors: { ...run.errors!, cases },
      evaluation: { ...run.evaluation!, by_category: groups },
    });
    expect(Buffer.byteLength(page)).toBeLessThan(LIMIT);
    expect(page).toContain("characters more]");
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

describe.skipIf(!hasBrowser())("in Chromium, offline", () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await launchBrowser()));
  afterAll(() => browser?.close());

  /** Opens a report from a file and records every request but the file itself, and everything the console complains of. */
  async function open(
    html: string,
    options: { colorScheme?: "dark" | "light"; viewport?: { width: number; height: number } } = {},
  ) {
    const file = join(root, "page.html");
    writeFileSync(file, html);
    const page = await (await browser.newContext({ offline: true, ...options })).newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.isNavigationRequest()) requests.push(request.url());
    });
    page.on(
      "console",
      (message) => void (["error", "warning"].includes(message.type()) && complaints.push(message.text())),
    );
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => complaints.push(dialog.message()));
    await page.goto(`file://${file}`);
    await page.waitForFunction(() => document.documentElement.dataset.drawn !== undefined);
    return { page, requests, complaints };
  }
  const drawn = (page: Page) =>
    page.evaluate(() => {
      const places = [...document.querySelectorAll("[data-figure]")];
      return { places: places.length, plots: places.filter((place) => place.querySelector(".main-svg .trace")).length };
    });

  test("hostile texts are inert, nothing is requested, nothing goes wrong, every figure is drawn", async () => {
    const against = runOf({ name: "hostile-too", seed: 4, hostile: true });
    const html = reportHtml(runOf({ name: "hostile", hostile: true }), { against });
    expect(Buffer.byteLength(html)).toBeLessThan(LIMIT);
    const { page, requests, complaints } = await open(html);
    expect(await drawn(page)).toEqual({ places: 14, plots: 14 });
    // Into the places where texts become visible: tooltips, filters, more mistakes.
    await page.selectOption("#error-kind", { index: 1 });
    await page.selectOption("#error-kind", { index: 0 });
    await page.click("#error-more");
    const place = page.locator("[data-figure=accuracy_by_risk]");
    await place.scrollIntoViewIfNeeded();
    const point = (await place.locator(".points path").first().boundingBox())!;
    await page.mouse.move(point.x + point.width / 2, point.y + point.height / 2, { steps: 3 });
    await place.locator(".hovertext").first().waitFor();
    expect(await page.evaluate(() => (window as unknown as { PWN?: number }).PWN)).toBeUndefined();
    expect(
      await page.evaluate(
        () => document.querySelectorAll("iframe, main img:not(.paper), a[href^='javascript:'], a[href^='http']").length,
      ),
    ).toBe(0);
    expect(await page.locator("#accuracy th[scope=row]", { hasText: "__proto__" }).count()).toBe(1);
    expect(requests).toEqual([]);
    expect(complaints).toEqual([]);
    // The policy also stops a script that some later mistake would let in.
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.PWN = 9";
      document.body.append(script);
    });
    expect(await page.evaluate(() => (window as unknown as { PWN?: number }).PWN)).toBeUndefined();
    expect(complaints.join()).toContain("Content Security Policy");
    await page.context().close();
  });

  test("search, filter and more mistakes by keyboard alone", async () => {
    const run = runOf({ name: "keys" });
    const { page } = await open(reportHtml(run));
    const count = () => page.locator("#error-count").textContent();
    const all = run.errors!.cases.length;
    expect(await count()).toBe(`${all} of ${all} mistakes match; 10 shown`);

    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip");
    for (let i = 0; i < 300 && (await page.evaluate(() => document.activeElement?.id)) !== "error-search"; i++)
      await page.keyboard.press("Tab");
    await page.keyboard.type("GLACIERS two");
    const expected = run.errors!.cases.filter(({ prompt }) => prompt.includes("glaciers"));
    expect(await count()).toMatch(new RegExp(`^${expected.length} of ${all} mistakes match`));
    const shown = await page.locator(".mistake .prompt").allTextContents();
    expect(shown[0]).toBe(expected[0].prompt); // the most confident first
    expect(shown.every((prompt) => prompt.includes("glaciers"))).toBe(true);

    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    const kind = await page.inputValue("#error-kind");
    expect(await count()).toMatch(
      new RegExp(`^${expected.filter((mistake) => mistake.preference_type === kind).length} of`),
    );

    await page.fill("#error-search", "");
    await page.selectOption("#error-kind", "");
    await page.focus("#error-more");
    await page.keyboard.press("Enter");
    expect(await count()).toBe(`${all} of ${all} mistakes match; 20 shown`);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("Preferred by the data");
    await page.context().close();
  });

  test("the marked words are those that differ", async () => {
    const run = runOf({ name: "marks" });
    const { page } = await open(reportHtml(run));
    const [first] = run.errors!.cases;
    const side = (name: "chosen" | "rejected") => first.diff.filter(({ op }) => op === name).map(({ text }) => text);
    expect(await page.locator(".mistake >> nth=0 >> .better mark").allTextContents()).toEqual(side("chosen"));
    expect(await page.locator(".mistake >> nth=0 >> .worse mark").allTextContents()).toEqual(side("rejected"));
    expect(await page.locator(".mistake >> nth=0 >> .better .text").textContent()).toBe(first.chosen);
    await page.context().close();
  });

  test("every figure and field has a name to a screen reader", async () => {
    const { page } = await open(reportHtml(runOf({ name: "names" })));
    const nameless = await page.evaluate(() => ({
      figures: [...document.querySelectorAll("[data-figure]")].filter(
        (node) => (node.getAttribute("aria-label") ?? "").length < 20,
      ).length,
      fields: [...document.querySelectorAll("input, select")].filter(
        (node) => !(node as HTMLInputElement).labels?.length,
      ).length,
      sections: [...document.querySelectorAll("section")].filter(
        (node) =>
          !node.getAttribute("aria-label") && !document.getElementById(node.getAttribute("aria-labelledby") ?? ""),
      ).length,
      links: [...document.querySelectorAll<HTMLAnchorElement>("nav a")].filter(
        (link) => !document.querySelector(link.hash),
      ).length,
    }));
    expect(nameless).toEqual({ figures: 0, fields: 0, sections: 0, links: 0 });
    expect(await page.getAttribute("html", "lang")).toBe("en");
    // One tab stop a figure; arrow keys move between its buttons.
    const stops = await page.evaluate(
      () => document.querySelectorAll(".chart .plot-tool[tabindex='0'], .plot [tabindex='0']").length,
    );
    expect(stops).toBe(await page.locator("[data-figure]").count());
    await page.focus(".plot-tool");
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
    expect(await focused()).toBe("Zoom in");
    await page.keyboard.press("ArrowRight");
    expect(await focused()).toBe("Zoom out");
    await page.keyboard.press("ArrowLeft");
    expect(await focused()).toBe("Zoom in");
    await page.context().close();
  });

  test("a telephone scrolls down only; colours follow the reader's; paper is white and as wide as paper", async () => {
    const { page } = await open(reportHtml(runOf({ name: "narrow" })), {
      colorScheme: "dark",
      viewport: { width: 390, height: 800 },
    });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(await ground()).toBe("rgb(18, 22, 28)");
    await page.click("#theme");
    expect(await ground()).toBe("rgb(255, 255, 255)");
    await page.click("#theme");
    await page.evaluate(() =>
      addEventListener("beforeprint", () => {
        const closed = document.querySelectorAll("section > details:not([open])").length;
        Object.assign(window, { printed: [document.documentElement.dataset.theme, closed] });
      }),
    );
    await page.pdf();
    expect(await page.evaluate(() => (window as unknown as { printed: unknown }).printed)).toEqual(["light", 0]);
    expect(await ground()).toBe("rgb(18, 22, 28)");
    expect(await page.locator("section > details[open]").count()).toBe(0);
    await page.context().close();
  });
});
