#!/usr/bin/env node
// Executes the notebooks on the synthetic pairs and writes them back with their outputs, as a code-hosting site shows them.
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { NOTEBOOKS, runNotebook } from "./notebooks.mjs";
import { showProgress } from "./progress.mjs";
import { setupOrExit } from "./setup.mjs";
import { inRoot } from "./setup/steps.mjs";

/** A larger file is not shown everywhere. */
const MOST_BYTES = 400_000;

/** What is the same on every machine: no absolute path, no progress bar's last second, no numbering of a session. */
function tidy(notebook, root) {
  const relative = (text) => text.replaceAll(`${root}/`, "");
  const plain = (value) =>
    typeof value === "string"
      ? relative(value)
      : Array.isArray(value)
        ? value.map(plain)
        : value !== null && typeof value === "object"
          ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
          : value;
  for (const cell of notebook.cells) {
    cell.metadata = {};
    if (cell.cell_type === "code") cell.outputs = plain(cell.outputs);
  }
  return notebook;
}

await setupOrExit();
process.chdir(inRoot());
const only = process.argv.slice(2);
const config = inRoot("data", "default", "notebook_config.json");
mkdirSync(inRoot("data", "default"), { recursive: true });
mkdirSync(inRoot("reports"), { recursive: true });
writeFileSync(config, "{}\n");
for (const name of NOTEBOOKS.filter((one) => only.length === 0 || only.includes(one))) {
  const executed = inRoot("reports", `${name}.ipynb`);
  const display = showProgress(name);
  const result = await runNotebook({
    name,
    config,
    executed,
    html: inRoot("reports", `${name}.html`),
    onEvent: display.onEvent,
  });
  display.finish(result.status === 0, result.seconds);
  if (result.status !== 0) {
    console.error(
      `${name}: ${result.error?.ename}: ${result.error?.evalue}; its committed outputs are left as they are`,
    );
    process.exit(1);
  }
  const file = inRoot("notebooks", `${name}.ipynb`);
  writeFileSync(file, `${JSON.stringify(tidy(JSON.parse(readFileSync(executed, "utf8")), inRoot()), null, 1)}\n`);
  const bytes = statSync(file).size;
  if (bytes > MOST_BYTES) console.error(`${file}: expected at most ${MOST_BYTES} bytes, got ${bytes}; show less in it`);
}
