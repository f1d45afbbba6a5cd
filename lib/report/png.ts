// In: a figure. Out: a PNG of it at a given resolution, drawn by one headless Chromium that is started once.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { BrowserMissing, launchBrowser } from "./browser";
import type { Figure } from "./figures/figure";

export interface PngOptions {
  /** Inches on paper. */
  readonly width?: number;
  readonly height?: number;
  /** Dots per inch, written into the file too. */
  readonly dpi?: number;
}

let started: Promise<{ browser: Browser; page: Page }> | null = null;
let idle: NodeJS.Timeout | undefined;
const IDLE_MS = 60_000;

/** Path of the Plotly bundle that PNGs and reports use. */
export function plotlyPath(): string {
  return require.resolve("plotly.js-cartesian-dist-min/plotly-cartesian.min.js");
}

async function start(): Promise<{ browser: Browser; page: Page }> {
  const browser = await launchBrowser();
  const page = await (await browser.newContext({ offline: true })).newPage();
  await page.setContent('<!doctype html><meta charset="utf-8"><body></body>');
  await page.addScriptTag({ path: plotlyPath() });
  return { browser, page };
}

const CSS_DPI = 96;

/**
 * Draws one figure; the default is the original notebook's 7 × 4 inches at 300 dpi. @throws BrowserMissing
 *
 * @example
 * ```ts
 * await writeFile("reliability.png", await renderPng(reliabilityFigure([]), { dpi: 300 }));
 * ```
 */
export async function renderPng(
  figure: Figure,
  { width = 7, height = 4.4, dpi = 300 }: PngOptions = {},
): Promise<Buffer> {
  started ??= start().catch((error) => {
    started = null;
    throw error;
  });
  const { page } = await started;
  clearTimeout(idle);
  idle = setTimeout(() => void closePng(), IDLE_MS).unref();
  const address = await page.evaluate(
    async ([drawn, options]) => {
      const plotly = (globalThis as unknown as { Plotly: { toImage(f: unknown, o: unknown): Promise<string> } }).Plotly;
      return plotly.toImage(drawn, options);
    },
    [
      { data: figure.data, layout: figure.layout } as unknown,
      { format: "png", width: width * CSS_DPI, height: height * CSS_DPI, scale: dpi / CSS_DPI },
    ] as const,
  );
  return withResolution(Buffer.from(address.slice(address.indexOf(",") + 1), "base64"), dpi);
}

/**
 * Closes the browser; the process could not end otherwise. A minute without a figure closes it too.
 *
 * @example
 * ```ts
 * await renderPng(reliabilityFigure([]));
 * await closePng(); // ends the browser that drew it
 * ```
 */
export async function closePng(): Promise<void> {
  clearTimeout(idle);
  const running = started;
  started = null;
  await (await running?.catch(() => null))?.browser.close();
}

const PNG_HEADER_END = 33;
const METRES_PER_INCH = 0.0254;

/** Writes the resolution into a PNG (`pHYs` chunk after the header), so that it prints at its size. */
function withResolution(png: Buffer, dpi: number): Buffer {
  const perMetre = Math.round(dpi / METRES_PER_INCH);
  const body = Buffer.alloc(13);
  body.write("pHYs", 0, "latin1");
  body.writeUInt32BE(perMetre, 4);
  body.writeUInt32BE(perMetre, 8);
  body.writeUInt8(1, 12);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length - 4);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([png.subarray(0, PNG_HEADER_END), length, body, check, png.subarray(PNG_HEADER_END)]);
}

export interface SavedPlots {
  /** Paths written. */
  readonly written: string[];
  /** Why PNGs were left out, with the remedy; null when all were written. */
  readonly leftOut: string | null;
}

/**
 * Writes `NAME.png` for each figure into a folder, then closes the browser; without a browser it says so and goes on.
 *
 * @example
 * ```ts
 * await savePlots(runFigures(readRun("metrics/mine")), "metrics/mine/plots");
 * ```
 */
export async function savePlots(
  figures: Readonly<Record<string, Figure>>,
  folder: string,
  options: PngOptions = {},
): Promise<SavedPlots> {
  const written: string[] = [];
  try {
    for (const [name, figure] of Object.entries(figures)) {
      const png = await renderPng(figure, options);
      await mkdir(folder, { recursive: true });
      const path = join(folder, `${name}.png`);
      await writeFile(path, png);
      written.push(path);
    }
    return { written, leftOut: null };
  } catch (error) {
    if (error instanceof BrowserMissing) return { written, leftOut: `PNG plots were left out: ${error.message}` };
    throw error;
  } finally {
    await closePng();
  }
}
