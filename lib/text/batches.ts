// In: text lengths. Out: which rows share a batch and how wide it is. Few widths (each is a compiled graph), little padding.
import { createRandom, hashSeed } from "../random";

/** Rows of one graph run: indices into the data, all padded to `width` tokens, filled up to `capacity` rows. */
export interface Batch {
  readonly rows: readonly number[];
  readonly width: number;
  readonly capacity: number;
}

/** Widths are multiples of this, so that XLA and oneDNN meet whole vector registers. */
const WIDTH_STEP = 32;
/** Cost of one more width (trace and XLA compilation), in tokens that could be trained meanwhile. */
const GRAPH_COST_TOKENS = 30_000;
/** Width at which attention costs as much as the rest of the layer; measured on the default encoder. */
const ATTENTION_WIDTH = 746;
const MAX_WIDTHS = 8;
/** Rows are sorted by length inside windows of so many batches, which keeps the order random beyond them. */
const WINDOW_BATCHES = 16;

const cost = (width: number): number => width * (1 + width / ATTENTION_WIDTH);
const roundUp = (length: number): number => Math.max(1, Math.ceil(length / WIDTH_STEP)) * WIDTH_STEP;

/**
 * The widths that cost least in all: padding against the price of compiling another graph (dynamic programming
 * over the lengths rounded up to a multiple of 32).
 *
 * @param needed longest length of each unit that is padded as one, tokens
 * @param options.rows rows padded with each unit
 * @param options.maxLength no width is larger, tokens
 * @returns ascending widths, at most eight; the last one holds the longest
 */
export function planWidths(needed: readonly number[], options: { rows: number; maxLength: number }): number[] {
  const counts = new Map<number, number>();
  for (const length of needed) {
    const width = Math.min(roundUp(length), options.maxLength);
    counts.set(width, (counts.get(width) ?? 0) + 1);
  }
  const widths = [...counts.keys()].sort((a, b) => a - b);
  const below = [0];
  for (const width of widths) below.push(below[below.length - 1] + counts.get(width)!);
  // previous[j]: least cost of the first j widths with one graph fewer, the last one as wide as widths[j−1].
  const nothing = { total: Infinity, picks: [] as number[] };
  let chosen = { total: Infinity, picks: widths.slice(-1) };
  let previous = [{ total: 0, picks: [] as number[] }, ...widths.map(() => nothing)];
  for (let graphs = 1; graphs <= Math.min(MAX_WIDTHS, widths.length); graphs++) {
    const next = [nothing];
    for (let j = 1; j <= widths.length; j++) {
      let least = nothing;
      for (let i = 0; i < j; i++) {
        const total = previous[i].total + (below[j] - below[i]) * options.rows * cost(widths[j - 1]) + GRAPH_COST_TOKENS;
        if (total < least.total) least = { total, picks: [...previous[i].picks, widths[j - 1]] };
      }
      next.push(least);
    }
    if (next[widths.length].total < chosen.total) chosen = next[widths.length];
    previous = next;
  }
  return chosen.picks;
}

const widthFor = (length: number, widths: readonly number[]): number => widths.find((w) => w >= length) ?? widths[widths.length - 1];

/** What decides the batches of a training run. */
export interface TrainingPlanOptions {
  readonly batchSize: number;
  readonly gradientAccumulation: number;
  readonly tokensPerBatch: number;
  readonly maxLength: number;
  readonly seed: number;
  readonly epochs: number;
}

/** The pairs of one optimizer step, in one or more graph runs. */
export interface Update {
  readonly pairs: number;
  readonly batches: readonly Batch[];
}

/** Pair indices of each batch of an epoch, in training order. */
function epochBatches(lengths: ArrayLike<number>, options: TrainingPlanOptions, epoch: number): number[][] {
  const random = createRandom(hashSeed(`${options.seed} order ${epoch}`));
  const order = random.shuffle(Array.from({ length: lengths.length }, (_, i) => i));
  const batches: number[][] = [];
  const window = WINDOW_BATCHES * options.batchSize;
  for (let start = 0; start < order.length; start += window) {
    const sorted = order.slice(start, start + window).sort((a, b) => lengths[a] - lengths[b] || a - b);
    for (let i = 0; i < sorted.length; i += options.batchSize) batches.push(sorted.slice(i, i + options.batchSize));
  }
  return random.shuffle(batches);
}

/**
 * The widths of a training run: what all its epochs need together.
 *
 * @param lengths longer text of each pair, tokens
 */
export function planTrainingWidths(lengths: ArrayLike<number>, options: TrainingPlanOptions): number[] {
  const needed: number[] = [];
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    for (const batch of epochBatches(lengths, options, epoch)) needed.push(Math.max(...batch.map((i) => lengths[i])));
  }
  return planWidths(needed, { rows: 2 * options.batchSize, maxLength: options.maxLength });
}

/**
 * The optimizer steps of one epoch; a function of seed and epoch alone, so a resumed run finds its place again.
 * Batches of pairs of like length (sorted inside windows, then shuffled); one over the token budget runs in equal parts.
 */
export function planEpoch(lengths: ArrayLike<number>, widths: readonly number[], options: TrainingPlanOptions, epoch: number): Update[] {
  const batches = epochBatches(lengths, options, epoch);
  const updates: Update[] = [];
  for (let start = 0; start < batches.length; start += options.gradientAccumulation) {
    const group = batches.slice(start, start + options.gradientAccumulation);
    const runs = group.flatMap((rows) => {
      const width = widthFor(Math.max(...rows.map((i) => lengths[i])), widths);
      const fits = Math.max(1, Math.floor(options.tokensPerBatch / (2 * width)));
      const capacity = Math.ceil(options.batchSize / Math.ceil(options.batchSize / fits));
      const parts: Batch[] = [];
      for (let i = 0; i < rows.length; i += capacity) parts.push({ rows: rows.slice(i, i + capacity), width, capacity });
      return parts;
    });
    updates.push({ pairs: group.reduce((n, rows) => n + rows.length, 0), batches: runs });
  }
  return updates;
}

/**
 * Batches that score each text once: sorted by length, so nothing is padded far, with a constant token budget.
 *
 * @param lengths tokens of each text
 */
export function planScoring(lengths: ArrayLike<number>, options: { tokensPerBatch: number; maxLength: number }): Batch[] {
  const order = Array.from({ length: lengths.length }, (_, i) => i).sort((a, b) => lengths[a] - lengths[b] || a - b);
  const widths = planWidths(order.map((i) => lengths[i]), { rows: 1, maxLength: options.maxLength });
  const batches: Batch[] = [];
  for (let start = 0; start < order.length; ) {
    const width = widthFor(lengths[order[start]], widths);
    const capacity = Math.max(1, Math.floor(options.tokensPerBatch / width));
    let end = start;
    while (end < order.length && end - start < capacity && lengths[order[end]] <= width) end++;
    // A lone small job is not blown up to the budget: powers of two keep the shapes few.
    const rows = order.slice(start, end);
    batches.push({ rows, width, capacity: Math.min(capacity, 2 ** Math.ceil(Math.log2(rows.length))) });
    start = end;
  }
  return batches;
}
