// A place that takes no jobs: the run is refused before anything of it is written, so that its name stays free.
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { handOverTraining } from "../../remote/train";
import { saveTinyModel, temporaryFolder, writeTinyPairs } from "../training/tinyRun";
import { startHead, type HeadServer } from "./headServer";

const home = process.cwd();
const folder = temporaryFolder();
let head: HeadServer;
let model: string;

beforeAll(async () => {
  await initBackend();
  process.chdir(folder);
  writeTinyPairs(folder, 20);
  model = await saveTinyModel(folder);
  head = await startHead({ token: "right" });
  vi.stubEnv("RAY_AUTH_TOKEN", "wrong");
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await head.close();
  process.chdir(home);
  rmSync(folder, { recursive: true });
});

/** A Python of which all packages seem to be missing. */
function poorPython(): string {
  writeFileSync("python", '#!/bin/sh\necho "torch trl"\n', { mode: 0o755 });
  return `${folder}/python`;
}

it.each([
  ["a head that refuses the token", () => ({ address: head.address }), /RAY_AUTH_TOKEN/],
  ["a Python that is not there", () => ({ address: "local", python: `${folder}/none` }), /--python: .*can be started/],
  ["a Python without packages", () => ({ address: "local", python: poorPython() }), /--python: .* without torch, trl;/],
])("%s leaves no run", async (_, where, message) => {
  const request = { pairs: "pairs.jsonl", model, run: "far", max_length: 64 };
  await expect(handOverTraining(request, where())).rejects.toThrow(message);
  expect(existsSync("metrics/far/config.json")).toBe(false);
  await expect(handOverTraining(request, where())).rejects.toThrow(message);
});
