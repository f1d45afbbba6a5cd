// Pairs whose texts lie on disk are the pairs: field by field, in any order, and the split of them is the same.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { PreferencePair } from "../../lib/pairs/pair";
import { loadStoredPairs, type loadPairs } from "../../lib/pairs/read";
import { createPairStore } from "../../lib/pairs/store";
import { createRandom } from "../../lib/random";
import { splitPairs } from "../../lib/split";

const scratch = mkdtempSync(join(tmpdir(), "store-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const random = createRandom(4);
const words = (n: number) =>
  Array.from({ length: n }, () => ["é", "日本", "word", "\ud800", '"', "\n", "a b"][random.integer(7)]).join(" ");

const pair = (i: number): PreferencePair => ({
  id: `pair ${i}`,
  questionId: `q${i % 300}`,
  prompt: `${i % 290} ${words(20)}`,
  chosen: words(1 + (i % 90)),
  rejected: words(3),
  riskLevel: ["High", "Low", "__proto__"][random.integer(3)],
  confidencePenalty: random.integer(10) / 3,
  line: i + 1,
  raw: { prompt: "x", 7: "seven", nested: { a: [1, null, 1e-7] } },
  ...(i % 3
    ? { margin: i / 7, promptMessages: [{ role: "user", content: "hi" }] }
    : { category: "c", subset: "s", scoreChosen: 2, scoreRejected: 1 }),
});
/** As a notebook copies a pair: with all its fields. */
const fields = (p: PreferencePair) => ({ ...p });

test("every field comes back, one after another, backwards and at random", () => {
  const pairs = Array.from({ length: 3000 }, (_, i) => pair(i));
  const store = createPairStore();
  const stored = pairs.map(store.add);
  const order = Array.from({ length: 3000 }, (_, i) => i);
  for (const places of [order, [...order].reverse(), random.shuffle(order)])
    for (const i of places) expect(fields(stored[i])).toEqual(fields(pairs[i]));
  expect(JSON.stringify(stored.slice(0, 20))).toBe(JSON.stringify(pairs.slice(0, 20)));
});

test("the split is that of pairs in memory", () => {
  const pairs = Array.from({ length: 2000 }, (_, i) => pair(i));
  const options = { train_ratio: 0.7, val_ratio: 0.2, test_ratio: 0.1, seed: 5, keep_near_duplicates: true };
  const [one, two] = [splitPairs(pairs, options), splitPairs(pairs.map(createPairStore().add), options)];
  expect(two.stats).toEqual(one.stats);
  for (const name of ["train", "val", "test"] as const)
    expect(two[name].map(({ id }) => id)).toEqual(one[name].map(({ id }) => id));
  expect(two.nearDuplicates).toEqual(one.nearDuplicates);
});

test("what is kept of a pair does not grow with its texts", async () => {
  const path = join(scratch, "long.jsonl");
  const rows = Array.from({ length: 4000 }, (_, i) =>
    JSON.stringify({
      id: `n${i}`,
      prompt: `p${i} ${"x".repeat(6000)}`,
      chosen: "a".repeat(6000),
      rejected: "b".repeat(6000),
    }),
  );
  writeFileSync(path, rows.join("\n"));
  const text = readFileSync(path).length;
  expect(text).toBeGreaterThan(70e6);
  const kept = async (load: typeof loadPairs) => {
    global.gc?.();
    const before = process.memoryUsage().heapUsed;
    const { pairs } = await load(path);
    global.gc?.();
    return { pairs, bytes: process.memoryUsage().heapUsed - before };
  };
  const stored = await kept(loadStoredPairs);
  expect(stored.pairs.length).toBe(4000);
  if (global.gc) expect(stored.bytes).toBeLessThan(text / 10);
  expect(stored.pairs[3999].chosen).toBe("a".repeat(6000));
});
