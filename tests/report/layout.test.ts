// How a report lies on a telephone, a tablet, a screen and paper: no text cut off, none over another, nothing to scroll sideways.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "../../lib/report/browser";
import { printPage } from "../../lib/report/pdf";
import { reportHtml } from "../../lib/report/pages/report";
import { readRun } from "../../lib/runs/runFiles";
import { hasBrowser } from "./browser";
import { writeRun } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-layout-"));
const file = join(root, "report.html");
afterAll(() => rmSync(root, { recursive: true, force: true }));

const NOTES = `# Notes\n\n${"a-long-word-without-a-space".repeat(8)}\n\n| ${"column | ".repeat(14)}\n|${"---|".repeat(14)}\n| ${"value | ".repeat(14)}\n`;

describe.skipIf(!hasBrowser())("in Chromium", () => {
  let browser: Browser;
  const run = readRun(writeRun(root, { name: "a-run-with-a-name-that-is-rather-long-for-a-telephone", test: true }));
  beforeAll(async () => {
    const against = [
      readRun(writeRun(root, { name: "second", seed: 2 })),
      readRun(writeRun(root, { name: "third", seed: 3 })),
    ];
    writeFileSync(file, reportHtml(run, { against, notes: NOTES }));
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  async function open(width: number): Promise<Page> {
    const page = await (await browser.newContext({ offline: true, viewport: { width, height: 900 } })).newPage();
    await page.goto(`file://${file}`);
    await page.waitForFunction(() => {
      const { paper, pairs } = document.documentElement.dataset;
      return paper !== undefined && pairs !== undefined;
    });
    return page;
  }

  test.each([390, 800, 1200, 1280])("%d pixels wide", async (width) => {
    const page = await open(width);
    const found = await page.evaluate(() => {
      const seen = (node: Element) => node.getClientRects().length > 0;
      const problems: string[] = [];
      let looked = 0;
      if (document.documentElement.scrollWidth > innerWidth)
        problems.push(`the page is ${document.documentElement.scrollWidth} wide`);
      const overlap = (a: DOMRect, b: DOMRect) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
      for (const plot of document.querySelectorAll<HTMLElement>(".plot")) {
        const box = plot.getBoundingClientRect();
        const texts = [...plot.querySelectorAll(".main-svg text")].filter(
          (node) => seen(node) && node.textContent!.trim(),
        );
        looked += texts.length;
        const rects = texts.map((node) => node.getBoundingClientRect());
        rects.forEach((rect, i) => {
          const name = `${plot.dataset.figure}: "${texts[i].textContent}"`;
          if (
            rect.left < box.left - 1 ||
            rect.right > box.right + 1 ||
            rect.top < box.top - 1 ||
            rect.bottom > box.bottom + 1
          )
            problems.push(`${name} is cut off`);
          for (let j = 0; j < i; j++)
            if (overlap(rect, rects[j])) problems.push(`${name} lies over "${texts[j].textContent}"`);
        });
        const head = plot.parentElement!.querySelector(".plot-head")!;
        const words = document.createRange();
        words.selectNodeContents(head.firstElementChild!);
        for (const rect of words.getClientRects())
          if (overlap(rect, head.querySelector(".plot-tools")!.getBoundingClientRect()))
            problems.push(`${plot.dataset.figure}: title under the tools`);
      }
      // A box of text may scroll by itself, or wrap; it may not hide what does not fit.
      for (const node of document.querySelectorAll(
        "h1, h2, h3, p, li, dd, dt, th, td, .card, .plot-title, .tag, summary, label, button",
      )) {
        if (!seen(node) || node.closest("svg, .pair-row, .hidden, .modebar-container")) continue;
        const box = node.getBoundingClientRect();
        const scrolls = node.closest(".wrap, .text, .prompt");
        if (!scrolls && (box.right > innerWidth + 1 || box.left < -1))
          problems.push(`${node.tagName} "${node.textContent!.slice(0, 40)}" leaves the page`);
        if (node.scrollWidth > node.clientWidth + 1 && getComputedStyle(node).overflowX === "hidden")
          problems.push(`${node.tagName} "${node.textContent!.slice(0, 40)}" is cut off`);
      }
      for (const table of document.querySelectorAll("table"))
        if (!table.closest(".wrap"))
          problems.push(`a table without a box of its own: ${table.textContent!.slice(0, 40)}`);
      return { problems, looked };
    });
    expect(found.problems).toEqual([]);
    expect(found.looked).toBeGreaterThan(150); // ticks, axes, legends
    await page.context().close();
  });

  test("paper: every figure with its data, tables whole, every mistake, a PDF of it", async () => {
    const page = await open(688); // A4 less the margins, at 96 dots an inch
    await page.emulateMedia({ media: "print" });
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    const seen = await page.evaluate(() => ({
      pictures: [...document.querySelectorAll<HTMLImageElement>("img.paper")].map((picture) => ({
        drawn: picture.complete && picture.naturalWidth > 600 && picture.getBoundingClientRect().width > 300,
        traces: (decodeURIComponent(picture.src).match(/class="(trace|point|bars|points)/g) ?? []).length,
        whole: picture.getBoundingClientRect().right <= innerWidth,
      })),
      plots: [...document.querySelectorAll(".plot")].filter((plot) => plot.getClientRects().length).length,
      wide: [...document.querySelectorAll("table")]
        .filter((table) => table.getBoundingClientRect().right > innerWidth + 1 && !table.closest(".notes"))
        .map((table) => table.textContent!.trim().slice(0, 40)),
      mistakes: document.querySelectorAll("#pair-paper .mistake").length,
      closed: document.querySelectorAll("section > details:not([open])").length,
    }));
    const wrong = [...run.scores, ...run.test!.scores].filter((line) => line.chosen_score < line.rejected_score);
    expect(seen.pictures).toHaveLength(await page.locator("[data-figure]").count());
    expect(seen.pictures.filter(({ drawn, traces, whole }) => !drawn || traces === 0 || !whole)).toEqual([]);
    expect(seen).toMatchObject({ plots: 0, wide: [], mistakes: wrong.length, closed: 0 });
    await page.context().close();
    const pdf = await printPage(file);
    expect(pdf).toBe(join(root, "report.pdf"));
  }, 60_000);

  test("the runs sort by a click on a heading", async () => {
    const page = await open(1280);
    const order = () => page.locator("#comparison table.sortable tbody th").allTextContents();
    const before = (await order()).map((name) => name.trim());
    expect(before).toEqual([run.name, "second", "third"]);
    const accuracies = await page.locator("#comparison table.sortable tbody td:nth-child(2)").allTextContents();
    const byAccuracy = before
      .map((name, i) => ({ name, accuracy: parseFloat(accuracies[i]) }))
      .sort((a, b) => b.accuracy - a.accuracy)
      .map(({ name }) => name);
    await page.getByRole("button", { name: "validation accuracy" }).click();
    expect((await order()).map((name) => name.trim())).toEqual(byAccuracy);
    await page.getByRole("button", { name: "validation accuracy" }).click();
    expect((await order()).map((name) => name.trim())).toEqual(byAccuracy.reverse());
    await page.context().close();
  });
});
