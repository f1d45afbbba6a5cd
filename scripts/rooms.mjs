#!/usr/bin/env node
// In: the imports of the code. Out: the picture of the rooms in docs/architecture.md.
//
//   node scripts/rooms.mjs            draws it anew
//   node scripts/rooms.mjs --check    exits with 1 when the picture is not the code's
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { inRoot } from "./setup/steps.mjs";

const FILE = inRoot("docs", "architecture.md");
const STORY = ["split", "dataset", "loss", "training", "ece"];

/** The room of a file: a folder of lib, a file of the story, or a folder beside lib. */
function roomOf(file) {
  const parts = file.split("/");
  if (parts[0] !== "lib") return parts[0];
  if (parts.length > 2) return parts[1];
  const name = path.basename(parts[1], ".ts");
  return STORY.includes(name) ? `${name}.ts` : null; // errors, random, config and their like are everybody's
}

function readImports() {
  const depcruise = inRoot("node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const folders = ["lib", "cli", "server", "remote", "synthetic"];
  const { stdout, status, stderr } = spawnSync(
    process.execPath,
    [depcruise, ...folders, "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
    { cwd: inRoot(), encoding: "utf8", maxBuffer: 1 << 28 },
  );
  if (!stdout) throw new Error(`dependency-cruiser ended with ${status}: ${stderr}`);
  return JSON.parse(stdout).modules;
}

/** Arrows between rooms; those that follow from others are left out, so that the picture can be read. */
function arrows(modules) {
  const to = new Map();
  for (const { source, dependencies } of modules) {
    const from = roomOf(source);
    if (!from || source === "lib/index.ts" || source === "lib/internal.ts") continue;
    for (const { resolved } of dependencies) {
      if (!/^(lib|cli|server|remote|synthetic)\//.test(resolved)) continue;
      const target = roomOf(resolved);
      if (!target || target === from) continue;
      to.set(from, (to.get(from) ?? new Set()).add(target));
    }
  }
  const reaches = (from, target, seen = new Set()) => {
    if (seen.has(from)) return false;
    seen.add(from);
    return [...(to.get(from) ?? [])].some((next) => next === target || reaches(next, target, seen));
  };
  return [...to].flatMap(([from, targets]) =>
    [...targets]
      .filter((target) => ![...targets].some((other) => other !== target && reaches(other, target)))
      .map((target) => [from, target]),
  );
}

function draw() {
  const id = (room) => room.replace(/\W/g, "_");
  const all = arrows(readImports()).sort(([a, b], [c, d]) => (a + b < c + d ? -1 : 1));
  const rooms = [...new Set(all.flat())].sort();
  const lines = [
    "flowchart TD",
    ...rooms.map((room) => `  ${id(room)}${room.endsWith(".ts") ? `(["${room}"])` : `["${room}/"]`}`),
    ...all.map(([from, to]) => `  ${id(from)} --> ${id(to)}`),
  ];
  return `\`\`\`mermaid\n${lines.join("\n")}\n\`\`\``;
}

const text = readFileSync(FILE, "utf8");
const renewed = text.replace(/```mermaid\n[\s\S]*?\n```/, draw());
if (process.argv.includes("--check")) {
  if (renewed !== text) {
    console.error(
      "docs/architecture.md: expected the picture of the code, got an older one; run node scripts/rooms.mjs",
    );
    process.exitCode = 1;
  }
} else writeFileSync(FILE, renewed);
