// The notebooks, executed as `npm start` executes them, on a user's hostile pairs; 01 on synthetic ones as well.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { NOTEBOOKS, runNotebook } from "../../scripts/notebooks.mjs";
import { writeNotebook } from "./labServer";
import { cutOnPhone, openOffline, type Opened } from "./openOffline";

const root = join(__dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "rewardbook-notebooks-"));
const runs = ["test-hostile", "test-synthetic"];
const fast = {
  ...{ epochs: 1, max_steps: 4, max_length: 64, batch_size: 8, tokens_per_batch: 1024 },
  ...{ policy_steps: 4, policy_samples: 2 },
};

const ATTACK = `</script><script>window.PWNED=1</script><img src=x onerror="window.PWNED=2"> $x$ {{7*7}} \u001b[31m \u202e`;

function writeConfig(name: string, config: object): string {
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  return file;
}

/** Plain pairs whose every text tries to be run. */
function writeHostilePairs(): string {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    id: `${ATTACK} ${i}`,
    prompt: `What is ${i} plus ${i * 7}? ${ATTACK}`,
    chosen: `It is ${i * 8}, by adding the ones and then the tens. ${ATTACK}`,
    rejected: `It may be ${i * 8 + 1}. ${ATTACK}`,
    category: [ATTACK, "sums", "constructor", "__proto__", "toString"][i % 5],
    subset: ["hasOwnProperty", "__proto__"][i % 2],
    risk_level: ["Low", ATTACK, "constructor", "__proto__", "valueOf", "Low"][i % 6],
  }));
  const file = join(folder, "pairs.jsonl");
  writeFileSync(file, rows.map((row) => JSON.stringify(row)).join("\n"));
  return file;
}

interface Cell {
  readonly id: string;
  readonly cell_type: string;
  readonly execution_count?: number;
  readonly source: string | string[];
  readonly outputs?: readonly {
    readonly data?: Record<string, string | string[]>;
    readonly text?: string | string[];
  }[];
}
const cellsOf = (file: string): Cell[] => JSON.parse(readFileSync(file, "utf8")).cells;
const committed = (name: string) => join(root, "notebooks", `${name}.ipynb`);
const joined = (text: string | string[] | undefined) => (Array.isArray(text) ? text.join("") : (text ?? ""));
/** What a reader sees of a cell's outputs, as text. */
const told = ({ outputs = [] }: Cell) =>
  outputs.map(({ data, text }) => joined(text ?? data?.["text/plain"])).join("\n");

const PLOTLY = "application/vnd.plotly.v1+json";
const figureCounts = {
  "01_data_generation": 2,
  "02_loss_walkthrough": 3,
  "03_train_reward_model": 8,
  "04_evaluate": 9,
  "05_rerank_demo": 1,
  "06_use_the_reward": 2,
};

interface Result {
  status: number;
  error: { ename: string; evalue: string; number: number } | null;
}
const executed: Record<string, Result> = {};
const fileOf = (key: string, extension: string) => join(folder, `${key}.${extension}`);

async function execute(key: string, name: string, config: string, source?: string): Promise<void> {
  executed[key] = await runNotebook({
    name,
    source,
    config,
    executed: fileOf(key, "ipynb"),
    html: fileOf(key, "html"),
  });
}

beforeAll(async () => {
  mkdirSync(join(root, "metrics"), { recursive: true });
  const hostile = writeConfig("hostile", { ...fast, run: runs[0], pairs: writeHostilePairs() });
  for (const name of NOTEBOOKS) await execute(name, name, hostile);
  await execute("synthetic", NOTEBOOKS[0], writeConfig("synthetic", { run: runs[1] }));
  await execute("no config", NOTEBOOKS[0], join(folder, "absent.json"));
}, 600_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const run of runs)
    for (const part of ["data", "metrics", "checkpoints"])
      rmSync(join(root, part, run), { recursive: true, force: true });
});

