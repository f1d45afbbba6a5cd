// A thousand rows of each public format, from reading to evaluating; and 20,000 mutated rows: each is used, counted or refused.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { initBackend } from "../../lib/engine/backend";
import { evaluateScores } from "../../lib/evaluation/evaluate";
import { loadRewardModel } from "../../lib/checkpoints/checkpoint";
import { FORMATS } from "../../lib/pairs/formats";
import type { PreferencePair } from "../../lib/pairs/pair";
import { type ReadReport, loadPairs } from "../../lib/pairs/read";
import { createRandom, type Random } from "../../lib/random";
import { scorePairs } from "../../lib/scoring/score";
import { splitPairs } from "../../lib/split";
import { trainRewardModel } from "../../lib/training";
import { saveTinyModel, temporaryFolder } from "../training/tinyRun";
import { scratch } from "./helpers";
import { MAKERS, makeRows, sentence } from "./publicFormats";

const { lines } = scratch();
const ratios = { train_ratio: 0.8, val_ratio: 0.1, test_ratio: 0.1, seed: 1 };

describe("public formats", () => {
  let [model, root, home] = ["", "", ""];
  const parts: Record<"train" | "val" | "test", PreferencePair[]> = { train: [], val: [], test: [] };
  beforeAll(async () => {
    await initBackend();
    [root, home] = [temporaryFolder(), process.cwd()];
    model = await saveTinyModel(root);
    process.chdir(root);
  });
  afterAll(() => process.chdir(home));

  it("are all of the reader's", () => {
    const made = new Set(Object.values(MAKERS).map(({ format }) => format));
    const others = ["argilla-feedback", "implicit prompt"];
    expect(FORMATS.map(({ name }) => name).filter((name) => !made.has(name))).toEqual(others);
  });

  for (const [name, { format, make }] of Object.entries(MAKERS))
    it(`${name}: 1,000 rows are read and split`, { timeout: 30_000 }, async () => {
      const { pairs, report } = await loadPairs(
        lines("rows.jsonl", makeRows(make, 1000, 17 + Object.keys(MAKERS).indexOf(name))),
      );
      expect(report.format).toBe(format);
      expect(report.rows).toBeGreaterThanOrEqual(1000);
      expect(report.errors).toBe(0);
      // Only ties, close ratings and answers that nobody rated are left out, and what has one rated answer then.
      const explained = ["tie", "gap_below_minimum", "unrated", ...(report.counts.unrated ? ["single_answer"] : [])];
      const reasons = Object.keys(report.counts).filter((reason) => !explained.includes(reason));
      expect(reasons).toEqual([]);
      expect(report.used_rows + new Set(report.rejected.map(({ line }) => line)).size).toBeGreaterThanOrEqual(
        report.rows,
      );
      const { train, val, test } = splitPairs(pairs, ratios);
      expect(train.length + val.length + test.length).toBe(pairs.length);
      const own = (list: readonly PreferencePair[]) => list.slice(0, 3).map((pair) => ({ ...pair, subset: name }));
      parts.train.push(...own(train));
      parts.val.push(...own(val));
      parts.test.push(...own(test));
    });

  it("pairs of all of them take one step together and are evaluated", { timeout: 60_000 }, async () => {
    const settings = {
      max_steps: 1,
      epochs: 1,
      max_length: 32,
      batch_size: 64,
      precision: "f32",
      gate: "off",
    } as const;
    const result = await trainRewardModel({ ...settings, train: parts.train, val: parts.val, run: "public", model });
    expect(result.metrics.training_steps).toBe(1);
    const loaded = await loadRewardModel(result.checkpoint);
    const scored = await scorePairs(loaded, parts.test);
    loaded.model.dispose();
    expect(evaluateScores(scored, {}).n_pairs).toBe(3 * Object.keys(MAKERS).length);
    expect(scored.every(({ chosenScore, rejectedScore }) => Number.isFinite(chosenScore - rejectedScore))).toBe(true);
  });
});

/** What stands in a row now and must not be lost. */
const MARK = "Zebra";

type Json = null | string | number | boolean | Json[] | { [key: string]: Json };

/** Every place of a value. */
function places(value: Json, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== "object" || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) =>
    places(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length > 0 ? [path, ...inner] : inner;
}

const NAMES = [
  "system",
  "history",
  "tools",
  "images",
  "context",
  "query",
  "tool_calls",
  "name",
  "role",
  "content",
  "constructor",
  "__proto__",
  "length",
];
const odd = (random: Random): Json =>
  random.pick<Json>([
    null,
    "",
    " ",
    0,
    -1,
    1e308,
    true,
    [],
    {},
    [[]],
    [null],
    "N/A",
    "[{'role': 'user'}]",
    "\ud800",
    `${MARK} ${sentence(random)}`,
    [`${MARK} one`],
    { [random.pick(NAMES)]: `${MARK} two` },
    "x".repeat(5000),
  ]);

