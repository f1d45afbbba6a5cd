// In: a job. Out: the held-out accuracy of a whole run of ours beside TRL's, on the same split, budget, seed and order, and whether ours is not below.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resolveConfig } from "../lib/config";
import { buildDataset } from "../lib/dataset";
import { correctness } from "../lib/ece";
import { compareScores } from "../lib/evaluation/compare";
import { clusteredShare } from "../lib/statistics/intervals";
import { toScoredPair } from "../lib/scoring/score";
import { rewardDeltas, type ScoredPair } from "../lib/scoring/scoredPair";
import type { PreferencePair } from "../lib/pairs/pair";
import { splitPairs } from "../lib/split";
import { writeSplit } from "../lib/pairs/writeSplit";
import { loadRewardModel } from "../lib/checkpoints/checkpoint";
import { planUpdates } from "../lib/training/prepare";
import { compare, type Side, type Unit } from "./compare";
import type { Job } from "./job";
import { torchPrecision, type Precision } from "./precision";

/** What one side did and what it then gave to the held-out texts, chosen and rejected in turn. */
export interface TrainedSide {
  readonly done: Unit;
  readonly scores: readonly number[];
}

export interface SideAccuracy {
  readonly accuracy: number;
  /** 95%, clustered by prompt. */
  readonly interval: readonly [low: number, high: number];
  readonly trainLoss: number;
}

export interface AccuracyResult {
  readonly trainPairs: number;
  readonly trainTokens: number;
  readonly updates: number;
  readonly heldOutPairs: number;
  readonly heldOutPrompts: number;
  readonly ours: SideAccuracy;
  readonly theirs: SideAccuracy;
  /** Ours minus theirs on the same pairs, with its 95% interval from a bootstrap over prompts. */
  readonly difference: number;
  readonly interval: readonly [low: number, high: number];
  readonly onlyOursRight: number;
  readonly onlyTheirsRight: number;
  /** Not below: 0 or more lies within the interval of the difference. */
  /** TRL's, the faster one on this processor. */
  readonly precision?: Precision;
  readonly verdict: "not below" | "below";
}

const SPLIT = { train_ratio: 0.9, val_ratio: 0.1, test_ratio: 0, seed: 1 };
const QUICK_PAIRS = 256;
/** `rewardbook train` as it comes, but for one epoch and without pair weights, which TRL has none of. */
const TRAINING = { epochs: 1, seed: SPLIT.seed, beta: 0 };

/** Splits pairs by question and writes both parts, as rows and as token ids (chosen, rejected in turn), the ids of the training pairs in an order of their own. */
export async function writeSplitOf(
  job: Pick<Job, "dir" | "pairs">,
  count: number,
  orderOf: (pairs: readonly PreferencePair[]) => Promise<number[]>,
) {
  const maxLength = resolveConfig().max_length;
  const files = await job.pairs(count, maxLength);
  const [pairs, tokens]: [PreferencePair[], number[][]] = [files.pairs, files.tokens].map((file) =>
    JSON.parse(readFileSync(file, "utf8")),
  ) as never;
  const idsOf = new Map(pairs.map((pair, i) => [pair.line, tokens.slice(2 * i, 2 * i + 2)]));
  const split = splitPairs(
    pairs.sort((a, b) => a.line - b.line),
    SPLIT,
  ); // in the file's order, as `rewardbook split` meets them
  const paths = await writeSplit(split, { directory: job.dir, stem: "accuracy", container: "jsonl", withTest: false });
  const writeTokens = (name: string, rows: readonly PreferencePair[]) => {
    const path = join(job.dir, `accuracy_${name}_tokens.json`);
    writeFileSync(path, JSON.stringify(rows.flatMap(({ line }) => idsOf.get(line)!)));
    return path;
  };
  const ordered = (await orderOf(split.train)).map((i) => split.train[i]);
  return {
    heldOut: split.val,
    trainPairs: split.train.length,
    pairs: paths.train,
    val: paths.val,
    tokens: writeTokens("train", ordered),
    held_out_tokens: writeTokens("val", split.val),
  };
}

/** Indices of the training pairs in the order in which `rewardbook train` meets them. */
async function ourOrder(pairs: readonly PreferencePair[], model: string): Promise<number[]> {
  const config = resolveConfig(TRAINING);
  const {
    model: { config: modelConfig },
    tokenizer,
    settings,
  } = await loadRewardModel(model);
  const dataset = await buildDataset(pairs, tokenizer, { ...settings, beta: config.beta, margin: config.margin });
  return planUpdates(dataset, config, modelConfig)
    .epoch(1)
    .flatMap(({ batches }) => batches.flatMap(({ pairs }) => pairs));
}

