// The Python of remote jobs: its own tests, and its types; with RB_VLLM=DIR, a virtual environment that has vllm beside the
// reference's packages, vLLM's rewards against those of transformers.
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const python = join(resolve(process.env.RB_REFERENCE ?? ".cache/reference"), "bin", "python");
const root = join(__dirname, "..", "..");
const environment = { ...process.env, HF_HUB_OFFLINE: "1", PYTHONDONTWRITEBYTECODE: "1", CUDA_VISIBLE_DEVICES: "" };

/** Two minutes and 1.5 GB more, so only on request. */
test.runIf(process.env.RB_VLLM)("vLLM scores as transformers does", () => {
  const cwd = join(root, "remote", "python");
  const file = join(root, "tests", "remote", "python", "test_engine.py");
  const run = spawnSync(
    join(resolve(process.env.RB_VLLM!), "bin", "python"),
    ["-m", "pytest", "-q", "-p", "no:cacheprovider", file],
    { cwd, encoding: "utf8", env: environment },
  );
  expect(run.status, `${run.error?.message ?? ""}${run.stdout.slice(-4000)}${run.stderr.slice(-1000)}`).toBe(0);
  expect(run.stdout).toMatch(/7 passed, 2 skipped/); // those for a Python without vllm
});

test.each([
  ["tests", "pytest", ["-q", "-p", "no:cacheprovider", join(root, "tests", "remote", "python")]],
  ["types", "mypy", ["--cache-dir", "/dev/null", join(root, "remote", "python")]],
])("a remote job's Python passes its %s", (_name, tool, args) => {
  const cwd = join(root, "remote", "python");
  const run = spawnSync(python, ["-m", tool, ...args], { cwd, encoding: "utf8", env: environment });
  expect(run.status, `${run.error?.message ?? ""}${run.stdout.slice(-4000)}${run.stderr.slice(-1000)}`).toBe(0);
});
