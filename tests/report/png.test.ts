import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, inflateSync } from "node:zlib";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { findBrowser } from "../../lib/report/browser";
import { deltaHistogramFigure, stepLossFigure } from "../../lib/report/figures";
import { closePng, renderPng, savePlots } from "../../lib/report/png";
import { hasBrowser } from "./browser";

const folder = mkdtempSync(join(tmpdir(), "rewardbook-png-"));
afterEach(() => vi.unstubAllEnvs());
afterAll(async () => {
  await closePng();
  rmSync(folder, { recursive: true, force: true });
});

/** Chunks of a PNG by the specification (W3C PNG, section 5.3), each with its checksum checked. */
function chunksOf(png: Buffer): { type: string; body: Buffer }[] {
  expect(png.subarray(0, 8).toString("hex")).toBe("89504e470d0a1a0a");
  const chunks = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    expect(png.readUInt32BE(at + 8 + length), `checksum of ${type}`).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
    chunks.push({ type, body: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

const figure = stepLossFigure(Array.from({ length: 200 }, (_, i) => ({ step: i + 1, loss: Math.exp(-i / 50) })));

describe.skipIf(!hasBrowser())("with a browser", () => {
  // 7 × 4 inches at 300 dots each; 300 dpi = 11,811 dots a metre.
  test("a figure has the pixels and the resolution asked for, and something drawn in it", async () => {
    const chunks = chunksOf(await renderPng(figure, { width: 7, height: 4, dpi: 300 }));
    const header = chunks[0].body;
    expect([header.readUInt32BE(0), header.readUInt32BE(4)]).toEqual([2100, 1200]);
    const resolution = chunks.find(({ type }) => type === "pHYs")!.body;
    expect([resolution.readUInt32BE(0), resolution.readUInt32BE(4), resolution[8]]).toEqual([11811, 11811, 1]);
    expect(chunks.map(({ type }) => type).indexOf("pHYs")).toBeLessThan(chunks.map(({ type }) => type).indexOf("IDAT"));
    const pixels = inflateSync(Buffer.concat(chunks.filter(({ type }) => type === "IDAT").map(({ body }) => body)));
    expect(new Set(pixels).size).toBeGreaterThan(50);
  });

  test("figures of a run become files, and the browser is gone afterwards", async () => {
    const { written, leftOut } = await savePlots({ loss: figure, deltas: deltaHistogramFigure([1, 2]) }, folder, {
      dpi: 96,
    });
    expect(leftOut).toBeNull();
    expect(written).toEqual([join(folder, "loss.png"), join(folder, "deltas.png")]);
    expect(readFileSync(written[1]).length).toBeGreaterThan(5000);
  });
});

describe("without a browser", () => {
  test("a run goes on and says how to get the pictures", async () => {
    vi.stubEnv("CHROMIUM", "");
    vi.stubEnv("PATH", folder);
    const target = join(folder, "none");
    const { written, leftOut } = await savePlots({ loss: figure }, target);
    expect(written).toEqual([]);
    expect(leftOut).toMatch(
      /^PNG plots were left out: browser: expected Chromium or Chrome, got none .*apt-get install chromium.*CHROMIUM/,
    );
    expect(existsSync(target)).toBe(false);
  });

  // A shared library is missing, a sandbox forbids it: the run is complete all the same.
  test("a browser that does not start is told like one that is absent", async () => {
    vi.stubEnv("CHROMIUM", "/bin/false");
    const { leftOut } = await savePlots({ loss: figure }, folder);
    expect(leftOut).toContain("/bin/false did not start");
  });

  test("$CHROMIUM that is no program is told, not passed over", () => {
    expect(() => findBrowser({ CHROMIUM: join(folder, "nothing"), PATH: process.env.PATH })).toThrow(
      /CHROMIUM=.*nothing is no program/,
    );
  });
});
