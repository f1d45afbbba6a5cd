// The commands agree about what they read: ties, categories, stage-3 rows. Expected rows stand in the test.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { run } from "../../cli/main";
import { loadSplit } from "../../lib/training/data";
import { resolveConfig } from "../../lib/config";
import { scratch } from "../pairs/helpers";

const { directory, lines } = scratch();
afterEach(() => vi.restoreAllMocks());

/** The object a command prints with --json, and its exit code. */
async function json(...words: string[]): Promise<{ code: number; value: Record<string, never> }> {
  let printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((printed += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const code = await run([...words, "--json"]);
  return { code, value: printed === "" ? {} : JSON.parse(printed) };
}

const original = Array.from({ length: 40 }, (_, i) => ({
  question_id: `q${i}`,
  question_text: `Number ${i * 7919} of ${i}?`,
  preferred_answer: { answer_text: `yes ${i}`, score: i % 4 === 0 ? 2 : 3 },
  rejected_answer: { answer_text: `no ${i}`, score: 2 },
  score_difference: i % 4 === 0 ? 0 : 1,
  topic: i % 2 === 0 ? "even" : "odd",
}));
const scored = original.map(({ question_text, preferred_answer, rejected_answer }) => ({
  prompt: question_text,
  chosen: preferred_answer.answer_text,
  rejected: rejected_answer.answer_text,
  score_chosen: preferred_answer.score,
  score_rejected: rejected_answer.score,
}));

describe("train and split agree", () => {
  const cases: [string, readonly object[], string[], object, number][] = [
    ["the original's schema keeps its ties", original, [], {}, 40],
    ["its preset does", original, [], { preset: "original" }, 40],
    ["unless told", original, ["--no-keep-ties"], { keep_ties: false }, 30],
    ["weak pairs go", original, ["--drop-weak"], { drop_weak: true }, 30],
    ["other schemas leave ties out", scored, [], {}, 30],
    ["unless told otherwise", scored, ["--keep-ties"], { keep_ties: true }, 40],
  ];
  for (const [name, rows, flags, fields, expected] of cases)
    it(name, async () => {
      const path = lines("ties.jsonl", rows);
      const { value } = await json("split", "--pairs", path, "--out", join(directory, "ties"), ...flags);
      const { train, val } = value.counts as { train: number; val: number };
      const data = await loadSplit(resolveConfig({ pairs: path, ...fields }));
      expect([train + val, data.train.length + data.val.length]).toEqual([expected, expected]);
      // What split wrote is what train reads, whole; a file of validation pairs included.
      const [trainFile, valFile] = ["train", "val"].map((part) => (value.files as Record<string, string>)[part]);
      const again = await loadSplit(resolveConfig({ pairs: trainFile, val: valFile, ...fields }));
      expect([again.train.length, again.val.length]).toEqual([train, val]);
    });
});

it("split --format stage3 writes what prepare_reward_training_data does", async () => {
  const path = lines(
    "stage.jsonl",
    scored.map(({ prompt, chosen, rejected }) => ({ prompt, chosen, rejected })),
  );
  const out = join(directory, "stage");
  const { value } = await json("split", "--pairs", path, "--out", out, "--format", "stage3", "--val-ratio", "0.2");
  const files = value.files as Record<string, string>;
  const rows = ["train", "val"]
    .flatMap((part) => readFileSync(files[part], "utf8").trim().split("\n"))
    .map((line) => JSON.parse(line));
  expect(rows).toHaveLength(40);
  const first = rows.find(({ input_chosen }) => input_chosen.includes("Number 7919 of 1?"));
  expect(first).toEqual({
    input_chosen: "Number 7919 of 1? yes 1",
    input_rejected: "Number 7919 of 1? no 1",
    label: 1,
  });
  expect((await json("check", "--pairs", files.train)).value).toMatchObject({ format: "stage3", pairs: 32, errors: 0 });
});

it("--category-field names a column of one's own in check and split", async () => {
  const path = lines("topics.jsonl", original);
  const { value } = await json("check", "--pairs", path, "--category-field", "topic");
  expect(value.categories).toEqual({ even: 20, odd: 20 });
  const missing = await json("split", "--pairs", path, "--out", join(directory, "none"), "--category-field", "subject");
  expect(missing.code).toBe(1);
  const data = await loadSplit(resolveConfig({ pairs: path, category_field: "topic" }));
  expect(new Set(data.train.map(({ category }) => category))).toEqual(new Set(["even", "odd"]));
});

it("rows at fault end in exit code 1, never in our fault", async () => {
  const path = join(directory, "quote.csv");
  lines("quote.csv", []);
  (await import("node:fs")).writeFileSync(path, 'prompt,chosen,rejected\nq,say "hi" now,no\np,a,b\n');
  expect((await json("check", "--pairs", path)).code).toBe(1);
  expect((await json("split", "--pairs", path, "--out", join(directory, "q"))).code).toBe(1);
  expect((await json("split", "--pairs", path, "--out", join(directory, "q"), "--skip-bad-rows")).code).toBe(0);
});
