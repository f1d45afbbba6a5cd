// In: a checkpoint directory, of one model or of an ensemble. Out: rewards by each of its models.
import * as tf from "@tensorflow/tfjs-core";
import {
  bestMember,
  isEnsemble,
  memberDirectory,
  readEnsemble,
  readHeads,
  type EnsembleFile,
} from "../checkpoints/ensemble";
import { loadScoringModel, type LoadedModel, type ScoringModelOptions } from "../checkpoints/checkpoint";
import type { RewardbookSettings } from "../checkpoints/settings";
import { InputError } from "../errors";
import { messagesOf } from "../longWork";
import { scorePooled } from "../models/rewardModel";
import { itemsOf, type PreferencePair } from "../pairs/pair";
import { embedTexts } from "./embed";
import { scorePairs, scoreTexts, toScoredPair, type ScoreItem, type ScoringOptions } from "./score";
import type { ScoredPair } from "./scoredPair";

/** What scores texts: one model, or several. */
export interface Scoring {
  readonly dir: string;
  /** The only model, or the one that is best alone: its tokenizer and template are those of all. */
  readonly loaded: LoadedModel;
  /** With the temperature of the ensemble. */
  readonly settings: RewardbookSettings;
  /** Models, and the level of each: its mean reward of validation answers, an arbitrary number; 0 for a single model. */
  readonly levels: readonly number[];
  /** @returns [M][N] rewards by each model */
  scoreTexts(items: readonly ScoreItem[], options?: ScoringOptions): Promise<Float64Array[]>;
  /** @returns [M][N] pairs with the rewards by each model */
  scorePairs(
    pairs: readonly PreferencePair[],
    options?: ScoringOptions & { readonly beta?: number },
  ): Promise<ScoredPair[][]>;
  dispose(): void;
}

/**
 * Opens a reward model or an ensemble for scoring, and for nothing else: its word embeddings stay in their file. Of an ensemble
 * of whole models one is in memory beside the best.
 *
 * @throws InputError for a directory that is neither
 * @example
 * ```ts
 * const scoring = await openScoring("checkpoints/five/ensemble");
 * console.log(uncertainScores(await scoring.scoreTexts([{ prompt: "2 + 2?", response: "4" }]), scoring.levels));
 * ```
 */
export async function openScoring(dir: string, given: ScoringModelOptions = {}): Promise<Scoring> {
  const options = { tableOnFile: true, ...given };
  if (!isEnsemble(dir)) {
    const loaded = await loadScoringModel(dir, options);
    return {
      ...{ dir, loaded, settings: loaded.settings, levels: [0] },
      scoreTexts: async (items, scoring) => [await scoreTexts(loaded, items, scoring)],
      scorePairs: async (pairs, scoring) => [await scorePairs(loaded, pairs, scoring)],
      dispose: () => loaded.model.dispose(),
    };
  }
  const ensemble = await readEnsemble(dir);
  const loaded = await loadScoringModel(bestMember(dir, ensemble), { ...options, member: true });
  messagesOf(options)(`${dir}: an ensemble of ${ensemble.members.length} seeds; rewards are their mean`);
  const { temperature, members } = ensemble;
  return {
    ...{ dir, loaded, settings: { ...loaded.settings, temperature }, levels: members.map(({ level }) => level) },
    ...(ensemble.kind === "heads"
      ? await scoreByHeads(dir, loaded, ensemble)
      : scoreByModels(dir, loaded, { ensemble, options })),
    dispose: () => loaded.model.dispose(),
  };
}

/** One trunk: the vector of a text is computed once, and every head reads it. */
async function scoreByHeads(
  dir: string,
  loaded: LoadedModel,
  ensemble: EnsembleFile,
): Promise<Pick<Scoring, "scoreTexts" | "scorePairs">> {
  const heads = await readHeads(dir, ensemble);
  const byHeads: Scoring["scoreTexts"] = async (items, options) => {
    if (items.length === 0) return heads.map(() => new Float64Array());
    const vectors = await embedTexts(loaded, items, options);
    return heads.map((head, m) => {
      const scores = scoreVectors(loaded, vectors, head);
      requireFinite(scores, `${dir}, seed ${ensemble.members[m].seed}`);
      return scores;
    });
  };
  return {
    scoreTexts: byHeads,
    scorePairs: async (pairs, options) => {
      const scores = await byHeads(textsOf(pairs), options);
      return scores.map((own) =>
        pairs.map((pair, i) => toScoredPair(pair, own[2 * i], own[2 * i + 1], options?.beta ?? 0)),
      );
    },
  };
}

const textsOf = (pairs: readonly PreferencePair[]): ScoreItem[] => pairs.flatMap(itemsOf);

const ROWS = 1024;

/** Rewards of pooled vectors under another head than the model's own. */
function scoreVectors(
  { model }: LoadedModel,
  vectors: readonly Float32Array[],
  head: ReadonlyMap<string, { readonly shape: readonly number[]; readonly data: Float32Array }>,
): Float64Array {
  const rewards = new Float64Array(vectors.length);
  for (let from = 0; from < vectors.length; from += ROWS) {
    const rows = vectors.slice(from, from + ROWS);
    const width = rows[0].length;
    const flat = new Float32Array(rows.length * width);
    rows.forEach((row, i) => flat.set(row, i * width));
    const scores = tf.tidy(() => {
      const own = [...head].map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])] as const);
      const parameters = new Map<string, tf.Tensor>([...model.parameters, ...own]);
      return scorePooled({ ...model, parameters }, tf.tensor2d(flat, [rows.length, width])).dataSync();
    });
    rewards.set(scores, from);
  }
  return rewards;
}

function requireFinite(scores: Float64Array, where: string): void {
  const bad = scores.findIndex((score) => !Number.isFinite(score));
  if (bad >= 0) throw new InputError(`${where}: expected finite scores, got ${scores[bad]}; train this seed again`);
}

/** Members of their own, one after another. */
function scoreByModels(
  dir: string,
  loaded: LoadedModel,
  { ensemble, options }: { readonly ensemble: EnsembleFile; readonly options: ScoringModelOptions },
): Pick<Scoring, "scoreTexts" | "scorePairs"> {
  const eachModel = async <T>(work: (member: LoadedModel) => Promise<T>): Promise<T[]> => {
    const results: T[] = [];
    for (const member of ensemble.members) {
      if (String(member.seed) === ensemble.best) {
        results.push(await work(loaded));
        continue;
      }
      const own = await loadScoringModel(memberDirectory(dir, member), { ...options, onMessage: () => {} });
      try {
        results.push(await work(own));
      } finally {
        own.model.dispose();
      }
    }
    return results;
  };
  return {
    scoreTexts: (items, scoring) => eachModel((member) => scoreTexts(member, items, scoring)),
    scorePairs: (pairs, scoring) => eachModel((member) => scorePairs(member, pairs, scoring)),
  };
}
