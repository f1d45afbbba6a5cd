// The server against its own OpenAPI document, by Schemathesis (PyPI, in an environment of its own): valid requests are taken, others refused, every answer as described.
import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { projectPath } from "../../lib/files/paths";
import { openWorkplace } from "./served";

const VERSION = "4.32.5";
const home = projectPath(".cache", "schemathesis", VERSION);
const program = join(home, "bin", "schemathesis");
const work = openWorkplace();
let missing = "";

beforeAll(() => {
  if (existsSync(program)) return;
  try {
    execFileSync("python3", ["-m", "venv", home], { stdio: "pipe" });
    execFileSync(
      join(home, "bin", "pip"),
      ["install", "--quiet", "--disable-pip-version-check", `schemathesis==${VERSION}`],
      {
        stdio: "pipe",
      },
    );
  } catch (error) {
    missing = String((error as { stderr?: Buffer }).stderr ?? error)
      .trim()
      .split("\n")
      .at(-1)!;
  }
}, 300_000);
afterAll(() => work.close());

test("no failure over every operation", { timeout: 300_000 }, async (context) => {
  if (missing) {
    console.error(`SKIPPED: Schemathesis ${VERSION} cannot be installed from PyPI: ${missing}`);
    return context.skip();
  }
  const { url } = await work.serve(await work.checkpoint("tiny"), { max_items: 8 }, "secret");
  const words = [
    ...["--config-file", join(__dirname, "schemathesis.toml"), "run", `${url}/openapi.json`],
    ...["--header", "Authorization: Bearer secret", "--exclude-path", "/reload"],
    ...["--max-examples", "15", "--seed", "1", "--workers", "1", "--no-color"],
  ];
  const child = spawn(program, words, { cwd: work.root });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => (said += piece));
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(said).toContain("Selected: 11/12");
  expect(code, said).toBe(0);
});
