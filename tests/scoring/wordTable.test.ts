// Word embeddings that stay in their file against the same model wholly in memory.
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeAdapter } from "../../lib/checkpoints/adapter";
import { loadRewardModel, type LoadedModel } from "../../lib/checkpoints/checkpoint";
import { initBackend } from "../../lib/engine/backend";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import { countParameters, embeddingSize } from "../../lib/models/rewardModel";
import { openScoring } from "../../lib/scoring/members";
import { scoreTexts } from "../../lib/scoring/score";
import { makeModelDirectory } from "../checkpoints/modelDirectory";

const root = mkdtempSync(join(tmpdir(), "table-"));
afterAll(() => rmSync(root, { recursive: true }));
beforeAll(async () => void (await initBackend()));

const FAMILIES = ["bert", "distilbert", "roberta", "xlm_roberta", "llama", "qwen2", "qwen3", "mistral"];
const text = { template: "{prompt} {response}", max_length: 16 };
/** Answers to two prompts, so that a decoder reads a prompt once. */
const items = ["the quick fox", "a lazy dog of old"].flatMap((prompt) =>
  ["yes", "no never", "the dog", "yes"].map((response) => ({ prompt, response })),
);

async function directory(name: string, family: string, dtype: "F32" | "BF16" = "F32"): Promise<string> {
  const dir = join(root, name);
  await makeModelDirectory(dir, family);
  const file = join(dir, "model.safetensors");
  await writeSafetensors(file, await readSafetensors(file), { dtype });
  return dir;
}

const openFiles = (): number => readdirSync("/proc/self/fd").length;
const tableName = ({ model }: LoadedModel): string =>
  [...model.parameters.keys()].find((name) => /(word_embeddings|embed_tokens)\.weight$/.test(name))!;

describe.each(FAMILIES)("%s", (family) => {
  it.each(["F32", "BF16"] as const)("scores as with the table in memory, stored in %s", async (dtype) => {
    const dir = await directory(`${family}-${dtype}`, family, dtype);
    const whole = await loadRewardModel(dir, { settings: text });
    const before = openFiles();
    const scoring = await openScoring(dir, { text, quiet: true });
    expect(openFiles()).toBe(before + 1);
    const { model } = scoring.loaded;
    expect(model.table!.name).toBe(tableName(whole));
    expect([...model.parameters.keys(), model.table!.name].sort()).toEqual([...whole.model.parameters.keys()].sort());
    expect([countParameters(model), embeddingSize(model)]).toEqual([
      countParameters(whole.model),
      embeddingSize(whole.model),
    ]);
    for (const tokensPerBatch of [32, 4096]) {
      const [found] = await scoring.scoreTexts(items, { tokensPerBatch, quiet: true });
      const wanted = await scoreTexts(whole, items, { tokensPerBatch, quiet: true });
      expect([...found]).toEqual([...wanted]);
    }
    expect(new Set(await scoreTexts(whole, items, { quiet: true })).size).toBeGreaterThan(3); // the texts differ
    scoring.dispose();
    scoring.dispose();
    expect(openFiles()).toBe(before);
    whole.model.dispose();
  });
});