/** Both sides' programs with the same settings; the schedules are one step apart, since transformers' first step has rate 0. */
function sidesOf(job: Job, model: string, files: Awaited<ReturnType<typeof writeSplitOf>>): Side[] {
  const config = resolveConfig(TRAINING);
  const {
    learning_rate,
    batch_size,
    max_length,
    schedule,
    weight_decay,
    grad_clip,
    adam_beta1,
    adam_beta2,
    adam_epsilon,
    seed,
  } = config;
  const warmup_steps = Math.ceil(config.warmup_ratio * Math.ceil(files.trainPairs / batch_size));
  const { pairs, val, tokens, held_out_tokens } = files;
  const scores = (name: string) => join(job.dir, `accuracy_${name}_scores.json`);
  const theirs = {
    tokens,
    learning_rate,
    batch_size,
    max_length,
    schedule,
    warmup_steps,
    weight_decay,
    grad_clip,
    adam_beta1,
    adam_beta2,
    adam_epsilon,
    seed,
    attention: "sdpa",
    bf16: torchPrecision() === "bf16",
  };
  return [
    {
      label: "ours",
      program: "accuracyRun.js",
      settings: { model, held_out_tokens, scores: scores("ours"), dir: job.dir, training: { ...TRAINING, pairs, val } },
    },
    {
      label: "TRL",
      program: "python/trl_accuracy.py",
      settings: { model, held_out_tokens, scores: scores("trl"), ...theirs },
    },
  ];
}

const EQUAL = ["pairs", "tokens", "updates", "texts", "held_out_tokens"] as const;

/** @throws when the sides were not trained and judged on the same amount of the same */
function checkEqualWork(heldOut: readonly PreferencePair[], ours: TrainedSide, theirs: TrainedSide): void {
  for (const field of EQUAL) {
    if (ours.done[field] === theirs.done[field]) continue;
    throw new Error(
      `accuracy: expected equal work, got ${field} ${ours.done[field]} for ours and ${theirs.done[field]} for TRL`,
    );
  }
  for (const [label, { scores }] of [
    ["ours", ours],
    ["TRL", theirs],
  ] as const) {
    if (scores.length !== 2 * heldOut.length)
      throw new Error(
        `accuracy: expected ${2 * heldOut.length} scores, two a held-out pair, got ${scores.length} for ${label}`,
      );
  }
}

function accuracyOf(scored: readonly ScoredPair[], trainLoss: number): SideAccuracy {
  const { mean, low, high } = clusteredShare(
    rewardDeltas(scored).map(correctness),
    scored.map(({ promptKey }) => promptKey),
  );
  return { accuracy: mean, interval: [low, high], trainLoss };
}

/**
 * The verdict over both sides' scores.
 *
 * @throws when pairs, tokens, updates or scores differ in number, or a score is not finite
 */
export function judgeAccuracy(
  heldOut: readonly PreferencePair[],
  ours: TrainedSide,
  theirs: TrainedSide,
): AccuracyResult {
  checkEqualWork(heldOut, ours, theirs);
  const [scored, others] = [ours, theirs].map(({ scores }) =>
    heldOut.map((pair, i) => toScoredPair(pair, scores[2 * i], scores[2 * i + 1], TRAINING.beta)),
  );
  const compared = compareScores(scored, others);
  const { pairs, tokens, updates } = ours.done;
  return {
    trainPairs: pairs,
    trainTokens: tokens,
    updates: updates!,
    heldOutPairs: compared.n_pairs,
    heldOutPrompts: compared.n_prompts,
    ours: accuracyOf(scored, ours.done.train_loss),
    theirs: accuracyOf(others, theirs.done.train_loss),
    difference: compared.difference,
    interval: compared.difference_ci95,
    onlyOursRight: compared.only_this_right!,
    onlyTheirsRight: compared.only_other_right!,
    verdict: compared.difference_ci95[1] >= 0 ? "not below" : "below",
  };
}

/** Trains both sides, one process each and one after the other: about an hour, most of it TRL's. */
export async function measureAccuracy(job: Job, quick: boolean): Promise<AccuracyResult> {
  const model = await job.model();
  const files = await writeSplitOf(job, quick ? QUICK_PAIRS : Infinity, (pairs) => ourOrder(pairs, model));
  const sides = sidesOf(job, model, files);
  const measured = await compare(sides, { units: 0, tolerance: 0 }); // what elsewhere warms up is here the whole run
  const [ours, theirs] = measured.map(({ first }, i): TrainedSide => ({
    done: first,
    scores: JSON.parse(readFileSync(String(sides[i].settings.scores), "utf8")),
  }));
  return { ...judgeAccuracy(files.heldOut, ours, theirs), precision: torchPrecision() };
}
