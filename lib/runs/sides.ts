// In: what a command line calls one side of a comparison. Out: its models: a run's, each of its seeds', a checkpoint's, or scores in a file.
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { isEnsemble, type ScoringModelOptions } from "../checkpoints/checkpoint";
import { InputError, UsageError } from "../errors";
import { checkpointsDir, metricsDir } from "../files/paths";
import { promptKey } from "../pairs/normalise";
import type { PreferencePair } from "../pairs/pair";
import { openScoring } from "../scoring/members";
import type { ScoringOptions } from "../scoring/score";
import type { ScoredPair } from "../scoring/scoredPair";
import { meanPairs } from "../scoring/uncertainty";
import { readRun, readScoreLines } from "./runFiles";
import type { ScoreLine } from "./evaluationSchemas";

/** One model of a side: a checkpoint to score with, scores that it left, or both. */
export interface SideModel {
  readonly name: string;
  readonly checkpoint: string | null;
  readonly scores: readonly ScoreLine[];
  /** SHA-256 of the files that the scored pairs come from; null for a scores file, whose ids are taken at their word. */
  readonly source: string | null;
}

/** One side of a comparison: a way of training, with one model or several. */
export interface Side {
  readonly name: string;
  readonly models: readonly SideModel[];
}

/**
 * Reads `A,B` or `a1+a2+a3,b1+b2`: sides by commas, the models of a side by plus signs. A model is the name of a run (of
 * all its seeds, where it was trained with several), a checkpoint directory, or a JSONL file that `score` wrote.
 *
 * @throws UsageError for fewer than two sides, InputError for what is none of the three
 */
export function readSides(text: string): Side[] {
  const sides = text.split(",").map((side) => side.trim());
  if (sides.length < 2 || sides.includes(""))
    throw new UsageError(
      `--runs: expected two sides or more with commas between, such as A,B or a1+a2,b1+b2, got ${JSON.stringify(text)}; see --help`,
    );
  return sides.map((side) => ({ name: side, models: side.split("+").flatMap((name) => modelsOf(name.trim())) }));
}

function modelsOf(name: string): SideModel[] {
  if (/\.jsonl$/.test(name))
    return [{ name: basename(name), checkpoint: null, scores: readScoreLines(name), source: null }];
  if ((existsSync(join(name, "config.json")) || isEnsemble(name)) && !existsSync(metricsDir(name)))
    return [{ name, checkpoint: name, scores: [], source: null }];
  if (!existsSync(metricsDir(name)))
    throw new InputError(
      `--runs: expected the name of a run, a checkpoint directory or a .jsonl file of scores, got ${JSON.stringify(name)}; metrics/ has the runs`,
    );
  const { seeds } = readRun(metricsDir(name));
  return (seeds?.file.seeds.map(({ run }) => run) ?? [name]).map(modelOfRun);
}

function modelOfRun(run: string): SideModel {
  const { scores, data } = readRun(metricsDir(run));
  const source = data?.sources.map(({ sha256 }) => sha256 ?? "").join(" ") ?? "";
  return { name: run, checkpoint: join(checkpointsDir(run), "best"), scores, source };
}

/** The scores that the models of all sides left of their own held-out pairs. @throws InputError where one left none, or of other data */
export function keptScoresOf(sides: readonly Side[]): ScoreLine[][][] {
  const models = sides.flatMap((side) => side.models);
  const without = models.find(({ scores }) => scores.length === 0);
  if (without)
    throw new InputError(
      `${without.name}: expected scores of its validation pairs, found none; give --pairs FILE, and all sides are scored on it`,
    );
  const sources = new Set(models.flatMap(({ source }) => (source === null ? [] : [source])));
  if (sources.size > 1)
    throw new InputError(
      `--runs: expected runs of the same data files, got ${sources.size} different ones; give --pairs FILE, and all sides are scored on it`,
    );
  return sides.map((side) => side.models.map(({ scores }) => [...scores]));
}

export interface SideScoring extends ScoringOptions, Pick<ScoringModelOptions, "onMessage"> {
  /** Hears which model is scored next. */
  readonly onModel?: (name: string) => void;
}

/** Rewards of some pairs by every model of a side, a list a model; one model is in memory at a time. */
export async function scoreSide(
  side: Side,
  pairs: readonly PreferencePair[],
  options: SideScoring = {},
): Promise<ScoredPair[][]> {
  const lists: ScoredPair[][] = [];
  for (const { name, checkpoint } of side.models) {
    if (checkpoint === null)
      throw new InputError(
        `${name}: expected a run or a checkpoint to score --pairs with, got a file of scores; leave out --pairs`,
      );
    options.onModel?.(name);
    const { precision = "f32", onMessage } = options;
    const scoring = await openScoring(checkpoint, { storage: precision, onMessage });
    try {
      lists.push(meanPairs(await scoring.scorePairs(pairs, options)));
    } finally {
      scoring.dispose();
    }
  }
  return lists;
}

/**
 * Pairs of several files as of one: ids are told apart by file, and a prompt that stands in two files, or under two
 * question ids, is one cluster.
 */
export function joinFiles(files: readonly { readonly path: string; readonly pairs: readonly PreferencePair[] }[]) {
  const byPrompt = new Map<string, string>();
  const byQuestion = new Map<string, string>();
  return files.flatMap(({ path, pairs }) =>
    pairs.map((pair) => {
      const prompt = promptKey(pair.prompt);
      const question = `${resolve(path)} ${pair.questionId}`;
      const cluster = byQuestion.get(question) ?? byPrompt.get(prompt) ?? question;
      byPrompt.set(prompt, cluster);
      byQuestion.set(question, cluster);
      return { ...pair, id: `${path} ${pair.id}`, questionId: cluster };
    }),
  );
}