describe("a file at fault", () => {
  it("names the row of a number that is none, where a text needs it", async () => {
    const dir = await directory("nan", "bert");
    const file = join(dir, "model.safetensors");
    const tensors = await readSafetensors(file);
    const [, table] = [...tensors].find(([name]) => /word_embeddings/.test(name))!;
    const { tokenizer } = await loadRewardModel(dir, { settings: text });
    const [{ ids }] = await tokenizer.encode([items[1]], { ...text, maxLength: 16, truncation: "right" });
    table.data[ids[4] * table.shape[1] + 3] = NaN;
    await writeSafetensors(file, tensors);
    const scoring = await openScoring(dir, { text, quiet: true });
    await expect(scoring.scoreTexts([items[1]], { quiet: true })).rejects.toThrow(
      `${file}: tensor "bert.embeddings.word_embeddings.weight": expected finite numbers, got NaN in row ${ids[4]};`,
    );
    const other = await scoring.scoreTexts([{ prompt: "zz", response: "zz" }], { quiet: true });
    expect(other[0].every(Number.isFinite)).toBe(true);
    scoring.dispose();
  });

  it("refuses a file that was written over since it was opened", async () => {
    const dir = await directory("changed", "distilbert");
    const file = join(dir, "model.safetensors");
    const scoring = await openScoring(dir, { text, quiet: true });
    await scoring.scoreTexts(items, { quiet: true });
    writeFileSync(file, readFileSync(file).subarray(0, 4000));
    await expect(scoring.scoreTexts(items, { quiet: true })).rejects.toThrow(
      `${file}: expected the file as it was opened, got another since; load the model again`,
    );
    scoring.dispose();
  });
});

it("takes the embeddings that an adapter brings", async () => {
  const base = await directory("base", "bert");
  const dir = join(root, "adapter");
  const loaded = await loadRewardModel(base, { settings: text });
  const name = tableName(loaded);
  const own = loaded.model.parameters.get(name)!;
  const brought = { shape: own.shape, data: Float32Array.from(own.dataSync(), (value) => 2 * value) };
  const extra = async (folder: string) => {
    const file = join(folder, "adapter_model.safetensors");
    await writeSafetensors(file, [...(await readSafetensors(file)), [`base_model.model.${name}`, brought]]);
  };
  await writeAdapter(dir, loaded.model, { baseModel: base, extra });
  const whole = await loadRewardModel(dir, { settings: text });
  const scoring = await openScoring(dir, { text, quiet: true });
  const [found] = await scoring.scoreTexts(items, { quiet: true });
  expect([...found]).toEqual([...(await scoreTexts(whole, items, { quiet: true }))]);
  expect([...found]).not.toEqual([...(await scoreTexts(loaded, items, { quiet: true }))]);
  for (const { model } of [loaded, whole]) model.dispose();
  scoring.dispose();
});

it("holds no table of half a gigabyte", async () => {
  const dir = await directory("large", "bert");
  const config = JSON.parse(readFileSync(join(dir, "config.json"), "utf8"));
  const rows = 2 ** 29 / 4 / config.hidden_size;
  writeFileSync(join(dir, "config.json"), JSON.stringify({ ...config, vocab_size: rows }));
  widenTable(join(dir, "model.safetensors"), rows);
  const before = process.memoryUsage.rss();
  const scoring = await openScoring(dir, { text, quiet: true });
  const [scores] = await scoring.scoreTexts(items, { quiet: true });
  expect(scores.every(Number.isFinite)).toBe(true);
  expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(2 ** 28);
  scoring.dispose();
});

/** Moves the table to the end of the file and lets it go on as a hole. */
function widenTable(file: string, rows: number): void {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, 8 + length));
  const name = Object.keys(header).find((key) => /word_embeddings/.test(key))!;
  const [start, end] = header[name].data_offsets as [number, number];
  const data = bytes.subarray(8 + length);
  const moved = data.length - (end - start);
  for (const [key, place] of Object.entries<{ data_offsets: [number, number] }>(header))
    if (key !== "__metadata__" && place.data_offsets[0] >= end)
      place.data_offsets = place.data_offsets.map((at) => at - (end - start)) as [number, number];
  const columns = header[name].shape[1];
  header[name] = { ...header[name], shape: [rows, columns], data_offsets: [moved, moved + 4 * rows * columns] };
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(
    file,
    Buffer.concat([size, text, data.subarray(0, start), data.subarray(end), data.subarray(start, end)]),
  );
  const open = openSync(file, "r+");
  ftruncateSync(open, 8 + text.length + moved + 4 * rows * columns);
  closeSync(open);
}
