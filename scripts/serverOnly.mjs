#!/usr/bin/env node
// In: a project that is set up. Out: a folder with what `rewardbook serve` needs of it and nothing else: node scripts/serverOnly.mjs FOLDER
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inRoot } from "./setup/steps.mjs";

const target = process.argv[2];
if (!target || existsSync(target)) {
  console.error(`serverOnly: expected the name of a new folder, got ${target ?? "none"}`);
  process.exit(2);
}

/** The dependencies that `rewardbook serve` loads; the others (notebooks, figures, tables, the hub) stay behind. */
const NEEDED = [
  "@fastify/swagger",
  "@huggingface/jinja",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-node",
  "commander",
  "diff",
  "markdown-it",
  "fastify",
  "prom-client",
  "tokenizers",
  "zod",
];

const lock = JSON.parse(readFileSync(inRoot("package-lock.json"), "utf8")).packages;
const isDevelopment = (file) => lock[path.relative(inRoot(), file)]?.dev === true;

/** Links inside the project stay as they are: they are relative. What only development needs is passed over. */
const take = (file) =>
  cpSync(inRoot(file), path.join(target, file), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (source) => !isDevelopment(source),
  });

mkdirSync(target, { recursive: true });
for (const file of ["package-lock.json", ".npmrc", "LICENSE", "bin", "dist", "server/page", "node_modules"]) take(file);
for (const file of [".cache/tensorflow", ".cache/kernels"]) if (existsSync(inRoot(file))) take(file);
rmSync(path.join(target, ".cache", "tensorflow", "tensorflow", "include"), { recursive: true, force: true });
mkdirSync(path.join(target, "checkpoints"), { recursive: true });

const { devDependencies: _, dependencies, ...project } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
const kept = Object.fromEntries(NEEDED.map((name) => [name, dependencies[name]]));
writeFileSync(path.join(target, "package.json"), `${JSON.stringify({ ...project, dependencies: kept }, null, 2)}\n`);
const prune = ["prune", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--offline"];
const { status } = spawnSync("npm", prune, { cwd: target, stdio: "inherit" });
process.exitCode = status ?? 1;
