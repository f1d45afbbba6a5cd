// Our side of pairs and candidates in the shape of conversations, from token ids: an epoch of training, or rewards of all texts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PairDataset } from "../lib/batching/pairArrays";
import { TokenStore } from "../lib/batching/tokenStore";
import { resolveConfig } from "../lib/config";
import { initBackend } from "../lib/engine/backend";
import { iterateSafetensors } from "../lib/files/safetensors";
import { parseModelConfig } from "../lib/models/config";
import { streamRewardModel } from "../lib/models/createModel";
import type { RewardModel } from "../lib/models/rewardModel";
import { createScorer, resolvePrecision } from "../lib/scoring/score";
import { takeStep } from "../lib/training";
import { shapesWorthFusing } from "../lib/training/epochSteps";
import { planUpdates } from "../lib/training/prepare";
import { createTrainingStep } from "../lib/training/step";
import { serve } from "./serve";

export interface ConversationSettings {
  readonly model: string;
  readonly tokens: string; // file: token ids; for training chosen and rejected in turn
  /** Texts of one prompt, which stand side by side. */
  readonly answers: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  /** Whether a prompt goes through the model once for all its answers. */
  readonly share: boolean;
  readonly what: "train" | "score";
}

const PAD_ID = 2;

void serve<ConversationSettings>(async (settings) => {
  await initBackend();
  const path = join(settings.model, "config.json");
  const config = parseModelConfig(JSON.parse(readFileSync(path, "utf8")), settings.model);
  const model = await streamRewardModel(config, iterateSafetensors(settings.model));
  const texts: number[][] = JSON.parse(readFileSync(settings.tokens, "utf8"));
  const store = new TokenStore();
  texts.forEach((ids, i) =>
    store.push(Uint32Array.from(ids), settings.share ? `${Math.floor(i / settings.answers)}` : undefined),
  );
  const work = { tokens: texts.reduce((total, ids) => total + ids.length, 0), pairs: texts.length / 2 };
  return settings.what === "train"
    ? await training(model, store, { settings, work })
    : await scoring(model, store, work);
});

type Work = Readonly<Record<"tokens" | "pairs", number>>;

async function training(
  model: RewardModel,
  tokens: TokenStore,
  { settings, work }: { readonly settings: ConversationSettings; readonly work: Work },
) {
  const { batch_size, learning_rate } = settings;
  const config = resolveConfig({ batch_size, learning_rate, max_length: 1024, schedule: "constant", beta: 0 });
  const truncation = { pairs: 0, texts: 0, tokens_cut: 0, tokens: work.tokens };
  const [weights, margins] = [new Float32Array(work.pairs).fill(1), new Float32Array(work.pairs)];
  const dataset: PairDataset = { size: work.pairs, tokens, weights, margins, truncation, cuts: new Map() };
  const plan = planUpdates(dataset, { ...config, epochs: Math.ceil(4096 / work.pairs) }, model.config);
  const updates = plan.epoch(1);
  const step = createTrainingStep({
    ...{ model, trainable: [...model.parameters.keys()], dataset, config, padId: PAD_ID },
    precision: await resolvePrecision("auto"),
    fused: shapesWorthFusing(model, plan, false),
  });
  let count = 0;
  return () => {
    let [loss, read] = [0, 0];
    for (const update of updates) {
      const outcome = takeStep(step, update, learning_rate, ++count);
      loss += (outcome.loss * update.pairs) / work.pairs;
      read += outcome.tokens;
    }
    return { ...work, updates: updates.length, loss, tokens_read: read };
  };
}

async function scoring(model: RewardModel, tokens: TokenStore, work: Work) {
  const scorer = createScorer(model, PAD_ID, { precision: await resolvePrecision("auto"), fuse: "always" });
  return async () => {
    const scores = await scorer.score(tokens);
    let margin = 0;
    for (let i = 0; i < scores.length; i += 2) margin += (scores[i] - scores[i + 1]) / work.pairs;
    return { ...work, margin };
  };
}
