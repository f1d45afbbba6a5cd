// The page in Chromium: live scores, the words that carry them, hostile text, no request to anywhere else, keyboard, a phone's width.
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findBrowser } from "../../lib/report/browser";
import type { RunningServer } from "../../server/serve";
import { hasBrowser } from "../report/browser";
import { openWorkplace, post } from "./served";

const work = openWorkplace();
let server: RunningServer;
let browser: Browser;

describe.skipIf(!hasBrowser())("the page", () => {
  beforeAll(async () => {
    server = await work.serve(await work.checkpoint("tiny"));
    browser = await chromium.launch({ executablePath: findBrowser(), args: ["--no-sandbox"], timeout: 120_000 });
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await work.close();
  });

  /** A fresh page, what went wrong in it, and every request that left for elsewhere. */
  async function open(options = {}): Promise<{ page: Page; wrong: string[] }> {
    const page = await browser.newPage(options);
    const wrong: string[] = [];
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    page.on("pageerror", (error) => wrong.push(error.message));
    page.on("dialog", (dialog) => {
      wrong.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) wrong.push(`request ${request.url()}`);
    });
    await page.goto(server.url);
    await scored(page, 2);
    return { page, wrong };
  }

  const scored = (page: Page, count: number) =>
    page.waitForFunction(
      (wanted) =>
        document.querySelector("#status")?.textContent === "" &&
        [...document.querySelectorAll(".score")].filter((one) => one.textContent !== "–").length === wanted,
      count,
    );
  const scores = (page: Page) => page.locator(".score").allTextContents();

  test("scores as one types, the server's own; probabilities add up; the better answer is marked", async () => {
    const { page, wrong } = await open();
    await page.fill("#prompt", "the cat");
    await page.fill("#answer-1", "sat on the mat");
    await page.fill("#answer-2", "ran");
    const { body } = await post(`${server.url}/score`, {
      prompt: "the cat",
      responses: ["sat on the mat", "ran"],
      probability: true,
    });
    await expect.poll(() => scores(page)).toEqual(body.scores.map((score: number) => score.toFixed(4)));
    const shares = (await page.locator(".probability").allTextContents()).map((text) => parseFloat(text));
    expect(shares[0] + shares[1]).toBeCloseTo(100, 0);
    expect(await page.locator(".answer").nth(body.best).getAttribute("class")).toContain("best");
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("up to eight answers, added and removed by keyboard", async () => {
    const { page, wrong } = await open();
    for (let i = 3; i <= 8; i++) {
      await page.focus("#add");
      await page.keyboard.press("Enter");
      await page.keyboard.type(`word ${i}`);
    }
    expect(await page.locator("#add").isDisabled()).toBe(true);
    await scored(page, 8);
    await page.focus(".answer:last-child .remove");
    await page.keyboard.press("Enter");
    expect(await page.locator(".answer").count()).toBe(7);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("answer-7");
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("which words carry the score: what the server says without each", async () => {
    const { page, wrong } = await open();
    await page.fill("#prompt", "the cat");
    await page.fill("#answer-1", "sat here");
    await page.focus("#answer-1");
    await page.keyboard.press("Control+Enter");
    await page.waitForSelector(".strongest li:nth-child(2)");
    const { body } = await post(`${server.url}/score`, { prompt: "the cat", responses: ["sat here", "here", "sat "] });
    const expected = [body.scores[0] - body.scores[1], body.scores[0] - body.scores[2]];
    const drawn = await page
      .locator(".words .part")
      .evaluateAll((parts) => parts.map((part) => [part.textContent, (part as HTMLElement).title]));
    const signed = (value: number) => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(4)}`;
    expect(drawn).toEqual([
      ["sat", signed(expected[0])],
      ["here", signed(expected[1])],
    ]);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("a text that was cut says so", async () => {
    const { page } = await open();
    const text = "a b c d e f g h i j k l m n o p q r s t u v w x y z";
    const { body } = await post(`${server.url}/score`, { prompt: await page.inputValue("#prompt"), response: text });
    await page.fill("#answer-1", text);
    const length = page.locator(".answer:first-child .length.cut");
    await expect.poll(() => length.textContent()).toBe(`20 tokens read, ${body.truncated_tokens} cut off`);
    await page.close();
  });

  test("hostile text stays text; nothing runs, no request leaves", async () => {
    const { page, wrong } = await open();
    const hostile =
      "<script>alert(1)</script> <img src=http://attacker.example/x onerror=alert(2)> \u202Eevil\u202C javascript:alert(3) {{7*7}}";
    await page.fill("#prompt", hostile);
    await page.fill("#answer-1", hostile);
    await page.fill("#answer-2", "x".repeat(100_000));
    await page.click(".answer:first-child .explain");
    await page.waitForSelector(".strongest li");
    expect(await page.locator(".answer:first-child .words").textContent()).toContain("<script>alert(1)</script>");
    expect(await page.evaluate(() => document.querySelectorAll("img, script:not([src])").length)).toBe(0);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test("a phone's width in the dark: nothing sticks out", async () => {
    const { page } = await open({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
    await page.fill("#answer-1", "w".repeat(300));
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(Math.max(...ground.match(/\d+/g)!.map(Number))).toBeLessThan(64);
    await page.close();
  });

  test("with a key the page asks for it", async () => {
    const locked = await work.serve(await work.checkpoint("locked"), {}, "secret");
    const page = await browser.newPage();
    await page.goto(locked.url);
    await page.waitForSelector("#key-form:not([hidden])");
    await page.fill("#key", "secret");
    await page.keyboard.press("Enter");
    await scored(page, 2);
    expect(await page.locator("#key-form").isHidden()).toBe(true);
    await page.close();
  });

  test("its policy lets no script in but its own files", async () => {
    const policy = (await fetch(server.url)).headers.get("content-security-policy")!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const html = await (await fetch(server.url)).text();
    expect(html).not.toMatch(/<script(?![^>]*src=)|\son\w+=|style="/);
  });
});
