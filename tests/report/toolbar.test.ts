// Every button of every figure is clicked with the network watched: data must not be able to leave the page.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Download } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import { launchBrowser } from "../../lib/report/browser";
import { reportHtml } from "../../lib/report/pages/report";
import { plotlyPath } from "../../lib/report/png";
import { figureBundle } from "../../lib/report/show";
import { stepLossFigure } from "../../lib/report/figures";
import { readRun } from "../../lib/runs/runFiles";
import { hasBrowser } from "./browser";
import { writeRun } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-toolbar-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(!hasBrowser())("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => void (browser = await launchBrowser()));
  afterAll(() => browser?.close());

  /** A context that tells of everything that would leave the page: requests and other pages. */
  async function watched(): Promise<{ context: BrowserContext; left: string[] }> {
    const context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 } });
    const left: string[] = [];
    context.on("page", (page) => page.url() !== "about:blank" && left.push(`page ${page.url()}`));
    await context.route(/^(?!file:|data:|blob:)/, (route) => {
      left.push(route.request().url());
      return route.abort();
    });
    return { context, left };
  }

  test("of a report: nothing leaves, a picture and the numbers are saved", async () => {
    const file = join(root, "report.html");
    writeFileSync(file, reportHtml(readRun(writeRun(root, { name: "tools", pairs: 60 }))));
    const { context, left } = await watched();
    const page = await context.newPage();
    const saved: Download[] = [];
    page.on("download", (download) => saved.push(download));
    await page.goto(`file://${file}`);
    await page.waitForFunction(() => document.documentElement.dataset.paper !== undefined);
    const buttons = await page.locator(".plot-tool, .modebar-btn").all();
    const figures = await page.locator("[data-figure]").count();
    expect(buttons.length).toBe(5 * figures);
    for (const button of buttons) await button.click();
    await expect.poll(() => saved.length, { timeout: 20_000 }).toBe(2 * figures);
    expect(left).toEqual([]);
    expect(await page.getByText(/share chart|cloud/i).count()).toBe(0);
    const csv = saved.find((download) => download.suggestedFilename() === "train_loss_by_step.csv")!;
    const rows = readFileSync((await csv.path())!, "utf8").split("\r\n");
    expect(rows[0]).toBe("\ufeffseries,x,y,low,high");
    expect(rows.filter((row) => row.startsWith("each step,"))).toHaveLength(300);
    await context.close();
  }, 60_000);

  // JupyterLab hands data, layout and config of the bundle to Plotly, which shows its own tool bar.
  test("of JupyterLab: Plotly's tool bar has no way out", async () => {
    const bundle = figureBundle(stepLossFigure([1, 2, 3].map((step) => ({ step, loss: 1 / step }))));
    const { context, left } = await watched();
    const page = await context.newPage();
    await page.goto("about:blank");
    await page.setContent('<div id="figure" style="width:700px;height:400px"></div>');
    await page.addScriptTag({ path: plotlyPath() });
    const drawnWith = (config: object) =>
      page.evaluate(
        async ([figure, given]) => {
          const { Plotly } = window as unknown as { Plotly: { newPlot(...a: unknown[]): Promise<unknown> } };
          const { data, layout } = figure as { data: unknown; layout: unknown };
          await Plotly.newPlot("figure", data, layout, { ...(given as object), displayModeBar: true });
          return [...document.querySelectorAll(".modebar-btn")].map((node) => node.getAttribute("data-title"));
        },
        [bundle["application/vnd.plotly.v1+json"], config] as const,
      );
    expect((await drawnWith({})).join()).toMatch(/share/i); // what Plotly would show by itself
    const { config } = bundle["application/vnd.plotly.v1+json"] as { config: object };
    const titles = await drawnWith(config);
    expect(titles.length).toBeGreaterThan(3);
    expect(titles.join()).not.toMatch(/share|cloud|plotly/i);
    for (const button of await page.locator(".modebar-btn").all()) await button.click();
    expect(left).toEqual([]);
    await context.close();
  });
});
