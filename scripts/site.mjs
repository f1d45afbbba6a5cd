#!/usr/bin/env node
// In: the README, docs/, the executed notebooks and the public API. Out: a folder of pages that any static host serves: node scripts/site.mjs [FOLDER]
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import MarkdownIt from "markdown-it";
import { NOTEBOOKS, writePageParts } from "./notebooks.mjs";
import { inRoot } from "./setup/steps.mjs";

const site = path.resolve(process.argv[2] ?? inRoot(".cache", "site"));
const PAGES = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "SECURITY.md",
  ...readdirSync(inRoot("docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const SHOWN = [...NOTEBOOKS, "own_pairs", "scaling"];

/** Where a file of the project stands on the site; a file that is no page is copied there. */
function placeOf(file) {
  if (PAGES.includes(file)) return file === "README.md" ? "index.html" : file.replace(/\.md$/, ".html");
  const name = path.basename(file, ".ipynb");
  if (file.endsWith(".ipynb") && SHOWN.includes(name)) return `notebooks/${name}.html`;
  if (!existsSync(inRoot(file)) || !statSync(inRoot(file)).isFile()) return null;
  // Source is shown as text, whatever a host makes of its ending.
  const place = /\.(png|svg)$/.test(file) ? file : `source/${file}.txt`;
  mkdirSync(path.dirname(path.join(site, place)), { recursive: true });
  copyFileSync(inRoot(file), path.join(site, place));
  return place;
}

/** A link of a page as it must be on the site; what leads to a folder or out of the project is left as text. */
function linkOnSite(page, link) {
  if (/^([a-z]+:|#)/i.test(link)) return link;
  const [target, anchor] = decodeURI(link).split("#");
  const place = placeOf(path.posix.normalize(path.posix.join(path.posix.dirname(page), target)));
  if (place === null) return null;
  const heading = anchor !== undefined && place.endsWith(".html") ? `#${anchor}` : "";
  return path.posix.relative(path.posix.dirname(placeOf(page)), place) + heading;
}

const slug = (text) =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");

/** Markdown whose headings can be linked to, and whose links hold on the site. */
function pageOf(file) {
  const markdown = new MarkdownIt("default", { html: false });
  markdown.core.ruler.push("site", ({ tokens }) => {
    tokens.forEach((token, i) => {
      if (token.type === "heading_open") token.attrSet("id", slug(tokens[i + 1].content));
      for (const inner of token.children ?? []) {
        const attribute = { link_open: "href", image: "src" }[inner.type];
        if (!attribute) continue;
        const link = linkOnSite(file, inner.attrGet(attribute));
        if (link === null) inner.attrs = inner.attrs.filter(([name]) => name !== attribute);
        else inner.attrSet(attribute, link);
      }
    });
  });
  const source = readFileSync(inRoot(file), "utf8");
  return { title: /^# (.*)$/m.exec(source)?.[1] ?? file, body: markdown.render(source) };
}

const STYLE = `:root{color-scheme:light dark}body{font:16px/1.55 system-ui,sans-serif;margin:0 auto;max-width:58rem;padding:0 1rem 4rem}
nav{display:flex;flex-wrap:wrap;gap:.3rem 1rem;padding:.8rem 0;border-bottom:1px solid #8885}a{color:light-dark(#0b57d0,#8ab4f8)}
pre{overflow-x:auto;padding:.8rem;background:#8881;border-radius:.3rem}code{font-size:.9em}img{max-width:100%}
table{display:block;overflow-x:auto;border-collapse:collapse}th,td{padding:.25rem .6rem;border:1px solid #8885;text-align:left;vertical-align:top}`;

const MENU = [
  ["README.md", "Rewardbook"],
  ...SHOWN.map((name) => [`notebooks/${name}.ipynb`, name.replaceAll("_", " ")]),
  ["docs/tour.md", "tour"],
  ["docs/architecture.md", "architecture"],
  ["docs/platforms.md", "platforms"],
  ["docs/scaling.md", "scaling"],
  ["CHANGELOG.md", "changelog"],
];

function writePage(file) {
  const { title, body } = pageOf(file);
  const place = placeOf(file);
  const up = (to) => path.posix.relative(path.posix.dirname(place), to);
  const menu = [...MENU.map(([to, name]) => [placeOf(to), name]), ["api/index.html", "API"]];
  const links = menu.map(([to, name]) => `<a href="${up(to)}">${name}</a>`).join("\n");
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'">
<title>${new MarkdownIt().utils.escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><nav>${links}</nav><main>${body}</main></body></html>
`;
  mkdirSync(path.dirname(path.join(site, place)), { recursive: true });
  writeFileSync(path.join(site, place), html);
}

function run(program, words) {
  const { status } = spawnSync(program, words, { cwd: inRoot(), stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`${path.basename(words[0])}: ended with ${status}`);
}

rmSync(site, { recursive: true, force: true });
mkdirSync(path.join(site, "notebooks"), { recursive: true });
run(process.execPath, [inRoot("node_modules", "typedoc", "bin", "typedoc"), "--out", path.join(site, "api")]);
writePageParts();
const sources = SHOWN.map((name) => inRoot("notebooks", `${name}.ipynb`));
run(inRoot(".venv", "bin", "python"), [
  inRoot("scripts", "nbconvert", "export_notebook.py"),
  path.join(site, "notebooks"),
  ...sources,
]);
for (const name of SHOWN) {
  const place = path.join(site, "notebooks", `${name}.html`);
  const link = (_, to) => `href="${linkOnSite(`notebooks/${name}.ipynb`, to) ?? "#"}"`;
  writeFileSync(place, readFileSync(place, "utf8").replace(/href="(\.\.\/[^"]+\.md(?:#[^"]*)?)"/g, link));
}
for (const file of PAGES) writePage(file);
console.log(`${path.relative(process.cwd(), site) || "."}/index.html`);
