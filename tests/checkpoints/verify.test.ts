// A checkpoint that is not what was written gives no score: the file is named, before anything is computed.
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadRewardModel, saveRewardModel } from "../../lib/checkpoints/checkpoint";
import { inspectCheckpoint } from "../../lib/checkpoints/inspect";
import { initBackend } from "../../lib/engine/backend";
import { InputError } from "../../lib/errors";
import { writeManifest } from "../../lib/files/atomic";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import { createRandom } from "../../lib/random";
import { makeModelDirectory } from "./modelDirectory";

const root = mkdtempSync(join(tmpdir(), "verify-"));
const whole = join(root, "whole");
beforeAll(async () => {
  await initBackend();
  await makeModelDirectory(join(root, "base"), "bert");
  const loaded = await loadRewardModel(join(root, "base"));
  await saveRewardModel(whole, { loaded, settings: loaded.settings });
  loaded.model.dispose();
});
afterAll(() => rmSync(root, { recursive: true }));

const copy = (from = whole): string => {
  const dir = join(mkdtempSync(join(root, "case-")), "model");
  cpSync(from, dir, { recursive: true });
  return dir;
};
/** Turns one bit, and puts the time of the last change back. */
function flip(path: string, at: number, bit = 0x80): void {
  const { atime, mtime } = statSync(path);
  const bytes = readFileSync(path);
  bytes[at] ^= bit;
  writeFileSync(path, bytes);
  utimesSync(path, atime, mtime);
}

describe("loading", () => {
  test("names the file of a turned bit anywhere in a decisive file, also after it was found whole", async () => {
    const random = createRandom(3);
    const names = readdirSync(whole).filter((name) => !/README|manifest/.test(name));
    expect(names).toEqual(
      expect.arrayContaining(["model.safetensors", "config.json", "tokenizer.json", "rewardbook.json"]),
    );
    for (const name of names) {
      const dir = copy();
      (await loadRewardModel(dir)).model.dispose();
      flip(join(dir, name), random.integer(statSync(join(dir, name)).size), 1);
      await expect(loadRewardModel(dir)).rejects.toThrow(InputError);
      await expect(loadRewardModel(dir)).rejects.toThrow(join(dir, name));
    }
  });
  test("lets the model card be edited, and a directory without manifest be", async () => {
    const dir = copy();
    appendFileSync(join(dir, "README.md"), "more");
    (await loadRewardModel(dir)).model.dispose();
    const other = copy(join(root, "base"));
    flip(join(other, "model.safetensors"), statSync(join(other, "model.safetensors")).size - 1);
    (await loadRewardModel(other)).model.dispose();
  });
  test.each(["value_head.safetensors", "value_head.bin"])("holds a head's own file to it: %s", async (name) => {
    const dir = copy();
    writeFileSync(join(dir, name), "a head");
    await expect(loadRewardModel(dir)).rejects.toThrow(join(dir, name)); // it came later
    await writeManifest(dir);
    (await loadRewardModel(dir)).model.dispose();
    flip(join(dir, name), 2);
    await expect(loadRewardModel(dir)).rejects.toThrow(join(dir, name));
  });
  test("refuses a torn manifest, a missing file and one that came later", async () => {
    const torn = copy();
    writeFileSync(join(torn, "manifest.json"), readFileSync(join(torn, "manifest.json"), "utf8").slice(0, 60));
    await expect(loadRewardModel(torn)).rejects.toThrow("manifest.json");
    const lacking = copy();
    rmSync(join(lacking, "tokenizer_config.json"));
    await expect(loadRewardModel(lacking)).rejects.toThrow("tokenizer_config.json");
    const added = copy();
    writeFileSync(join(added, "chat_template.jinja"), "{{ messages }}");
    await expect(loadRewardModel(added)).rejects.toThrow("chat_template.jinja");
  });
});

const command = (...args: string[]) => spawnSync("node", ["bin/rewardbook.cjs", ...args], { encoding: "utf8" });

describe("commands", () => {
  const pairs = join(root, "pairs.jsonl");
  const rows = join(root, "rows.jsonl");
  beforeAll(() => {
    writeFileSync(pairs, JSON.stringify({ prompt: "a", chosen: "b", rejected: "c" }));
    writeFileSync(rows, JSON.stringify({ prompt: "a", candidates: ["b", "c"], best: 0 }));
  });
  test.each([
    ["score", "--input", pairs],
    ["evaluate", "--pairs", pairs],
    ["rerank", "--input", rows],
  ])("%s gives no score of flipped signs", (name, flag, input) => {
    const dir = copy();
    const path = join(dir, "model.safetensors");
    flip(path, statSync(path).size - 1); // the sign of the last number
    const out = join(root, `${name}.out`);
    const { status, stderr } = command(name, "--checkpoint", dir, flag, input, "--out", out);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining(path) });
    expect(existsSync(out)).toBe(false);
  });
  test("verify says what is whole, writes nothing unless asked, and accepts on request", () => {
    const dir = copy(join(root, "base"));
    const before = readdirSync(dir);
    const { status, stdout } = command("verify", dir, "--json");
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      expect.objectContaining({ ok: true, manifest: "none", head: "complete", model_type: "bert" }),
    ]);
    expect(readdirSync(dir)).toEqual(before);
    expect(command("verify", dir, "--write-manifest").stdout).toContain("checksums  match");
    flip(join(dir, "model.safetensors"), statSync(join(dir, "model.safetensors")).size - 1);
    expect(command("verify", dir)).toMatchObject({ status: 1, stdout: expect.stringContaining("model.safetensors") });
    expect(command("verify", dir, "--write-manifest")).toMatchObject({ status: 0 });
  });
});

describe("a directory from elsewhere", () => {
  test.each<[string, (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void, string]>([
    ["a missing part of the head", (t) => t.delete("bert.pooler.dense.bias"), "bert.pooler.dense.bias"],
    [
      "a missing tensor of the trunk",
      (t) => t.delete("bert.encoder.layer.0.output.dense.weight"),
      "layer.0.output.dense.weight",
    ],
    [
      "another shape",
      (t) => t.set("classifier.bias", { shape: [2], data: new Float32Array(2) }),
      "expected shape [1], got [2]",
    ],
    ["not a number", (t) => t.get("classifier.bias")!.data.fill(NaN), "finite"],
  ])("%s is a problem", async (_what, change, says) => {
    const dir = copy(join(root, "base"));
    const tensors = await readSafetensors(dir);
    change(tensors as never);
    await writeSafetensors(join(dir, "model.safetensors"), [...tensors]);
    const { ok, problems } = await inspectCheckpoint(dir);
    expect(ok).toBe(false);
    expect(problems.join()).toContain(says);
  });
  test("a base model without output layer is whole, and has no head", async () => {
    const dir = copy(join(root, "base"));
    const tensors = [...(await readSafetensors(dir))].filter(([name]) => !name.startsWith("classifier"));
    await writeSafetensors(join(dir, "model.safetensors"), tensors);
    expect(await inspectCheckpoint(dir)).toMatchObject({ ok: true, head: "none", problems: [] });
  });
  test("a damaged tokenizer and configuration are problems, all at once", async () => {
    const dir = copy(join(root, "base"));
    writeFileSync(join(dir, "config.json"), "{");
    writeFileSync(join(dir, "tokenizer.json"), "[]");
    const { problems } = await inspectCheckpoint(dir);
    expect(problems).toEqual([expect.stringContaining("config.json"), expect.stringContaining("tokenizer.json")]);
  });
});
