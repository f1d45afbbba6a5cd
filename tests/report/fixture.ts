// Writes a run's folder as training writes it: the same keys, made by the same evaluation code from simulated scores.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { analyseErrors } from "../../lib/evaluation/errorAnalysis";
import { evaluateScores, originalEvaluation } from "../../lib/evaluation/evaluate";
import type { ScoredPair } from "../../lib/scoring/scoredPair";
import { resolveConfig } from "../../lib/config";
import { checkQualityGate } from "../../lib/training/gate";
import { scoreLineOf } from "../../lib/runs/scoreLines";
import { createRandom } from "../../lib/random";

/** Texts that would do harm if they became markup, script, a JSON script's end, or a link. */
export const HOSTILE = [
  "</script><script>window.PWN=1</script>",
  "<img src=x onerror=window.PWN=2>",
  "<svg onload=window.PWN=3>",
  '<a href="javascript:window.PWN=4">click</a>',
  '"><iframe srcdoc="<script>parent.PWN=5</script>">',
  "<!--<script>",
  "'; window.PWN=6; '",
  "{{constructor.constructor('window.PWN=7')()}}",
  "\u2028window.PWN=8\u2029 \u202e gnitirw",
] as const;

export interface FixtureOptions {
  readonly name?: string;
  readonly seed?: number;
  readonly pairs?: number;
  /** Mean of Δ: the larger, the better the model. */
  readonly skill?: number;
  /** Also pairs set aside and evaluated at the end. */
  readonly test?: boolean;
  /** Puts hostile texts wherever a run holds text. */
  readonly hostile?: boolean;
}

const TOPICS = [
  "tides",
  "vaccines",
  "interest rates",
  "photosynthesis",
  "sorting",
  "antibiotics",
  "treaties",
  "glaciers",
];

export function simulatedPairs({ seed = 1, pairs = 400, skill = 1.3, hostile = false }: FixtureOptions): ScoredPair[] {
  const random = createRandom(seed);
  const risks = hostile ? ["LOW", "__proto__", HOSTILE[0]] : ["LOW", "MEDIUM", "HIGH"];
  return Array.from({ length: pairs }, (_, i) => {
    const topic = TOPICS[i % TOPICS.length];
    const nasty = hostile ? ` ${HOSTILE[i % HOSTILE.length]}` : "";
    const long = 1 + random.integer(6);
    const chosen = `${`The answer on ${topic} rests on two causes. `.repeat(long)}The first matters most.${nasty}`;
    const rejected = `${`The answer on ${topic} rests on one cause. `.repeat(1 + random.integer(6))}Nothing else matters.${nasty}`;
    const chosenScore = skill / 2 + random.normal();
    const rejectedScore = -skill / 2 + random.normal();
    return {
      id: hostile ? `p${i} ${HOSTILE[(i + 3) % HOSTILE.length]}` : `p${i}`,
      questionId: `q${i >> 1}`,
      promptKey: `q${i >> 1}`,
      risk: risks[i % 3],
      category: hostile ? HOSTILE[(i + 1) % HOSTILE.length] : undefined,
      weight: 1,
      chosenScore,
      rejectedScore,
      chosenLength: chosen.length,
      rejectedLength: rejected.length,
      prompt: `What explains ${topic}, case ${i}?${nasty}`,
      chosen,
      rejected,
    };
  });
}

