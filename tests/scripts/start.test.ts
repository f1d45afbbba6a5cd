// `npm start` from the outside: wrong words end at once, with one message and the documented exit code.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { showProgress } from "../../scripts/progress.mjs";

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
