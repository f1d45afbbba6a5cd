import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { register } from "../../cli/report";
import { writeRun } from "./fixture";

const root = mkdtempSync(join(tmpdir(), "rewardbook-command-"));
const home = process.cwd();
beforeAll(() => {
  mkdirSync(join(root, "metrics"));
  process.chdir(root);
  writeRun(join(root, "metrics"), { name: "one" });
  writeRun(join(root, "metrics"), { name: "two", seed: 3, skill: 0.4 });
});
afterAll(() => {
  process.chdir(home);
  rmSync(root, { recursive: true, force: true });
});

/** Runs `rewardbook report …` and returns what it wrote to stdout. */
async function report(...words: string[]): Promise<string> {
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => Boolean(written.push(String(text))));
  const program = new Command().exitOverride();
  register(program);
  try {
    await program.parseAsync(["report", ...words], { from: "user" });
  } finally {
    spy.mockRestore();
  }
  return written.join("");
}

describe("rewardbook report", () => {
  test("writes reports/NAME.html and says where", async () => {
    expect(await report("--run", "one")).toMatch(
      /^verdict    Passed the quality gate\naccuracy   \d+\.\d%\nwritten    reports\/one\.html \(1\.\d MB\)\n$/,
    );
    expect(readFileSync("reports/one.html", "utf8")).toMatch(/^<!doctype html>[^]*<\/html>\n$/);
  });

  test("--against adds the comparison; --json prints one object and nothing beside it", async () => {
    const result = JSON.parse(await report("--run", "one", "--against", "two", "--json"));
    expect(result).toMatchObject({ run: "one", out: "reports/one-against-two.html", comparison: { n_pairs: 400 } });
    expect(result.comparison.difference).toBeGreaterThan(0);
    expect(
      result.metrics.map(({ run, num_parameters }: { run: string; num_parameters: number }) => [run, num_parameters]),
    ).toEqual([
      ["one", 22_713_601],
      ["two", 22_713_601],
    ]);
    expect(readFileSync(result.out, "utf8")).toContain("Compared with two");
    expect(await report("--run", "one", "--against", "two")).toMatch(/\nArchitecture +separate +separate\n/);
  });

  test("several runs, notes and a PDF", async () => {
    writeRun(join(root, "metrics"), { name: "three", seed: 4 });
    writeFileSync("notes.md", "Seen by **me**.");
    const words = ["--run", "one", "--against", "two", "three", "--notes", "notes.md"];
    const result = JSON.parse(await report(...words, "--json"));
    expect(result.out).toBe("reports/one-against-2-runs.html");
    expect(result.comparisons).toHaveLength(2);
    const page = readFileSync(result.out, "utf8");
    expect(page).toContain("Seen by <strong>me</strong>.");
    for (const name of ["one", "two", "three"]) expect(page).toMatch(new RegExp(`<th scope="row"[^>]*>${name}</th>`));
    await expect(report("--run", "one", "--notes", "none.md")).rejects.toThrow(
      "expected a Markdown file, got nothing at none.md",
    );
    vi.stubEnv("CHROMIUM", join(root, "none"));
    await expect(report("--run", "one", "--pdf")).rejects.toThrow(/^--pdf: browser: .*reports\/one\.html is written$/);
    vi.unstubAllEnvs();
  });

  test("--out names the file", async () => {
    await report("--run", "one", "--out", "deep/er/r.html");
    expect(existsSync("deep/er/r.html")).toBe(true);
  });

  test("a run that is not there: one error, nothing written", async () => {
    await expect(report("--run", "none", "--out", "none.html")).rejects.toThrow(
      /metrics\/none: expected a run's folder, found none; it gets written by rewardbook train --run NAME/,
    );
    expect(existsSync("none.html")).toBe(false);
  });
});
