// In: an HTML file. Out: what a headless browser without a network saw when it opened it.
import { basename, resolve } from "node:path";
import { launchBrowser } from "../../lib/report/browser";

export interface Opened {
  readonly title: string;
  /** Figures that Plotly drew. */
  readonly figures: number;
  readonly formulas: number;
  /** Console errors and warnings, uncaught exceptions, violations of the page's security policy. */
  readonly problems: string[];
  /** Requests that left the page. */
  readonly requests: string[];
  /** `window.PWNED`: set by text that was run. */
  readonly pwned: unknown;
  readonly text: string;
}

/** Opens the files one after another; the network is off. */
export async function openOffline(files: readonly string[]): Promise<Opened[]> {
  const browser = await launchBrowser();
  const opened: Opened[] = [];
  try {
    for (const file of files) {
      const context = await browser.newContext({ offline: true, viewport: { width: 1100, height: 1400 } });
      const page = await context.newPage();
      const problems: string[] = [];
      const requests: string[] = [];
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && problems.push(message.text()));
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("request", (request) => /^(data|blob|file):/.test(request.url()) || requests.push(request.url()));
      await page.goto(`file://${resolve(file)}`);
      await page.waitForLoadState("load");
      await page.waitForTimeout(500);
      // No button of a figure may ask for anything or open another page.
      context.on("page", (popup) => requests.push(`opened ${popup.url()}`));
      for (const button of await page.locator(".plot-tool, .modebar-btn").all()) await button.click();
      const seen = await page.evaluate(() => ({
        title: document.title,
        figures:
          document.querySelectorAll(".main-svg").length > 0 ? document.querySelectorAll(".plot-container").length : 0,
        formulas: document.querySelectorAll("math").length,
        pwned: (window as unknown as { PWNED?: unknown }).PWNED ?? null,
        text: document.body.innerText,
      }));
      opened.push({ ...seen, problems, requests });
      await context.close();
    }
  } finally {
    await browser.close();
  }
  return opened;
}

/** What a telephone's reader does not see whole: texts that leave their figure, a page that is wider than the screen. */
export async function cutOnPhone(files: readonly string[]): Promise<string[]> {
  const browser = await launchBrowser();
  const cut: string[] = [];
  try {
    const page = await (await browser.newContext({ offline: true, viewport: { width: 390, height: 844 } })).newPage();
    for (const file of files) {
      await page.goto(`file://${resolve(file)}`);
      await page.waitForFunction(() => document.documentElement.dataset.drawn !== undefined);
      const found = await page.evaluate(() => {
        const wide = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
        const texts = [...document.querySelectorAll(".plot .main-svg text")].filter((text) => {
          const [inner, outer] = [text.getBoundingClientRect(), text.closest(".plot")!.getBoundingClientRect()];
          return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.bottom > outer.bottom + 1;
        });
        return [...wide, ...texts.map((text) => text.textContent ?? "")];
      });
      cut.push(...found.map((text) => `${basename(file)}: ${text}`));
    }
  } finally {
    await browser.close();
  }
  return cut;
}
