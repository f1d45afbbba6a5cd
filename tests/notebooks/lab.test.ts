// A reader in JupyterLab: one server, one browser. What the protocol's test cannot see: what is on the page.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOTEBOOKS } from "../../scripts/notebooks.mjs";
import {
  cellsOf,
  copyUnrun,
  errorsOf,
  idle,
  openLab,
  readCells,
  writeNotebook,
  type Lab,
  type NotebookCell,
} from "./labServer";

const root = join(__dirname, "..", "..");
const run = "test-lab";
const fast = { epochs: 1, max_steps: 4, max_length: 32, batch_size: 8, policy_steps: 2, policy_samples: 2 };
const cellSources = [
  'import { notebookConfig, plotFrame, splitPairs, trainRewardModel } from "rewardbook";\nconst kept: number[] = [41];\nkept.length',
  "kept.push(1);\nthrow new RangeError('too far');",
  "kept.reduce((sum, value) => sum + value)",
  'plotFrame({ columns: ["risk", "pairs"], values: [["High", 3], ["Low", 4]] }, { kind: "bar", x: "risk" })',
  "const training = { ...notebookConfig().training, max_steps: 0, epochs: 200 };\nlet result = await trainRewardModel(training);",
  "result.metrics.training_steps",
  "result = await trainRewardModel({ ...training, resume: true, overwrite: false });",
  "let steps = 0;\nconsole.log('counting');\nawait new Promise((go) => setTimeout(go, 300));\nwhile (true) steps++;",
  "steps >= 0",
  "Math.ma",
  "splitPairs(",
  "trainRewardModel({ epochs",
];
const [names, thrown, sum, figure, training, trained, resumed, endless, counted, member, call, field] =
  cellSources.keys();

let lab: Lab;
let cells: ReturnType<typeof cellsOf>;

beforeAll(async () => {
  lab = await openLab({ RB_NOTEBOOK_CONFIG: join(root, "metrics", `${run}.json`) });
  const rows = Array.from({ length: 60 }, (_, i) => ({
    prompt: `What is ${i} plus ${i * 7}?`,
    chosen: `It is ${i * 8}, by adding the ones and then the tens.`,
    rejected: `It may be ${i * 8 + 1}.`,
    risk_level: ["Low", "High"][i % 2],
  }));
  const pairs = join(lab.folder, "pairs.jsonl");
  writeFileSync(pairs, rows.map((row) => JSON.stringify(row)).join("\n"));
  mkdirSync(join(root, "metrics"), { recursive: true });
  writeFileSync(join(root, "metrics", `${run}.json`), JSON.stringify({ ...fast, run, pairs }));
  writeNotebook(join(lab.folder, "probe.ipynb"), cellSources);
  cells = cellsOf(lab.page);
  await lab.open("probe.ipynb");
}, 240_000);

afterAll(async () => {
  await lab?.endKernels();
  await lab?.close();
  rmSync(join(root, "metrics", `${run}.json`), { force: true });
  for (const part of ["data", "metrics", "checkpoints"])
    rmSync(join(root, part, run), { recursive: true, force: true });
});

