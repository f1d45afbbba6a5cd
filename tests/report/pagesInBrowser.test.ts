// The report in a real browser, offline: what is drawn, what is asked for, what a reader can do.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../../lib/report/browser";
import { reportHtml } from "../../lib/report/pages/report";
import { readRun } from "../../lib/runs/runFiles";
import { hasBrowser } from "./browser";
import { writeRun, type FixtureOptions } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-report-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const runOf = (options: FixtureOptions) => readRun(writeRun(root, options));
const LIMIT = 6e6;

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
