// The browser that set-up brings, unpacked as set-up does and drawing a picture with nothing of the machine's but libc.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { findBrowser } from "../../lib/report/browser";
import { stepLossFigure } from "../../lib/report/figures";
import { closePng, renderPng } from "../../lib/report/png";
import { carriesBrowser, hasOwnBrowser, unpackBrowser } from "../../scripts/setup/browser.mjs";
import { listSteps } from "../../scripts/setup.mjs";

const folder = mkdtempSync(join(tmpdir(), "rewardbook-browser-"));
afterAll(async () => {
  vi.unstubAllEnvs();
  await closePng();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!carriesBrowser())("on Linux, x64", () => {
  test("a machine without a browser draws pictures after set-up", async () => {
    const target = join(folder, "browser");
    await unpackBrowser(target);
    vi.stubEnv("CHROMIUM", "");
    vi.stubEnv("PATH", join(folder, "empty"));
    expect(findBrowser(process.env, target)).toBe(join(target, "chromium"));
    for (const library of ["libnss3.so", "libnspr4.so", "libexpat.so.1"])
      expect(existsSync(join(target, "lib", library))).toBe(true);
    vi.stubEnv("CHROMIUM", join(target, "chromium"));
    const png = await renderPng(stepLossFigure([1, 2, 3].map((step) => ({ step, loss: 1 / step }))), { dpi: 96 });
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.length).toBeGreaterThan(5000);
  }, 60_000);

  test("set-up unpacks it only where the machine has none", () => {
    const names = (ownBrowser: boolean) => listSteps({ ownBrowser }).steps.map(({ name }: { name: string }) => name);
    expect(names(false)).toContain("picture browser");
    expect(names(true)).not.toContain("picture browser");
    expect(hasOwnBrowser({ PATH: folder })).toBe(false);
    expect(hasOwnBrowser({ PATH: "", CHROMIUM: "/bin/true" })).toBe(true);
  });
});