describe("the notebooks", () => {
  test.each([...NOTEBOOKS, "synthetic"])("%s runs to its last check", (key) => {
    expect(executed[key].error).toBeNull();
    expect(executed[key].status).toBe(0);
    const outputs = JSON.stringify(JSON.parse(readFileSync(fileOf(key, "ipynb"), "utf8")).cells.at(-1).outputs);
    expect(outputs).toContain("✓");
    expect(outputs).not.toContain("✗");
  });

  // A code-hosting site and a plain Jupyter show these; PNG's first bytes in base64.
  test("carry a picture beside each figure", () => {
    const outputs = NOTEBOOKS.flatMap((name: string) =>
      JSON.parse(readFileSync(fileOf(name, "ipynb"), "utf8")).cells.flatMap(
        (cell: { outputs?: { data?: Record<string, string> }[] }) => cell.outputs ?? [],
      ),
    ).filter(({ data }: { data?: Record<string, string> }) => data?.["application/vnd.plotly.v1+json"]);
    expect(outputs.length).toBeGreaterThan(10);
    for (const { data } of outputs) expect(data["image/png"]?.slice(0, 11)).toBe("iVBORw0KGgo");
  });

  test("run no script but the page's own, by its hash", () => {
    for (const name of NOTEBOOKS) {
      const page = readFileSync(fileOf(name, "html"), "utf8");
      expect(/script-src ([^;]*);/.exec(page)?.[1]).toMatch(/^'sha256-[\w+/=]+'( 'sha256-[\w+/=]+')*$/);
    }
  });

  test("are numbered", () => {
    const cells = cellsOf(fileOf(NOTEBOOKS[1], "ipynb")).filter(({ cell_type }) => cell_type === "code");
    expect(cells.map(({ execution_count }) => execution_count)).toEqual(cells.map((_, i) => i + 1));
  });

  // Ctrl-C twice: the first interrupts the cell, the second ends the run.
  test("an ended one says so in a word, and what was made is kept", async () => {
    const source = join(folder, "endless.ipynb");
    const sources = ["console.log('made');", "await new Promise((go) => setTimeout(go, 600_000));"];
    writeNotebook(source, sources);
    const [executedFile, html] = [fileOf("endless", "ipynb"), fileOf("endless", "html")];
    const run = runNotebook({
      ...{ name: "endless", source, config: writeConfig("endless", {}), executed: executedFile, html },
      onEvent: ({ event, number }: { event: string; number?: number }) => {
        if (event === "cell" && number === 2) for (let i = 0; i < 2; i++) run.stop();
      },
    });
    const { status, error } = await run;
    expect(status).toBe(1);
    expect(error).toMatchObject({ ename: "Stopped", evalue: "ended before its last cell", traceback: "" });
    expect(told(cellsOf(executedFile)[0])).toBe("made\n");
    expect(readFileSync(html, "utf8")).toContain("made");
  }, 120_000);

  test("a failing cell ends with its name and cause, and what was made is kept", () => {
    expect(executed["no config"].status).toBe(1);
    expect(executed["no config"].error).toMatchObject({ ename: "InputError", number: 1 });
    expect(executed["no config"].error!.evalue).toContain("absent.json");
    expect(readFileSync(fileOf("no config", "html"), "utf8")).toContain("InputError");
  });
});

