// The site of the documentation: every link of every page, of the API's too, leads to a file and, on pages of ours, to a heading.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inRoot } from "../../scripts/setup/steps.mjs";

const site = mkdtempSync(join(tmpdir(), "rewardbook-site-"));
afterAll(() => rmSync(site, { recursive: true, force: true }));

const linksOf = (html: string) => [...html.matchAll(/<(?:a|link|img|script)\b[^>]*?\s(?:href|src)="([^"]*)"/g)];

test("every link holds", { timeout: 300_000 }, () => {
  execFileSync(process.execPath, [inRoot("scripts", "site.mjs"), site], { stdio: "pipe" });
  const pages = readdirSync(site, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"));
  expect(pages).toEqual(
    expect.arrayContaining(["index.html", "docs/tour.html", "notebooks/03_train_reward_model.html"]),
  );
  let held = 0;
  const broken: string[] = [];
  for (const page of pages) {
    for (const [, link] of linksOf(readFileSync(join(site, page), "utf8"))) {
      if (/^([a-z]+:|$)/i.test(link)) continue;
      const [target, anchor] = decodeURI(link.replaceAll("&amp;", "&")).split("#");
      const file = target === "" ? join(site, page) : join(site, dirname(page), target);
      const ours = !page.startsWith("api/") && !page.startsWith("notebooks/");
      const there =
        existsSync(file) &&
        statSync(file).isFile() &&
        (!anchor || !ours || readFileSync(file, "utf8").includes(`id="${anchor}"`));
      if (there) held++;
      else broken.push(`${page}: ${link}`);
    }
  }
  expect(broken).toEqual([]);
  expect(held).toBeGreaterThan(500);
});