describe("a reader in JupyterLab", () => {
  // As it comes JupyterLab asks whether to fetch its news, over the first cells, and looks for a newer version.
  test("is not asked to fetch anything", async () => {
    const config = JSON.parse((await lab.page.locator("#jupyter-config-data").textContent())!);
    expect(config.news).toEqual({ disabled: true });
    expect(await lab.page.evaluate(() => fetch("/lab/api/update").then((answer) => answer.json()))).toEqual({
      notification: null,
    });
    expect(await lab.page.locator(".Toastify__toast").count()).toBe(0);
  });

  // JupyterLab waits one second for an answer.
  test("completes with the first Tab of a new kernel", async () => {
    await cells.placeCursor(member);
    await lab.page.keyboard.press("Tab");
    await lab.page.locator(".jp-Completer-item", { hasText: "max" }).waitFor({ timeout: 3000 });
    await lab.page.keyboard.press("Enter");
    expect(await cells.source(member)).toBe("Math.max");
  }, 30_000);

  test("a cell that throws shows its line, keeps its names, and runs again", async () => {
    await cells.run(names);
    await cells.run(thrown);
    expect(await cells.output(thrown)).toMatch(
      /RangeError: too far[\s\S]*cell \[2\]:2:7[\s\S]*2 \| throw new RangeError/,
    );
    await cells.run(sum);
    expect((await cells.output(sum)).trim()).toBe("42");
    await cells.run(thrown);
    await cells.run(sum);
    expect((await cells.output(sum)).trim()).toBe("43");
  }, 90_000);

  test.each([
    [
      "inside a call's parentheses, the signature and what the function does",
      () => call,
      0,
      /splitPairs\(pairs: [\s\S]*Splits by question/,
    ],
    ["on a field of the configuration, its description", () => field, 2, /passes over the training pairs/],
  ])("Shift+Tab shows, %s", async (_, index, back, expected) => {
    await cells.placeCursor(index(), back);
    await lab.page.keyboard.press("Shift+Tab");
    const tip = lab.page.locator(".jp-Tooltip");
    await tip.waitFor({ timeout: 15_000 });
    expect(await tip.innerText()).toMatch(expected);
    await lab.page.keyboard.press("Escape");
    await tip.waitFor({ state: "detached" });
  });

  test("every button of a figure's tool bar stays on the page", async () => {
    await cells.run(figure);
    const bar = cells.cell(figure).locator(".modebar-btn");
    await expect.poll(() => bar.count(), { timeout: 30_000 }).toBeGreaterThan(3);
    const titles = await bar.evaluateAll((buttons) => buttons.map((button) => button.getAttribute("data-title") ?? ""));
    expect(titles.filter((title) => /share|cloud|edit/i.test(title))).toEqual([]);
    for (let i = 0; i < titles.length; i++) {
      await cells.cell(figure).locator(".js-plotly-plot").hover();
      await bar.nth(i).click({ force: true });
    }
    await lab.page.waitForTimeout(300);
    expect(lab.outside).toEqual([]);
    expect(lab.page.context().pages().length).toBe(1);
  }, 90_000);

  test("■ stops training after its step; the next cells work, and training goes on from there", async () => {
    await cells.start(training);
    await expect.poll(() => cells.output(training), { timeout: 60_000 }).toMatch(/training.*[3-9]\d*\/\d+/);
    await cells.interrupt(training);
    await cells.ended(training);
    expect(await cells.output(training)).toMatch(/stopped after step \d+; with resume: true it goes on from there/);
    await cells.run(trained);
    const before = Number(await cells.output(trained));
    expect(before).toBeGreaterThan(2);
    await cells.start(resumed);
    await expect.poll(() => cells.output(resumed), { timeout: 60_000 }).toContain(`resumed after step ${before}`);
    await expect.poll(() => cells.output(resumed), { timeout: 60_000 }).toMatch(/training.*\d+\/\d+/);
    await cells.interrupt(resumed);
    await cells.ended(resumed);
    await cells.run(trained);
    expect(Number(await cells.output(trained))).toBeGreaterThan(before);
  }, 150_000);

  test("■ breaks off a cell that computes without a pause; those behind it are not run", async () => {
    await cells.start(endless);
    await cells.start(counted);
    await expect.poll(() => cells.output(endless), { timeout: 30_000 }).toContain("counting");
    await lab.page.waitForTimeout(1000);
    await cells.interrupt(endless);
    await cells.ended(endless);
    expect(await cells.output(endless)).toContain("the cell was stopped");
    expect(await cells.output(counted)).toBe("");
    await cells.run(counted);
    expect((await cells.output(counted)).trim()).toBe("true");
  }, 90_000);

  test("a restarted kernel knows nothing and runs again", async () => {
    await cells.select(sum);
    await lab.page.keyboard.press("0");
    await lab.page.keyboard.press("0");
    await lab.page.locator(".jp-Dialog .jp-mod-accept").click({ timeout: 10_000 });
    await idle(lab.page);
    await cells.run(sum);
    expect(await cells.output(sum)).toContain("Cannot find name 'kept'");
    await cells.run(names);
    expect((await cells.output(names)).trim()).toBe("1");
    await lab.endKernels();
  }, 90_000);

  // In their order: a walkthrough reads what those before it wrote.
  test.each([...NOTEBOOKS, "own_pairs"])(
    "Run All takes %s to its last check",
    async (name) => {
      const file = join(lab.folder, `${name}.ipynb`);
      copyUnrun(join(root, "notebooks", `${name}.ipynb`), file);
      await lab.open(`${name}.ipynb`);
      await lab.page.getByRole("menuitem", { name: "Run", exact: true }).click();
      await lab.page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
      let ran: NotebookCell[] = [];
      const last = async () => {
        await lab.page.keyboard.press("Control+s");
        ran = readCells(file)?.filter(({ cell_type, outputs }) => cell_type === "code" && outputs) ?? [];
        return JSON.stringify(ran.at(-1)?.outputs ?? []);
      };
      await expect.poll(last, { timeout: 300_000, interval: 1000 }).toContain("✓");
      expect(JSON.stringify(ran.at(-1)?.outputs)).not.toContain("✗");
      expect(ran.flatMap(errorsOf)).toEqual([]);
      await lab.endKernels();
    },
    330_000,
  );
});
