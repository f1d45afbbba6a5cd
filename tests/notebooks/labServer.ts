// In: notebooks. Out: JupyterLab on them and a browser's page in it, with what leaves the machine noted.
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator, Page } from "playwright-core";
import { expect } from "vitest";
import { launchBrowser } from "../../lib/report/browser";
import { labEnvironment, NOTHING_FETCHED } from "../../scripts/labArguments.mjs";

const root = join(__dirname, "..", "..");
const START_MS = 150_000; // a busy machine takes its time

export interface Lab {
  /** JupyterLab's files; removed at the end. */
  readonly folder: string;
  readonly page: Page;
  /** Addresses other than this machine's that the page asked for. */
  readonly outside: readonly string[];
  open(file: string): Promise<void>;
  /** Ends every kernel. */
  endKernels(): Promise<void>;
  close(): Promise<void>;
}

/** A new notebook of code cells. */
export function writeNotebook(file: string, sources: readonly string[]): void {
  const kernelspec = { name: "rewardbook", display_name: "Rewardbook (TypeScript)", language: "typescript" };
  const empty = { cell_type: "code", execution_count: null, metadata: {}, outputs: [] };
  const cells = sources.map((source, i) => ({ ...empty, id: `cell-${i}`, source }));
  writeFileSync(file, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
}

/** Starts JupyterLab on a free port and a browser. */
export async function openLab(env: NodeJS.ProcessEnv = {}): Promise<Lab> {
  const folder = mkdtempSync(join(tmpdir(), "rewardbook-lab-"));
  const { server, address } = await startServer(folder, env);
  const browser = await launchBrowser();
  const page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
  const outside: string[] = [];
  page.on("request", (request) => {
    if (!/^(data|blob):|^(http|ws):\/\/127\.0\.0\.1:/.test(request.url())) outside.push(request.url());
  });
  const token = address.searchParams.get("token")!;
  const ask = (path: string, method = "GET") =>
    fetch(new URL(path, address), { method, headers: { Authorization: `token ${token}` } });
  return {
    folder,
    page,
    outside,
    async open(file) {
      await page.goto(`${address.origin}/lab/tree/${file}?token=${token}&reset`);
      await idle(page);
    },
    async endKernels() {
      const sessions = (await (await ask("/api/sessions")).json()) as { id: string }[];
      for (const { id } of sessions) await ask(`/api/sessions/${id}`, "DELETE");
    },
    close: () => close(browser, server, folder),
  };
}

/** Until the status bar calls the kernel idle (the notebook's own sign says so before there is a kernel). */
export const idle = (page: Page) =>
  page.locator("#jp-main-statusbar", { hasText: "(TypeScript) | Idle" }).waitFor({ timeout: START_MS });

/** The address with its token is in what JupyterLab says. */
function startServer(folder: string, env: NodeJS.ProcessEnv): Promise<{ server: ChildProcess; address: URL }> {
  const asRoot = process.getuid?.() === 0 ? ["--allow-root"] : [];
  const listening = ["--no-browser", "--port=0", "--ServerApp.ip=127.0.0.1", "--ServerApp.root_dir", folder];
  const args = [...listening, ...NOTHING_FETCHED, ...asRoot];
  const server = spawn(join(root, ".venv", "bin", "jupyter-lab"), args, {
    // settings of the user who runs the tests are not asked
    env: {
      ...labEnvironment(process.env),
      JUPYTER_CONFIG_DIR: join(folder, ".config"),
      JUPYTER_DATA_DIR: join(folder, ".data"),
      ...env,
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "";
    server.stderr!.on("data", (chunk) => {
      said = (said + chunk).slice(-10_000);
      const found = /http:\/\/127\.0\.0\.1:\d+\/lab\?token=\w+/.exec(said);
      if (found) resolve({ server, address: new URL(found[0]) });
    });
    server.once("close", () => reject(new Error(`JupyterLab ended: ${said}`)));
  });
}

async function close(browser: Browser, server: ChildProcess, folder: string): Promise<void> {
  await browser.close();
  if (server.exitCode === null) {
    const ended = new Promise((resolve) => server.once("close", resolve));
    server.kill("SIGTERM");
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}

/** What a reader does with the cells of the open notebook. */
export function cellsOf(page: Page) {
  const cell = (index: number): Locator => page.locator(".jp-Notebook .jp-CodeCell").nth(index);
  const number = (index: number) => cell(index).locator(".jp-InputPrompt").innerText();
  const select = (index: number) => cell(index).locator(".jp-InputPrompt").click();
  const start = async (index: number) => {
    await select(index);
    await page.keyboard.press("Control+Enter");
  };
  /** Until the cell has a number other than `before`. */
  const ended = (index: number, before = "") =>
    expect
      .poll(() => number(index), { timeout: 60_000 })
      .toSatisfy((text: string) => /^\[\d+\]:/.test(text) && text !== before);
  return {
    cell,
    select,
    start,
    ended,
    number,
    source: (index: number) => cell(index).locator(".cm-content").innerText(),
    output: async (index: number) => (await cell(index).locator(".jp-OutputArea-output").allInnerTexts()).join("\n"),
    /** Runs a cell to its end. */
    async run(index: number) {
      const before = await number(index);
      await start(index);
      await ended(index, before);
    },
    /** The cursor at the end of a cell's text, or `back` places before it. */
    async placeCursor(index: number, back = 0) {
      await cell(index).locator(".cm-content").click();
      await page.keyboard.press("Control+End");
      for (let i = 0; i < back; i++) await page.keyboard.press("ArrowLeft");
    },
    /** The stop button's key, in command mode. */
    async interrupt(index: number) {
      await select(index);
      await page.keyboard.press("i");
      await page.keyboard.press("i");
    },
  };
}

export interface NotebookCell {
  readonly cell_type: string;
  outputs?: unknown[];
  execution_count?: number | null;
}

/** What went wrong in a cell. */
export const errorsOf = ({ outputs = [] }: NotebookCell): unknown[] =>
  outputs.filter((output) => (output as { output_type?: string }).output_type === "error");

/** Cells of a notebook file; null where JupyterLab is amid writing it. */
export function readCells(file: string): NotebookCell[] | null {
  try {
    return JSON.parse(readFileSync(file, "utf8")).cells;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** A committed notebook as a new one: nothing in it has been run. */
export function copyUnrun(from: string, to: string): void {
  const notebook: { cells: NotebookCell[] } = JSON.parse(readFileSync(from, "utf8"));
  for (const cell of notebook.cells)
    if (cell.cell_type === "code") Object.assign(cell, { outputs: [], execution_count: null });
  writeFileSync(to, JSON.stringify(notebook));
}
