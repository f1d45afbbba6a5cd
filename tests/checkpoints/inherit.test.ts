import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { inheritanceNotes } from "../../lib/checkpoints/inherit";
import { readPreset, presetNames, resolveConfig } from "../../lib/config";

const dir = mkdtempSync(join(tmpdir(), "inherit-"));
afterAll(() => rmSync(dir, { recursive: true }));
writeFileSync(join(dir, "config.json"), "{}");
writeFileSync(
  join(dir, "rewardbook.json"),
  JSON.stringify({ template: "{prompt} -> {response}", max_length: 77, truncation: "prompt-first" }),
);

test("a run that goes on from a checkpoint takes its template, length and truncation", () => {
  const config = resolveConfig({ model: dir });
  expect(config).toMatchObject({ template: "{prompt} -> {response}", max_length: 77, truncation: "prompt-first" });
  expect(inheritanceNotes(dir, config)).toEqual([
    `texts as ${dir} was trained: template "{prompt} -> {response}", max_length 77, truncation "prompt-first"`,
  ]);
});

test("what is given, or a preset says, takes their place, and the change is said", () => {
  const config = resolveConfig({ model: dir, max_length: 64, preset: "bert-pairwise" });
  expect(config).toMatchObject({ template: "{prompt}{response}", max_length: 64, truncation: "prompt-first" });
  const notes = inheritanceNotes(dir, config).join("\n");
  expect(notes).toContain("warning: template: ");
  expect(notes).toContain("max_length: " + dir + " was trained with 77, this run uses 64");
  expect(notes).not.toContain("warning: truncation");
});

test("a model that was not made here gives nothing", () => {
  expect(inheritanceNotes("no-such-model", resolveConfig({ model: "no-such-model" }))).toEqual([]);
});

test("presets say where they differ from their source, and stage3 has its Trainer's decay and dropout", () => {
  for (const name of presetNames()) expect(() => readPreset(name)).not.toThrow();
  expect(resolveConfig({ preset: "stage3" })).toMatchObject({ weight_decay: 0, dropout: true, patience: 0 });
});