/** Writes metrics/RUN under `root` and returns its path. */
export function writeRun(root: string, options: FixtureOptions = {}): string {
  const { name = "fixture", seed = 1, skill = 1.3, hostile = false } = options;
  const dir = join(root, name);
  mkdirSync(join(dir, "val_deltas"), { recursive: true });
  const write = (file: string, value: unknown) => writeFileSync(join(dir, file), JSON.stringify(value, null, 2));
  const lines = (file: string, rows: readonly object[]) =>
    writeFileSync(join(dir, file), rows.map((row) => JSON.stringify(row) + "\n").join(""));
  const random = createRandom(seed + 7);
  const steps = Array.from({ length: 300 }, (_, i) => ({
    ts: 1.7e9 + i,
    step: i + 1,
    epoch: i < 150 ? 1 : 2,
    loss: 0.3 + 0.4 * Math.exp(-i / 80) + 0.05 * random.normal(),
    accuracy: 0.8,
    margin: 1,
    min_reward: -1,
    mean_reward: 0,
    max_reward: 1,
    pairs: 16,
    num_tokens: 4000 * (i + 1),
    learning_rate: 5e-5 * Math.min(1, (i + 1) / 30) * (1 - i / 300),
    grad_norm: 2 + 0.4 * random.normal(),
    tokens_per_second: 9000,
    padding_share: 0.08,
  }));
  const pairs = simulatedPairs(options);
  const evaluation = evaluateScores(pairs, { temperature: 0.9 });
  const original = originalEvaluation(pairs);
  const text = hostile ? HOSTILE[1] : "validation loss rose for two epochs";
  write(
    "config.json",
    resolveConfig({ pairs: hostile ? `data/${HOSTILE[0]}.jsonl` : "data/pairs.jsonl", run: "fixture", epochs: 3 }),
  );
  write("environment.json", {
    rewardbook: "0.1.0",
    node: "v22",
    processor: hostile ? HOSTILE[2] : "a processor",
    backend: { name: "tensorflow", threads: 2 },
  });
  const part = (train: number, val: number) => ({ train, val, test: 0 });
  write("data.json", {
    sources: [
      {
        file: hostile ? HOSTILE[4] : "data/pairs.jsonl",
        sha256: "ab".repeat(32),
        format: "original",
        rows: 5000,
        used: 4890,
        not_used: { [hostile ? HOSTILE[2] : "identical_answers"]: 80, tie: 30 },
      },
    ],
    split: {
      seed: 42,
      drop_weak: false,
      dropped: { score_diff_zero: 3, both_score1: 0 },
      counts: part(4490, pairs.length),
      unique_qids: part(2245, 200),
      risk_dist: { train: { LOW: 2000, HIGH: 2490 }, val: { LOW: 200, HIGH: 200 }, test: {} },
    },
    counts: part(4490, pairs.length),
    truncation: { train: { pairs: 12, tokens_cut: 480 }, val: { pairs: 1, tokens_cut: 9 } },
  });
  lines("train_steps.jsonl", steps);
  lines(
    "val_epochs.jsonl",
    [1, 2].map((epoch) => ({
      ts: 1.7e9,
      epoch,
      step: 150 * epoch,
      train_loss: 0.6 - 0.1 * epoch,
      train_accuracy: 0.75 + 0.04 * epoch,
      val_loss: 0.62 - 0.07 * epoch,
      accuracy_ci95: evaluation.accuracy_ci95,
      ...original,
      pairwise_accuracy: original.pairwise_accuracy - 0.03 * (2 - epoch),
    })),
  );
  lines("val_steps.jsonl", [
    { ts: 1.7e9, step: 100, epoch: 1, val_loss: 0.6, accuracy: 0.7, ece: 0.2, acc_by_risk: {} },
  ]);
  write("val_deltas/deltas_epoch01.json", { epoch: 1, deltas: [0] });
  write("val_deltas/deltas_epoch02.json", { epoch: 2, deltas: original.deltas });
  write("evaluation.json", evaluation);
  write("errors.json", analyseErrors(pairs));
  const trainAccuracy = evaluation.accuracy + 0.04;
  write("metrics.json", {
    run: name,
    train_accuracy: trainAccuracy,
    val_accuracy: evaluation.accuracy,
    overfitting_gap: 0.04,
    best_epoch: 2,
    num_parameters: 22_713_601,
    training_steps: 300,
    train_seconds: 217.4,
    train_pairs_per_second: 41.2,
    peak_memory_mb: 1830,
    interrupted: false,
  });
  write(
    "quality_gate.json",
    checkQualityGate({
      trainAccuracy,
      valAccuracy: evaluation.accuracy,
      pValue: evaluation.baseline_tests.random.p_value,
      losses: steps.map(({ loss }) => loss),
    }),
  );
  if (hostile || skill < 1)
    lines("warnings.jsonl", [
      { kind: "overfitting", step: 300, epoch: 2, message: text, advice: "train for fewer epochs" },
    ]);
  lines("val_scores.jsonl", pairs.map(scoreLineOf));
  if (options.test) {
    const aside = simulatedPairs({ ...options, seed: seed + 50, pairs: 120 }).map((pair) => ({
      ...pair,
      id: `test ${pair.id}`,
    }));
    write("test_evaluation.json", { pairs_file: "test_pairs.jsonl", ...evaluateScores(aside, { temperature: 0.9 }) });
    write("test_errors.json", analyseErrors(aside));
    lines("test_scores.jsonl", aside.map(scoreLineOf));
  }
  return dir;
}
