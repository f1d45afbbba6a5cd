// In: a job. Out: parameters, memory and speed of every architecture family beside transformers, on the same random weights.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "../lib/random";
import { compare, type Measured, type Side } from "./compare";
import { FAMILY_SHAPES, type FamilyShape } from "./familyShapes";
import type { Job } from "./job";
import { torchPrecision } from "./precision";
import { writeRandomModel } from "./models";

/** Both sides of one piece of work; of transformers the better of its attention implementations. */
export interface BothSides {
  readonly oursPairsPerSecond: number;
  readonly theirsPairsPerSecond: number;
  readonly oursPeakMb: number;
  readonly theirsPeakMb: number;
}

export interface FamilyRow {
  readonly family: string;
  readonly shape: string;
  readonly parameters: number;
  /** Largest difference of a score from transformers', in units of the scores' root mean square. */
  readonly scoreDifference: number;
  readonly scoring: BothSides;
  readonly training: BothSides;
}

const ATTENTION = ["sdpa", "eager"];
const [PAIRS, LENGTH] = [6, 128];
/** Losses after a few steps. */
const LOSS_TOLERANCE = 0.02;
/** Scores of one pass in bf16, where transformers' own two attentions differ by up to 0.02; another text's score is several times as far. */
const SCORE_TOLERANCE = 0.1;

/** Texts of 64 to 128 tokens, padded on the right. */
function writeBatch(job: Job, { family, config }: FamilyShape): string {
  const random = createRandom(1);
  const lengths = Array.from({ length: 2 * PAIRS }, (_, i) =>
    i === 0 ? LENGTH : LENGTH / 2 + random.integer(LENGTH / 2),
  );
  const rows = (at: (inside: boolean) => number) =>
    lengths.map((length) => Array.from({ length: LENGTH }, (_, i) => at(i < length)));
  const ids = rows((inside) => (inside ? 1000 + random.integer(20000) : Number(config.pad_token_id)));
  const path = join(job.dir, `${family}.json`);
  writeFileSync(path, JSON.stringify({ ids, mask: rows(Number) }));
  return path;
}

/** Runs both programs beside each other on one model and batch, our side first. */
function measure(
  programs: readonly [ours: string, theirs: string],
  settings: Record<string, unknown>,
  units: number,
): Promise<Measured[]> {
  const other = (attention: string): Side => ({
    label: `transformers ${attention}`,
    program: programs[1],
    settings: { ...settings, attention },
  });
  return compare([{ label: "ours", program: programs[0], settings }, ...ATTENTION.map(other)], {
    units,
    tolerance: LOSS_TOLERANCE,
  });
}

function bothSides([ours, ...theirs]: readonly Measured[]): BothSides {
  const pairsPerSecond = (ms: number) => (PAIRS / ms) * 1000;
  return {
    oursPairsPerSecond: pairsPerSecond(ours.medianMs),
    theirsPairsPerSecond: pairsPerSecond(Math.min(...theirs.map(({ medianMs }) => medianMs))),
    oursPeakMb: ours.peakMb,
    theirsPeakMb: Math.min(...theirs.map(({ peakMb }) => peakMb)),
  };
}

/** @throws when a score differs from transformers' by more than bf16 explains */
function scoreDifference(family: string, [ours, ...theirs]: readonly Measured[]): number {
  const texts = Array.from({ length: 2 * PAIRS }, (_, i) => `score_${i}`);
  const differences = theirs.map(({ label, first }) => {
    const size = Math.sqrt(texts.reduce((sum, text) => sum + first[text] ** 2, 0) / texts.length);
    const difference = Math.max(...texts.map((text) => Math.abs(ours.first[text] - first[text]))) / size;
    if (difference <= SCORE_TOLERANCE) return difference;
    const [a, b] = [ours.first, first].map((scores) => texts.map((text) => scores[text]?.toFixed(4)).join(" "));
    throw new Error(`${family}: expected the scores of ${label}, ${b}, got ${a}`);
  });
  return Math.max(...differences);
}

async function measureFamily(job: Job, shape: FamilyShape, units: number): Promise<FamilyRow> {
  const model = join(job.dir, shape.family);
  await writeRandomModel(model, shape.config);
  const settings = {
    model,
    batch: writeBatch(job, shape),
    learning_rate: 1e-6,
    full_last_layer: false,
    bf16: torchPrecision() === "bf16",
  };
  const scored = await measure(["familyScoring.js", "python/family_scoring.py"], settings, units);
  const trained = await measure(["step.js", "python/step.py"], settings, units);
  rmSync(model, { recursive: true });
  return {
    family: shape.family,
    shape: shape.shape,
    parameters: scored[0].first.parameters,
    scoreDifference: scoreDifference(shape.family, scored),
    scoring: bothSides(scored),
    training: bothSides(trained),
  };
}

/** @param only model types to measure; all of them when absent */
export async function measureFamilies(job: Job, units: number, only?: readonly string[]): Promise<FamilyRow[]> {
  const unknown = only?.find((name) => !FAMILY_SHAPES.some(({ family }) => family === name));
  if (unknown)
    throw new Error(
      `--families: expected some of ${FAMILY_SHAPES.map(({ family }) => family).join(", ")}, got ${unknown}`,
    );
  const rows: FamilyRow[] = [];
  for (const shape of FAMILY_SHAPES.filter(({ family }) => !only || only.includes(family))) {
    const row = await measureFamily(job, shape, units);
    const speeds = ({ oursPairsPerSecond: a, theirsPairsPerSecond: b }: BothSides) =>
      `${a.toFixed(1)} against ${b.toFixed(1)} pairs/s`;
    console.log(
      `  ${row.family}: scoring ${speeds(row.scoring)}, training ${speeds(row.training)}, scores within ${row.scoreDifference.toExponential(1)}`,
    );
    rows.push(row);
  }
  return rows;
}