/** One to three changes: a value replaced, a field removed, renamed or added, a list turned round. */
function mutate(row: Json, random: Random): Json {
  const out = structuredClone(row);
  for (let n = 1 + random.integer(3); n > 0; n--) {
    const all = places(out);
    if (all.length === 0) return out;
    const path = random.pick(all);
    let parent = out as Record<string, Json>;
    for (const key of path.slice(0, -1)) parent = parent[key] as Record<string, Json>;
    const key = String(path.at(-1));
    const kind = random.integer(5);
    if (kind === 0) parent[key] = odd(random);
    else if (kind === 1 && !Array.isArray(parent)) delete parent[key];
    else if (kind === 2 && !Array.isArray(parent)) {
      parent[random.pick(NAMES)] = parent[key];
      delete parent[key];
    } else if (kind === 3 && !Array.isArray(parent)) parent[random.pick(NAMES)] = odd(random);
    else if (Array.isArray(parent)) parent.reverse();
  }
  return out;
}

/** The marked texts of a value, each with the names of the fields it stands in. */
function marked(value: unknown, path: readonly string[] = []): [readonly string[], string][] {
  if (typeof value === "string") return value.includes(MARK) ? [[path, value]] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => marked(item, Array.isArray(value) ? path : [...path, key]));
}

describe("mutated rows", () => {
  it(
    "20,000 of them: each is used, counted or refused, and no text of a used row is lost unsaid",
    { timeout: 60_000 },
    async () => {
      const random = createRandom(99);
      const makers = Object.values(MAKERS);
      let rows = 0;
      const outcomes = { used: 0, left: 0 };
      for (const { format, make } of makers) {
        const mutated = makeRows(make, 1000, 5).map((row) => mutate(row as Json, random));
        const path = lines("mutated.jsonl", mutated);
        const { pairs, report } = await loadPairs(path, { format, skip_bad_rows: true, allow_none: true });
        rows += report.rows;
        const rejected = new Set(report.rejected.map(({ line }) => line));
        outcomes.used += report.used_rows;
        outcomes.left += rejected.size;
        // Rows of a group are counted with the group's first.
        expect(report.used_rows + rejected.size, format).toBeGreaterThanOrEqual(grouped(format) ? 0 : report.rows);
        expect(Object.values(report.counts).reduce((sum, n) => sum + n, 0)).toBe(report.rejected.length);
        if (!grouped(format))
          for (const [line, own] of byLine(pairs)) if (!rejected.has(line)) expectWhole(own, mutated[line - 1], report);
      }
      expect(rows).toBeGreaterThanOrEqual(20_000);
      expect(Math.min(outcomes.used, outcomes.left)).toBeGreaterThan(3000);
    },
  );

  const grouped = (format: string) => FORMATS.find(({ name }) => name === format)!.groupKey !== undefined;

  const byLine = (pairs: readonly PreferencePair[]): Map<number, PreferencePair[]> => {
    const lists = new Map<number, PreferencePair[]>();
    for (const pair of pairs) lists.set(pair.line, [...(lists.get(pair.line) ?? []), pair]);
    return lists;
  };

  /** A marked text is in a pair of its row, or in a field that the report lists as not read and that carries no context. */
  function expectWhole(pairs: readonly PreferencePair[], row: unknown, report: ReadReport): void {
    const unread = new Set(Object.keys(report.unread).map((path) => path.split(".").at(-1)!.replaceAll("[]", "")));
    const read = pairs.flatMap((pair) => [
      ...[pair.prompt, pair.chosen, pair.rejected, ...(pair.promptMessages ?? []).map(({ content }) => content)],
      ...[pair.id, pair.questionId, pair.category, pair.subset, pair.riskLevel],
    ]);
    for (const [path, text] of marked(row)) {
      if (NOT_TEXT.has(path.at(-1)!)) continue;
      const said = path.find((name) => unread.has(name));
      const known = read.some((part) => part?.includes(text.trim()));
      const lost = !known && (said === undefined || CONTEXT.has(said));
      expect(lost, `line ${pairs[0].line}: ${path.join(".")} ${text} of ${JSON.stringify(row)}`).toBe(false);
    }
  }
  /** Read for what they tell of the answers, not as texts. */
  const NOT_TEXT = new Set(["rating", "Rating", "score", "role", "from", "type"]);
  const CONTEXT = new Set(["system", "history", "tools", "images", "context", "query", "tool_calls"]);
});
