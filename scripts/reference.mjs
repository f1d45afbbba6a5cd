#!/usr/bin/env node
// Sets up the Python reference (torch, transformers, trl, peft) in .cache/reference and runs the compatibility tests against it.
//
//   node scripts/reference.mjs             set up, then tests/compat
//   node scripts/reference.mjs --setup     set up only; done again, it takes no time
//   RB_REFERENCE=DIR                       a virtual environment elsewhere
//   RB_PYTHON=path                         the Python to make it with
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const environment = path.resolve(root, process.env.RB_REFERENCE ?? ".cache/reference");
/** What scripts/lock.sh made of tests/goldens/requirements.txt: each file by its hash. */
const lock = (name) => path.join(root, "tests", "goldens", "locks", `${name}.lock`);
const wanted = ["torch", "torch-cuda", "requirements", "alone"]
  .map((name) => readFileSync(lock(name), "utf8"))
  .join("");
/** Holds the locks the environment was made from: written last. */
const stamp = path.join(environment, "locks.txt");

function run(program, args, step, remedy) {
  const started = Date.now();
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    console.error(`${step}: expected it to succeed, got ${error?.message ?? `exit code ${status}`}; ${remedy}`);
    process.exit(1);
  }
  console.log(`${step}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

function setUp() {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  const python = path.join(environment, "bin", "python");
  const remedy = "check the network and pip's settings, then run again";
  if (!existsSync(python)) {
    rmSync(environment, { recursive: true, force: true });
    mkdirSync(path.dirname(environment), { recursive: true });
    run(
      process.env.RB_PYTHON ?? "python3",
      ["-m", "venv", environment],
      "Python environment",
      "Debian, Ubuntu: apt-get install python3-venv",
    );
  }
  const how = ["--quiet", "--require-hashes", "--only-binary=:all:", "--no-deps"];
  const words = (name, ...more) => [
    ...["-m", "pip", "--disable-pip-version-check", "install", ...how, ...more],
    ...["-r", lock(name)],
  ];
  const install = (name, step) => run(python, words(name), step, remedy);
  // A folder of wheels that pip was told of goes before the index: the build for processors is a twentieth of the other.
  if (spawnSync(python, words("torch", "--no-index"), { stdio: "ignore" }).status !== 0) install("torch", "torch");
  // PyTorch's build for processors needs none of CUDA's libraries.
  const version = "import importlib.metadata as m; print(m.version('torch'))";
  const { stdout } = spawnSync(python, ["-c", version], { encoding: "utf8" });
  if (process.platform === "linux" && !stdout.trim().endsWith("+cpu")) install("torch-cuda", "CUDA's libraries");
  install("requirements", "transformers, trl, peft, ray");
  // rewardbench pins an old transformers; its scoring functions need none of what it pins.
  install("alone", "rewardbench");
  writeFileSync(stamp, wanted);
}

setUp();
if (!process.argv.includes("--setup")) {
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--config", path.join(root, "vitest.compat.config.mts"), ...process.argv.slice(2)];
  const { status } = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, RB_REFERENCE: environment, TF_CPP_MIN_LOG_LEVEL: "3" },
  });
  process.exit(status ?? 1);
}
