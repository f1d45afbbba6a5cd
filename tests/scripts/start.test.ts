// `npm start` from the outside: wrong words end at once, with one message and the documented exit code.
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { showProgress } from "../../scripts/progress.mjs";
import { resultsOf } from "../../scripts/results.mjs";

const root = join(__dirname, "..", "..");
const start = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "start.mjs"), ...args], { encoding: "utf8", cwd: root });

describe("npm start", () => {
  test("a file that is not there, and a folder: exit 1 before anything is set up", () => {
    const absent = start("--pairs", "no/such/file.jsonl");
    expect(absent.status).toBe(1);
    expect(absent.stderr).toMatch(
      /--pairs: expected a file of preference pairs, got nothing at .*no\/such\/file\.jsonl; check the path/,
    );
    expect(absent.stdout).toBe("");
    expect(start(`--pairs=${root}`).stderr).toContain("got a folder");
  });
});

// The notebooks run to their end whatever the gate says, so its verdict has to be told here.
describe("resultsOf", () => {
  const told = (run: string, files: Record<string, unknown>) => {
    const folder = join(root, "metrics", run);
    mkdirSync(folder, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
    try {
      return resultsOf(run, ["reports/a.html", "reports/b.html"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  };
  const criterion = (passed: boolean, text: string) => ({ passed, text, advice: `mend ${text}` });

  test("says which conditions of the gate were missed, and what to do", () => {
    const criteria = [criterion(false, "training accuracy 50.1%"), criterion(true, "gap"), criterion(false, "loss")];
    const { lines, gateFailed } = told("test-results", { "quality_gate.json": { passed: false, criteria } });
    expect(gateFailed).toBe(true);
    expect(lines).toEqual([
      "  quality gate         failed: training accuracy 50.1%; mend training accuracy 50.1%\n                       loss; mend loss",
      "  checkpoint           checkpoints/test-results/best",
      "  reports              reports/a.html",
      "                       reports/b.html",
    ]);
  });

  test("a run without a verdict has not failed; the calibration error is the symmetric one, the original's beside it", () => {
    const evaluation = {
      accuracy: 0.8,
      accuracy_ci95: [0.7, 0.9],
      n_pairs: 5,
      ece: 0.3,
      ece_symmetric: 0.05,
      temperature: 1,
    };
    const { lines, gateFailed } = told("test-results", { "test_evaluation.json": evaluation });
    expect(gateFailed).toBe(false);
    expect(lines.slice(0, 2)).toEqual([
      "  held-out accuracy    80.0%, 95% interval 70.0% to 90.0%, 5 pairs",
      "  calibration error    0.050 (symmetric ECE; the original's: 0.300), temperature 1.00",
    ]);
  });
});

describe("showProgress", () => {
  const written = (isTTY: boolean) => {
    const lines: string[] = [];
    let time = 0;
    const out = { isTTY, columns: 60, write: (text: string) => lines.push(text) };
    const display = showProgress("[1/5] 01", { out, now: () => time } as never);
    for (let i = 0; i < 30; i++) {
      time += 1000;
      display.onEvent({ event: "cell", number: 1, total: 9, heading: "Reading" } as never);
      display.onEvent({ event: "progress", text: `training ${i}/30 \u001b[31m\nred` } as never);
    }
    display.finish(true, 30);
    return lines;
  };

  test("rewrites one line on a terminal and keeps control characters out", () => {
    const lines = written(true);
    expect(lines.every((line, i) => i === lines.length - 1 || !line.includes("\n"))).toBe(true);
    expect(lines.join("")).not.toContain("\u001b[31m");
  });

  test("prints a line every ten seconds elsewhere", () => {
    const lines = written(false);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.length).toBeLessThan(6);
    expect(lines.at(-1)).toMatch(/✓ \[1\/5\] 01 +30\.0 s\n/);
  });
});
