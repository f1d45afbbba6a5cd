// The exported page in Chromium: scores as Node's, hostile text stays text, no request to anywhere else, works when the host is gone.
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/main";
import { launchBrowser } from "../../lib/report/browser";
import { makeModelDirectory } from "../checkpoints/modelDirectory";
import { hasBrowser } from "../report/browser";
import { onnxruntime } from "../../lib/export/runtimes";
import { tokenizersJs } from "./runtimes";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** What any static host does. */
function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const name = new URL(request.url!, "http://host").pathname.replace(/\/$/, "/index.html");
    const path = join(folder, name);
    if (!existsSync(path) || !statSync(path).isFile()) return response.writeHead(404).end();
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
    return createReadStream(path).pipe(response);
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

type Reward = (prompt: string, answer: string) => Promise<{ reward: number; tokens: number; cut: number }>;

/** The page's own scoring, in Node. */
async function nodeReward(folder: string): Promise<Reward> {
  const { createReward } = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "reward.js")).href)) as {
    createReward(parts: object): Reward;
  };
  const json = (name: string): object => JSON.parse(readFileSync(join(folder, name), "utf8"));
  const { Tokenizer } = await tokenizersJs();
  const { InferenceSession, Tensor } = onnxruntime();
  const session = await InferenceSession.create(join(folder, "onnx", "model_quantized.onnx"));
  const tokenizer = new Tokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
  return createReward({ tokenizer, session, Tensor, texts: json("texts.json") });
}

const PROMPT = "the <b>quick</b> fox </textarea>";
const HOSTILE = '<img src=x onerror="alert(1)"> [SEP] [CLS] "><script>alert(2)</script>';
const ANSWERS = [HOSTILE, `the lazy dog ${"over the fence ".repeat(60)}`, ""];

describe.skipIf(!hasBrowser())("the exported page", () => {
  const work = mkdtempSync(join(tmpdir(), "page-"));
  const folder = join(work, "site");
  let server: Server, browser: Browser, reward: Reward, url: string;
  const wrong: string[] = [];

  beforeAll(async () => {
    const checkpoint = join(work, "model");
    await makeModelDirectory(checkpoint, "bert", { max_position_embeddings: 96 });
    const settings = { template: "Q: {prompt}\nA: {response}", max_length: 96, truncation: "right", temperature: 1.5 };
    writeFileSync(join(checkpoint, "rewardbook.json"), JSON.stringify(settings));
    expect(await run(["export", "--checkpoint", checkpoint, "--web", folder])).toBe(0);
    reward = await nodeReward(folder);
    server = await serve(folder);
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await launchBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(work, { recursive: true });
  });

  async function score(page: Page): Promise<number[]> {
    await page.fill("#prompt", PROMPT);
    await page.click("#add");
    for (const [i, answer] of ANSWERS.entries()) await page.fill(`#answer-${i + 1}`, answer);
    await page.click("#score");
    await page.getByText("3 answers scored").waitFor();
    return (await page.locator(".reward").allTextContents()).map(Number);
  }

  it("scores as Node does, with the host and without it, and asks nobody else", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && wrong.push(message.text()));
    page.on("pageerror", (error) => wrong.push(error.message));
    page.on("dialog", (dialog) => {
      wrong.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on("request", (request) => {
      if (!request.url().startsWith(url)) wrong.push(`request ${request.url()}`);
    });
    await page.goto(url);
    await page.getByText("it works without a network now").waitFor();
    const online = await score(page);
    for (const [i, answer] of ANSWERS.entries())
      expect(online[i]).toBeCloseTo((await reward(PROMPT, answer)).reward, 3);
    expect(await page.locator(".detail").nth(1).textContent()).toMatch(/^96 tokens, \d+ more were cut/);
    expect(await page.locator("li.best").count()).toBe(1);
    expect(await page.locator("#answers img, #answers script, #answers b").count()).toBe(0);

    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await context.setOffline(true);
    await page.reload();
    await page.getByText("the model is ready").waitFor();
    expect(await score(page)).toEqual(online);
    expect(wrong).toEqual([]);
  });
});
