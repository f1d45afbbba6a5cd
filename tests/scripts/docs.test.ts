// Links of the documentation: the file is there, and where the link names a symbol, the file exports it.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const root = join(__dirname, "..", "..");
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith(".md") && name !== "LOG.md"),
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** What is wrong with a link, or null. */
function fault(page: string, link: string): string | null {
  const [target, symbol] = link.split("#");
  if (target === "" || /^[a-z]+:/.test(target)) return null;
  const file = join(root, dirname(page), target);
  if (!existsSync(file)) return "no such file";
  if (symbol === undefined || !file.endsWith(".ts")) return null;
  const exported = new RegExp(`^export (async )?(function\\*?|const|class|interface|type) ${symbol}\\b`, "m");
  return exported.test(readFileSync(file, "utf8")) ? null : `exports no ${symbol}`;
}

test.each(pages)("links of %s", (page) => {
  const links = [...readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
  const faults = links.map((link) => [link, fault(page, link)]).filter(([, why]) => why !== null);
  expect(faults).toEqual([]);
});

test("a link that leads nowhere is found", () => {
  expect(fault("docs/tour.md", "../lib/nowhere.ts")).toBe("no such file");
  expect(fault("docs/tour.md", "../lib/split.ts#noSuchName")).toBe("exports no noSuchName");
});

test("the picture of the rooms is the code's", () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts", "rooms.mjs"), "--check"], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
});
