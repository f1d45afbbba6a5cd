// The data of the original's run, in its size: 27,775 and 3,327 pairs, 13,888 and 1,664 batches of two (its printed outputs).
import { join } from "node:path";
import { expect, test } from "vitest";
import { resolveConfig } from "../../lib/config";
import { buildDataset, type PairDataset } from "../../lib/dataset";
import { parseModelConfig } from "../../lib/models/config";
import { readJsonFile } from "../../lib/files/json";
import type { PreferencePair } from "../../lib/pairs/pair";
import { splitPairs } from "../../lib/split";
import { openTokenizer } from "../../lib/text/tokenizer";
import { planUpdates } from "../../lib/training/prepare";

const [QUESTIONS, TRAIN, VAL] = [3000, 27_775, 3_327];
const RISKS = ["Low", "Medium", "High"];
const model = join(__dirname, "../../models/all-MiniLM-L6-v2");

/** Pairs of one question; prompts share no word pairs, so that none is a near-duplicate of another. */
const pairsOf = (question: number, count: number): PreferencePair[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `${question}-${i}`,
    questionId: `q${question}`,
    line: 1,
    prompt: `p${question}a p${question}b p${question}c?`,
    chosen: `yes ${i}`,
    rejected: `no ${i} ${question}`,
    riskLevel: RISKS[question % 3],
    confidencePenalty: (i % 3) / 2,
    raw: {},
  }));

/** `total` shared out over the questions, to within one. */
const shares = (questions: readonly number[], total: number): Map<number, number> =>
  new Map(
    questions.map((question, i) => [
      question,
      Math.floor(total / questions.length) + (i < total % questions.length ? 1 : 0),
    ]),
  );

// Would fail if a split parted a question, lost a pair, or if batches of two were joined, dropped or linked.
test("the preset `original` has its batches", async () => {
  const config = resolveConfig({ preset: "original" });
  const all = Array.from({ length: QUESTIONS }, (_, i) => i);
  const probe = splitPairs(
    all.flatMap((question) => pairsOf(question, 1)),
    config,
  );
  const questions = (part: readonly PreferencePair[]) => [
    ...new Set(part.map(({ questionId }) => Number(questionId.slice(1)))),
  ];
  const counts = new Map([...shares(questions(probe.train), TRAIN), ...shares(questions(probe.val), VAL)]);
  const { train, val, stats } = splitPairs(
    all.flatMap((question) => pairsOf(question, counts.get(question)!)),
    config,
  );
  expect([train.length, val.length]).toEqual([TRAIN, VAL]);
  expect(stats.unique_qids).toEqual({ train: 2700, val: 300, test: 0 });
  const asked = new Set(train.map(({ questionId }) => questionId));
  expect(val.filter(({ questionId }) => asked.has(questionId))).toEqual([]);

  const tokenizer = openTokenizer(model);
  const modelConfig = parseModelConfig(readJsonFile(join(model, "config.json")), model);
  const plan = async (pairs: readonly PreferencePair[]) => {
    const dataset: PairDataset = await buildDataset(pairs, tokenizer, config);
    const updates = planUpdates(dataset, config, modelConfig).epoch(1);
    dataset.tokens.close();
    const seen = updates.flatMap(({ batches }) => batches.flatMap(({ pairs: rows }) => rows));
    expect([...seen].sort((a, b) => a - b)).toEqual(pairs.map((_, i) => i));
    expect(updates.slice(0, -1).every(({ pairs: size }) => size === 2)).toBe(true);
    return { batches: updates.length, weights: dataset.weights };
  };
  const [trained, validated] = [await plan(train), await plan(val)];
  expect([trained.batches, validated.batches]).toEqual([13_888, 1_664]);
  expect([...new Set(trained.weights)].sort()).toEqual([1, 2.5, 4]); // 1 + 3 · penalty
}, 60_000);
