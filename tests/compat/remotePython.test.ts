// The Python of remote jobs: its own tests, and its types.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const python = join(resolve(process.env.RB_REFERENCE ?? ".cache/reference"), "bin", "python");
const root = join(__dirname, "..", "..");
const environment = { ...process.env, HF_HUB_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1", CUDA_VISIBLE_DEVICES: "" };

test.each([
  ["tests", "pytest", ["-q", "-p", "no:cacheprovider", join(root, "tests", "remote", "python")]],
  ["types", "mypy", ["--cache-dir", "/dev/null", join(root, "remote", "python")]],
])("a remote job's Python passes its %s", (_name, tool, args) => {
  const cwd = join(root, "remote", "python");
  const run = spawnSync(python, ["-m", tool, ...args], { cwd, encoding: "utf8", env: environment });
  expect(run.status, `${run.error?.message ?? ""}${run.stdout.slice(-4000)}${run.stderr.slice(-1000)}`).toBe(0);
});