describe("the committed notebooks", () => {
  test.each(NOTEBOOKS)("%s shows what it did, small enough for a code-hosting site", (name: string) => {
    const file = committed(name);
    expect(statSync(file).size).toBeLessThan(400_000);
    const cells = cellsOf(file);
    const figures = cells.flatMap(({ outputs = [] }) => outputs).filter(({ data }) => data?.[PLOTLY]);
    expect(figures.length).toBe(figureCounts[name as keyof typeof figureCounts]);
    for (const { data } of figures) expect(joined(data!["image/png"]).slice(0, 11)).toBe("iVBORw0KGgo");
    const last = told(cells.filter(({ cell_type }) => cell_type === "code").at(-1)!);
    expect(last).toContain("✓");
    expect(last).not.toContain("✗");
    expect(readFileSync(file, "utf8")).not.toMatch(/\/(work|home|root|tmp)\//);
  });

  test.each([...NOTEBOOKS, "own_pairs"])(
    "%s has short cells with ids of their own, and the kernel that VS Code looks for",
    (name: string) => {
      const { metadata, cells } = JSON.parse(readFileSync(committed(name), "utf8"));
      expect(metadata.kernelspec).toEqual({
        display_name: "Rewardbook (TypeScript)",
        language: "typescript",
        name: "rewardbook",
      });
      expect(metadata.language_info).toMatchObject({ name: "typescript", file_extension: ".ts" });
      expect(new Set(cells.map(({ id }: Cell) => id)).size).toBe(cells.length);
      const code = (cells as Cell[]).filter(({ cell_type }) => cell_type === "code");
      for (const cell of code) expect(joined(cell.source).split("\n").length, cell.id).toBeLessThanOrEqual(20);
      for (const cell of code)
        for (const line of joined(cell.source).split("\n")) expect(line.length).toBeLessThanOrEqual(132);
    },
  );

  // Notebook 02 depends on nothing, 01 on the seed alone. Would fail if the loss, the generator or a notebook changed
  // and the committed outputs did not.
  test.each([
    [NOTEBOOKS[1], NOTEBOOKS[1]],
    [NOTEBOOKS[0], "synthetic"],
  ])("the figures of %s are those of a fresh run", (name, key) => {
    const fresh = new Map(cellsOf(fileOf(key, "ipynb")).map((cell) => [cell.id, told(cell)]));
    for (const cell of cellsOf(committed(name)).filter(({ cell_type }) => cell_type === "code")) {
      if (/openNotebook\(/.test(joined(cell.source))) continue; // the speed of a machine
      const same = told(cell).replaceAll("data/default/", `data/${runs[1]}/`);
      expect(fresh.get(cell.id), cell.id).toBe(same);
    }
  });
});

describe("the exported pages", () => {
  let pages: Opened[];
  beforeAll(async () => {
    pages = await openOffline(NOTEBOOKS.map((name: string) => fileOf(name, "html")));
  }, 120_000);

  test("open without a request and without an error", () => {
    expect(pages.flatMap((page) => page.requests)).toEqual([]);
    expect(pages.flatMap((page) => page.problems)).toEqual([]);
  });

  test("draw every figure and every formula", () => {
    expect(Object.fromEntries(NOTEBOOKS.map((name: string, i: number) => [name, pages[i].figures]))).toEqual(
      // No hostile answer is short enough for the policy to learn from: it has no curve.
      { ...figureCounts, "06_use_the_reward": 1 },
    );
    expect(pages[1].formulas).toBeGreaterThan(10);
  });

  test("fit on a telephone, the titles of axes too", async () => {
    expect(await cutOnPhone(NOTEBOOKS.map((name: string) => fileOf(name, "html")))).toEqual([]);
  }, 120_000);

  // The answer lies inside the element that hides it, and not behind it.
  test("hide their answers until they are asked for", () => {
    const html = NOTEBOOKS.map((name: string) => readFileSync(fileOf(name, "html"), "utf8")).join("");
    const hidden = [...html.matchAll(/<details><summary>(?:Answer|Solutions)<\/summary>([\s\S]*?)<\/details>/g)];
    expect(hidden.length).toBeGreaterThan(12);
    for (const [, answer] of hidden) expect(answer).toMatch(/<(p|ol)>[\s\S]*\w/);
  });

  // Would fail if a table, a figure's label or a printed line let data through as markup.
  test("show hostile data as text", () => {
    expect(pages.map((page) => page.pwned)).toEqual(NOTEBOOKS.map(() => null));
    expect(pages[0].text).toContain("<img src=x onerror=");
  });
});
