import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REPORT_STYLE } from "../../lib/report/pages/assets/style";
import { launchBrowser } from "../../lib/report/browser";
import { createRandom } from "../../lib/random";
import { reportHtml } from "../../lib/report/pages/report";
import { compareRuns, comparisonSentence } from "../../lib/report/comparison";
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
    await page.waitForFunction(() => {
      const { drawn, pairs } = document.documentElement.dataset;
      return drawn !== undefined && (pairs !== undefined || !document.getElementById("pairs-data"));
    });
    return { page, requests, complaints };
  }
  const drawn = (page: Page) =>
    page.evaluate(() => {
      const places = [...document.querySelectorAll("[data-figure]")];
      return { places: places.length, plots: places.filter((place) => place.querySelector(".main-svg .trace")).length };
    });

  test("hostile texts are inert, nothing is requested, nothing goes wrong, every figure is drawn", async () => {
    const against = runOf({ name: "hostile-too", seed: 4, hostile: true });
    const html = reportHtml(runOf({ name: "hostile", hostile: true }), { against: [against] });
    expect(Buffer.byteLength(html)).toBeLessThan(LIMIT);
    const { page, requests, complaints } = await open(html);
    expect(await drawn(page)).toEqual({ places: 14, plots: 14 });
    // Into the places where texts become visible: tooltips, filters, more mistakes.
    await page.selectOption("#pair-kind", { index: 1 });
    await page.selectOption("#pair-kind", { index: 0 });
    await page.focus("#pair-list");
    for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowDown");
    await page.fill("#pair-search", "gnitirw");
    // What would turn the writing round is spelt out, in the list, in the text and in the tables.
    expect(await page.locator("#pair-detail .text .control").first().textContent()).toMatch(/^U\+(202E|2028|2029)$/);
    expect(await page.evaluate(() => /[\u202a-\u202e\u2066-\u2069]/.test(document.body.innerText))).toBe(false);
    await page.fill("#pair-search", "");
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

  /** The pairs as the list holds them. */
  const rowsOf = (page: Page) => page.locator(".pair-row .snippet").allTextContents();

  test("search, filter and walk through the pairs by keyboard alone", async () => {
    const run = runOf({ name: "keys" });
    const { page } = await open(reportHtml(run));
    const count = () => page.locator("#pair-count").textContent();
    const wrong = (lines: typeof run.scores) => lines.filter((line) => line.chosen_score < line.rejected_score);
    expect(await count()).toBe(`400 of 400 pairs match; ${wrong(run.scores).length} of them wrong`);

    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip");
    for (let i = 0; i < 300 && (await page.evaluate(() => document.activeElement?.id)) !== "pair-search"; i++)
      await page.keyboard.press("Tab");
    await page.keyboard.type("GLACIERS two");
    const glaciers = run.scores.filter(({ prompt }) => prompt!.includes("glaciers"));
    const delta = (line: (typeof run.scores)[number]) => line.chosen_score - line.rejected_score;
    const sorted = [...glaciers].sort((a, b) => delta(a) - delta(b)); // the most confident mistake first
    expect(await count()).toBe(`${glaciers.length} of 400 pairs match; ${wrong(glaciers).length} of them wrong`);
    expect((await rowsOf(page)).slice(0, 3)).toEqual(sorted.slice(0, 3).map(({ prompt }) => prompt));

    await page.keyboard.press("Tab");
    await page.keyboard.press("ArrowDown");
    expect(await page.inputValue("#pair-which")).toBe("wrong");
    expect(await count()).toMatch(new RegExp(`^${wrong(glaciers).length} of 400`));
    await page.focus("#pair-list");
    await page.keyboard.press("ArrowDown");
    expect(await page.locator("#pair-detail .prompt").textContent()).toBe(sorted[1].prompt);
    expect(new URL(page.url()).hash).toBe(`#pair=${sorted[1].id}`);
    await page.context().close();
  });

  test("a link leads to its pair; what is shown is saved as CSV", async () => {
    const run = runOf({ name: "links" });
    const { page } = await open(reportHtml(run));
    const wanted = run.scores[123];
    await page.evaluate((id) => (location.hash = `#pair=${id}`), wanted.id);
    await expect.poll(() => page.locator("#pair-detail .prompt").textContent()).toBe(wanted.prompt);
    expect(await page.locator(".pair-row[aria-selected=true] .snippet").textContent()).toBe(wanted.prompt);
    await page.selectOption("#pair-which", "near");
    const near = run.scores.filter((line) => Math.abs(line.chosen_score - line.rejected_score) < Math.log(1.5));
    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#pair-csv")]);
    const lines = readFileSync((await download.path())!, "utf8")
      .trimEnd()
      .split("\r\n");
    expect(lines).toHaveLength(near.length + 1);
    expect(
      lines
        .slice(1)
        .map((line) => line.split(",")[0])
        .sort(),
    ).toEqual(near.map(({ id }) => id).sort());
    await page.context().close();
  });

  test("two thousand pairs: few rows exist at a time, the last can be reached, the first figure is there in time", async () => {
    const run = runOf({ name: "many", pairs: 2000 });
    const html = reportHtml(run);
    expect(Buffer.byteLength(html)).toBeLessThan(LIMIT);
    const { page } = await open(html);
    await page.selectOption("#pair-order", "file");
    expect(await page.locator(".pair-row").count()).toBeLessThan(40);
    await page.focus("#pair-list");
    await page.keyboard.press("End");
    expect(await page.locator(".pair-row[aria-posinset='2000']").getAttribute("aria-selected")).toBe("true");
    expect(await page.locator("#pair-detail .prompt").textContent()).toBe(run.scores[1999].prompt);
    await page.context().close();
  });

  test("the marked words are those that differ; what was cut is struck out where it was cut", async () => {
    const run = runOf({ name: "marks" });
    const cutting = run.scores[7];
    const keep = Array.from(cutting.chosen!).length - 20;
    const scores = run.scores.map((line) =>
      line === cutting
        ? {
            ...line,
            chosen_tokens: 64,
            rejected_tokens: 60,
            chosen_cuts: [["response", keep, keep + 20] as ["response", number, number]],
          }
        : line,
    );
    const { page } = await open(reportHtml({ ...run, scores }));
    const [first] = run.errors!.cases;
    const side = (name: "chosen" | "rejected") => first.diff.filter(({ op }) => op === name).map(({ text }) => text);
    expect(await page.locator("#pair-detail .better mark").allTextContents()).toEqual(side("chosen"));
    expect(await page.locator("#pair-detail .worse mark").allTextContents()).toEqual(side("rejected"));
    expect(await page.locator("#pair-detail .better .text").textContent()).toBe(first.chosen);
    await page.selectOption("#pair-which", "cut");
    expect(await page.locator("#pair-count").textContent()).toMatch(/^1 of 400/);
    expect((await page.locator("#pair-detail .better del").allTextContents()).join("")).toBe(
      cutting.chosen!.slice(-20),
    );
    expect(await page.locator("#pair-detail .better h4").textContent()).toContain("64 tokens read");
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
