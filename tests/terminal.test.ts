// Every way from data, names and paths to the terminal: what a terminal would obey comes out as text.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { InputError } from "../lib/errors";
import { markdownText } from "../lib/report/markdown";
import { escapeHtml, scriptJson } from "../lib/report/escape";
import { printable, printableLine } from "../lib/terminal";

const scratch = mkdtempSync(join(tmpdir(), "terminal-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Title, clear screen, C1 form of the same, backspace, bell, right-to-left override, isolate, line separator. */
const HOSTILE = "a\x1b]0;owned\x07b\x1b[2Jc\x9b2Jd\be\u202ef\u2066g\u2028h\ri";
const STEERS = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

test("control characters are spelt out, letters of every script stay", () => {
  expect(printable(HOSTILE)).toBe("a\\x1b]0;owned\\x07b\\x1b[2Jc\\x9b2Jd\\x08e\\u202ef\\u2066g\\u2028h\\x0di");
  expect(printable("één שלום 日本 👩‍👩‍👧 ½\n")).toBe("één שלום 日本 👩‍👩‍👧 ½\n");
  expect(printableLine("one\ntwo\r\nthree")).toBe("one\\ntwo\\nthree");
  expect(new InputError(HOSTILE).message).not.toMatch(STEERS);
});

test("pages and cards show what turns the direction of writing", () => {
  expect(escapeHtml("x\u202ey")).toBe("x[U+202E]y");
  expect(JSON.parse(scriptJson({ text: "x\u2067y" }))).toEqual({ text: "x[U+2067]y" });
  expect(markdownText("x\u202dy")).toContain("U+202D");
});

describe("a command shows as text", () => {
  const run = (...args: string[]) => {
    const { stdout, stderr, status } = spawnSync("node", ["bin/rewardbook.cjs", ...args], { encoding: "utf8" });
    expect(stdout + stderr).not.toMatch(STEERS);
    return { said: stdout + stderr, status };
  };
  const file = (name: string, text: string) => {
    const path = join(scratch, name);
    writeFileSync(path, text);
    return path;
  };
  const pair = (more: object) => JSON.stringify({ prompt: "p", chosen: "a", rejected: "b", ...more }) + "\n";

  test("a path", () => {
    const { said, status } = run("check", "--pairs", join(scratch, "no\x1b[2J\u202e.jsonl"));
    expect([status, said]).toEqual([1, expect.stringContaining("no\\x1b[2J\\u202e.jsonl")]);
  });
  test("a file's name in the result", () => {
    const { said, status } = run("check", "--pairs", file("na\x1b]0;x\x07me.jsonl", pair({})));
    expect([status, said]).toEqual([0, expect.stringContaining("na\\x1b]0;x\\x07me.jsonl")]);
  });
  test("a file's name in the result as JSON, which says the same", () => {
    const name = "na\x1b]0;x\x07\x9b2J\u202eme.jsonl";
    const { said, status } = run("check", "--json", "--pairs", file(name, pair({})));
    expect([status, said]).toEqual([0, expect.stringContaining("\\u009b2J\\u202eme")]);
    expect(JSON.parse(said.trim().split("\n").at(-1)!).path).toContain(name);
  });
  test("names of fields", () => {
    const path = file("fields.jsonl", JSON.stringify({ "pro\x1b[2Jmpt": "p", "\x9b2J\u202e": 1 }) + "\n");
    expect(run("check", "--pairs", path).said).toContain("\\x1b[2J");
  });
  test("values in a warning of the split, and a forged line", () => {
    const path = file("value.jsonl", pair({}) + pair({ chosen: 1, id: "x\nwritten /etc/passwd" }));
    const { said, status } = run("split", "--pairs", path, "--out", join(scratch, "o\x1b[2Jut"));
    expect(status).toBe(1);
    expect(said).not.toMatch(/^written/m);
  });
  test("words of the command line", () => {
    expect(run("check", "--fla\x1b[2Jg\u202e").status).toBe(2);
    expect(run("che\x1b[2Jck").status).toBe(2);
    expect(run("split", "--pairs", "a", "--out", "b", "--seed", "\x1b[2J").status).toBe(2);
  });
});
