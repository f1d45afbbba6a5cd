// In: a job. Out: two comparisons of a decoder on texts in the shape of conversations: pairs of a prompt, and eight candidates of one.
import { copyFileSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { projectPath } from "../lib/files/paths";
import { createRandom } from "../lib/random";
import type { Comparison } from "./comparison";
import type { Measured, Side } from "./compare";
import type { Job } from "./job";
import { precisionIn, torchPrecision } from "./precision";

const LEARNING_RATE = 1e-6;
const CANDIDATES = 8;
/** Pairs of an update: of eight long ones TRL's side alone takes more than 14 GB. */
const BATCH = 4;
/** Of the random model; no text has it. */
const PAD_ID = 2;
/** Share of a text's tokens that is its prompt, as in Anthropic's HH. */
const PROMPT_SHARE = 0.7;

/** A file of token ids: of each prompt some answers, side by side; lengths spread as people write. */
function writeTexts(job: Job, prompts: number, answers: number): string {
  const random = createRandom(answers);
  const words = (n: number) => Array.from({ length: n }, () => 1000 + random.integer(40_000));
  const spread = (median: number) => Math.round(median * Math.exp(0.4 * random.normal()));
  const texts = Array.from({ length: prompts }, () => {
    const length = Math.min(600, Math.max(40, spread(200)));
    const prompt = words(length);
    const answer = (length * (1 - PROMPT_SHARE)) / PROMPT_SHARE;
    return Array.from({ length: answers }, () => [...prompt, ...words(Math.max(4, Math.min(400, spread(answer))))]);
  }).flat();
  const path = join(job.dir, `conversations-${prompts}-${answers}.json`);
  writeFileSync(path, JSON.stringify(texts));
  return path;
}

/** SmolLM2-135M's shape; TRL asks for a tokenizer, though it gets token ids. */
async function decoder(job: Job): Promise<string> {
  const model = await job.randomModel("smollm2-135m");
  for (const name of ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"]) {
    const from = projectPath("models", "all-MiniLM-L6-v2", name);
    if (existsSync(from)) copyFileSync(from, join(model, name));
  }
  return model;
}

const ours = (settings: Record<string, unknown>): Side[] =>
  [true, false].map((share) => ({
    label: share ? "ours" : "ours, prompts apart",
    program: "conversations.js",
    settings: { ...settings, share },
  }));

const fastestOf = (measured: ReadonlyMap<string, Measured>): Measured =>
  [...measured.values()]
    .filter(({ label }) => !label.startsWith("ours"))
    .reduce((best, side) => (side.medianMs < best.medianMs ? side : best));

const training: Comparison = {
  name: "conversations",
  tolerance: 0.1,
  judged: "first",
  sides: async (job, quick) => {
    const tokens = writeTexts(job, quick ? 8 : 32, 2);
    const precision = torchPrecision();
    const common = { model: await decoder(job), tokens, batch_size: BATCH, learning_rate: LEARNING_RATE };
    const trl = { ...common, max_length: 1024, attention: "sdpa", bf16: precision === "bf16", what: "train" };
    return [
      ...ours({ ...common, answers: 2, what: "train" }),
      { label: `TRL ${precision} sdpa`, program: "python/trl_side.py", settings: trl },
    ];
  },
  rows: (measured) => {
    const side = measured.get("ours")!;
    const theirs = fastestOf(measured);
    return [
      {
        work: "fine-tuning SmolLM2-135M's shape on conversations (prompt 70%)",
        against: `TRL RewardTrainer ${precisionIn(measured.keys())}`,
        target: 2.5,
        unit: "pairs/s",
        ours: (1000 * side.last.pairs) / side.medianMs,
        theirs: (1000 * side.last.pairs) / theirs.medianMs,
        bound: "ratio at least",
      },
    ];
  },
};

const scoring: Comparison = {
  name: "candidates",
  tolerance: 0.1,
  sides: async (job, quick) => {
    const tokens = writeTexts(job, quick ? 4 : 16, CANDIDATES);
    const precision = torchPrecision();
    const common = { model: await decoder(job), tokens, batch_size: 32, learning_rate: LEARNING_RATE };
    const other = (attention: string): Side => ({
      label: `transformers ${precision} ${attention}`,
      program: "python/scoring.py",
      settings: { ...common, attention, bf16: precision === "bf16", pad_id: PAD_ID },
    });
    return [
      ...ours({ ...common, answers: CANDIDATES, what: "score" }),
      other("sdpa"),
      ...(quick ? [] : [other("eager")]),
    ];
  },
  rows: (measured) => {
    const side = measured.get("ours")!;
    const texts = 2 * side.last.pairs;
    return [
      {
        work: `scoring ${CANDIDATES} candidates a prompt, SmolLM2-135M's shape`,
        against: `transformers ${precisionIn(measured.keys())}, length-sorted`,
        target: 4,
        unit: "texts/s",
        ours: (1000 * texts) / side.medianMs,
        theirs: (1000 * texts) / fastestOf(measured).medianMs,
        bound: "ratio at least",
      },
    ];
  },
};

/** Where a prompt's answers are read together. */
export const CONVERSATIONS: readonly Comparison[] = [training, scoring];
