import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { createRandom } from "../../lib/random";
import { encoderKey, openEncoderCache, textHash } from "../../lib/checkpoints/encoderCache";
import { loadRewardModel, type LoadedModel } from "../../lib/checkpoints/checkpoint";
import { makeModelDirectory } from "./modelDirectory";

const root = mkdtempSync(join(tmpdir(), "cache-"));
afterAll(() => rmSync(root, { recursive: true }));
let dir: string;
beforeEach(() => (dir = mkdtempSync(join(root, "case-"))));

const WIDTH = 3,
  KEY = "ab".repeat(32);
const open = (changes: Partial<Parameters<typeof openEncoderCache>[0]> = {}) =>
  openEncoderCache({ dir, key: KEY, width: WIDTH, ...changes });
const hash = (n: number) => textHash(Uint32Array.of(n));
const vector = (n: number) => Float32Array.of(n, n / 3, -n);
const read = (cache: ReturnType<typeof open>, ns: number[]) => {
  const out = new Float32Array(ns.length * WIDTH);
  cache.read(
    ns.map((n) => cache.row(hash(n))!),
    out,
  );
  return [...out];
};
const expected = (ns: number[]) => ns.flatMap((n) => [...vector(n)]);

describe("encoder cache", () => {
  it.each([
    ["in memory", 2 ** 30],
    ["in the file", 0],
  ])("gives back what was put, %s, and after a restart", (_, residentBytes) => {
    const cache = open({ residentBytes });
    for (let n = 0; n < 3000; n++) cache.put(hash(n), vector(n));
    expect(read(cache, [2999, 0, 1024, 1023, 7, 7])).toEqual(expected([2999, 0, 1024, 1023, 7, 7]));
    expect(cache.row(hash(3000))).toBeUndefined();
    cache.put(hash(5), vector(99)); // a text is encoded once
    cache.close();
    const again = open({ residentBytes });
    expect([again.size, ...read(again, [5, 2998])]).toEqual([3000, ...expected([5, 2998])]);
    again.put(hash(3000), vector(3000));
    expect(read(again, [3000, 0])).toEqual(expected([3000, 0]));
    again.close();
  });

  it("of another key or width starts empty, even under the same file name", () => {
    const cache = open();
    cache.put(hash(1), vector(1));
    cache.close();
    const other = open({ key: KEY.slice(0, 32) + "cd".repeat(16) });
    expect([readdirSync(dir).filter((f) => f.endsWith(".vectors")).length, other.size]).toEqual([1, 0]);
    other.close();
    const wide = open({ width: 4 });
    expect(wide.size).toBe(0);
    wide.close();
  });

  it("forgets a torn record and a changed one, and keeps the others", () => {
    const cache = open();
    for (let n = 0; n < 4; n++) cache.put(hash(n), vector(n));
    cache.close();
    const path = join(dir, `${KEY.slice(0, 32)}.vectors`),
      bytes = readFileSync(path),
      record = 40 + 4 * WIDTH;
    bytes[64 + record + 41] ^= 1; // a byte of the second vector
    writeFileSync(path, bytes);
    truncateSync(path, bytes.length - 2); // the fourth is torn
    const again = open();
    expect([0, 1, 2, 3].map((n) => again.row(hash(n)))).toEqual([0, undefined, 2, undefined]);
    again.put(hash(3), vector(3));
    expect(read(again, [0, 2, 3])).toEqual(expected([0, 2, 3]));
    again.close();
  });

  it("keeps a second writer out of the file of the first", () => {
    writeFileSync(join(dir, `${KEY.slice(0, 32)}.vectors.lock`), String(process.ppid)); // a process that lives
    const mine = open();
    mine.put(hash(1), vector(1));
    mine.close();
    expect(readdirSync(dir)).toEqual([`${KEY.slice(0, 32)}.vectors.lock`]);
    writeFileSync(join(dir, `${KEY.slice(0, 32)}.vectors.lock`), String(2 ** 22 + 1)); // one that is dead
    const taken = open();
    taken.close();
    expect(readdirSync(dir)).toEqual([`${KEY.slice(0, 32)}.vectors`]);
  });

  it("any mutation of the file loses vectors at most, and never makes another one of them", () => {
    const random = createRandom(3);
    for (let round = 0; round < 300; round++) {
      const here = join(dir, String(round));
      const cache = open({ dir: here });
      for (let n = 1; n < 6; n++) cache.put(hash(n), vector(n));
      cache.close();
      const path = join(here, readdirSync(here)[0]),
        bytes = readFileSync(path);
      for (let i = 0; i < 1 + random.integer(3); i++) bytes[random.integer(bytes.length)] = random.integer(256);
      writeFileSync(path, bytes.subarray(0, random.integer(4) ? bytes.length : random.integer(bytes.length)));
      const again = open({ dir: here });
      for (let n = 1; n < 6; n++) if (again.row(hash(n)) !== undefined) expect(read(again, [n])).toEqual(expected([n]));
      again.close();
    }
  });
});

// Everything a vector depends on changes the key; the head does not.
describe("encoderKey", () => {
  let loaded: LoadedModel;
  beforeAll(async () => {
    await initBackend();
    await makeModelDirectory(join(root, "model"), "bert");
    loaded = await loadRewardModel(join(root, "model"));
  });
  const key = (changes: Partial<LoadedModel["settings"]> = {}, precision = "f32") =>
    encoderKey({ ...loaded, settings: { ...loaded.settings, ...changes }, precision });
  const nudge = (name: string) => {
    const variable = loaded.model.parameters.get(name)!;
    const values = variable.dataSync().slice();
    values[values.length - 1] += 1e-6;
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  };
  it("reads weights that are kept in bfloat16, and stays one key from load to load", async () => {
    await makeModelDirectory(join(root, "llama"), "llama");
    const keys: string[] = [];
    for (let i = 0; i < 2; i++) {
      const half = await loadRewardModel(join(root, "llama"), { storage: "bf16" });
      keys.push(encoderKey({ ...half, precision: "bf16" }));
      half.model.dispose();
    }
    expect(keys[0]).toBe(keys[1]);
  });

  it("changes with settings, precision and one bit of the encoder, not with the head", () => {
    const first = key();
    expect(key()).toBe(first);
    nudge("classifier.weight");
    nudge("bert.pooler.dense.weight");
    expect(key()).toBe(first);
    const others = [
      key({ template: "{response}" }),
      key({ max_length: 10 }),
      key({ truncation: "left" }),
      key({}, "bf16"),
    ];
    nudge("bert.encoder.layer.1.output.LayerNorm.bias");
    others.push(key());
    expect(new Set([first, ...others]).size).toBe(6);
  });
});
