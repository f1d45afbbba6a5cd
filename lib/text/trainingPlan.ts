// In: which texts each pair joins, and how long they are. Out: the optimizer steps of every epoch: pairs that share an
// answer side by side, texts packed into rows, few shapes (each is a compiled graph).
import { createRandom, hashSeed, type Random } from "../random";
import { ATTENTION_WIDTH, GRAPH_COST_TOKENS, leastCostSizes, roundUp } from "./batches";

/** What a plan must know of the data; the texts of pair i are 2i (chosen) and 2i + 1 (rejected). */
export interface PairTexts {
  /** Texts, two a pair. */
  readonly size: number;
  /** Tokens of a text. */
  length(text: number): number;
  /** The first text that is equal to this one. */
  same(text: number): number;
}

export interface TrainingPlanOptions {
  readonly batchSize: number;
  readonly gradientAccumulation: number;
  readonly tokensPerBatch: number;
  readonly seed: number;
  readonly epochs: number;
  /** Most pairs that go side by side because they share an answer; 1 leaves the order to chance alone. Default: a quarter of an update's, at most 4. */
  readonly linkedPairs?: number;
}

/** One graph run. */
export interface TrainingBatch {
  /** Indices of its pairs. */
  readonly rows: readonly number[];
  /** The texts of each row, every text once. */
  readonly lines: readonly (readonly number[])[];
  readonly shape: BatchShape;
}

/** What one compiled graph computes on. */
export interface BatchShape {
  /** Rows, fillers included. */
  readonly height: number;
  /** Tokens of a row. */
  readonly width: number;
  /** Texts that a row has room for. */
  readonly texts: number;
  /** Pairs, fillers included. */
  readonly pairs: number;
}

/** The pairs of one optimizer step, in one or more graph runs. */
export interface Update {
  readonly pairs: number;
  readonly batches: readonly TrainingBatch[];
}

export interface TrainingPlan {
  readonly shapes: readonly BatchShape[];
  /** Padded tokens of each shape over all epochs. */
  readonly work: ReadonlyMap<BatchShape, number>;
  readonly updatesPerEpoch: number;
  /** The optimizer steps of an epoch, from 1; a function of seed and epoch alone, so a resumed run finds its place again. */
  epoch(epoch: number): Update[];
}

/** More saves little: n linked pairs have about n + 1 texts. */
const MOST_LINKED = 4;
/** Rows of up to so many tokens may hold several of even the longest texts. */
const ROOMY_WIDTH = 512;
const MAX_GRAPHS = 8;
/** Cost of a graph run beside its tokens (all gradients are written), in tokens. */
const RUN_COST = 200;
/** Updates by which row widths are compared. */
const SAMPLE = 256;

/** A batch before its shape is settled. */
type Draft = Pick<TrainingBatch, "rows" | "lines"> & { readonly width: number };

/** Plans all epochs. Widths and heights of rows are those that cost least in all: padding, attention over long rows, one more graph. */
export function createTrainingPlan(texts: PairTexts, options: TrainingPlanOptions): TrainingPlan {
  const orders = (epoch: number) => epochUpdates(texts, options, createRandom(hashSeed(`${options.seed} order ${epoch}`)));
  const widths = chooseWidths(texts, options, orders(1).slice(0, SAMPLE));
  const draftsOf = (epoch: number) => orders(epoch).map((pairs) => draftUpdate(texts, pairs, widths, options));
  const needed = new Map<number, number[]>(widths.map((width) => [width, []]));
  let [slots, capacity] = [1, 1];
  for (let epoch = 1; epoch <= options.epochs; epoch++) {
    for (const { rows, lines, width } of draftsOf(epoch).flat()) {
      needed.get(width)!.push(lines.length);
      capacity = Math.max(capacity, rows.length);
      for (const line of lines) slots = Math.max(slots, line.length);
    }
  }
  const used = widths.filter((width) => needed.get(width)!.length > 0);
  const shapes = used.flatMap((width) =>
    leastCostSizes(needed.get(width)!, (height) => height * rowCost(width), Math.max(1, Math.floor(MAX_GRAPHS / used.length)))
      .map((height): BatchShape => ({ height, width, texts: slots, pairs: capacity })),
  );
  const shapeOf = ({ lines, width }: Draft) => shapes.find((shape) => shape.width === width && shape.height >= lines.length)!;
  const work = new Map(shapes.map((shape) => [shape, 0]));
  for (const [width, heights] of needed) {
    for (const height of heights) {
      const shape = shapes.find((one) => one.width === width && one.height >= height)!;
      work.set(shape, work.get(shape)! + shape.height * width);
    }
  }
  return {
    shapes,
    work,
    updatesPerEpoch: Math.ceil(texts.size / 2 / updateSize(options)),
    epoch: (epoch) => draftsOf(epoch).map((drafts) => ({
      pairs: drafts.reduce((sum, { rows }) => sum + rows.length, 0),
      batches: drafts.map((draft) => ({ rows: draft.rows, lines: draft.lines, shape: shapeOf(draft) })),
    })),
  };
}

const updateSize = ({ batchSize, gradientAccumulation }: TrainingPlanOptions): number => batchSize * gradientAccumulation;
const rowCost = (width: number): number => width * (1 + width / ATTENTION_WIDTH);

/** The pairs of each update, linked ones side by side. */
function epochUpdates(texts: PairTexts, options: TrainingPlanOptions, random: Random): number[][] {
  const order = linkedOrder(texts, options.linkedPairs ?? Math.max(1, Math.min(MOST_LINKED, Math.floor(updateSize(options) / 4))), random);
  const size = updateSize(options);
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => order.slice(i * size, (i + 1) * size));
}

/**
 * A random order of the pairs in which up to `most` that are joined by common texts stand side by side, so that a text of
 * theirs goes through the model once. Ranked answers are such data: K answers to a prompt give up to K(K−1)/2 pairs.
 *
 * Reference: Ouyang et al. (2022), Training language models to follow instructions, arXiv 2203.02155, section 3.5.
 */
function linkedOrder(texts: PairTexts, most: number, random: Random): number[] {
  const N = texts.size / 2;
  const shuffled = random.shuffle(Array.from({ length: N }, (_, i) => i));
  if (most <= 1) return shuffled;
  const pairsOf = new Map<number, number[]>();
  for (const pair of shuffled) {
    for (const text of [texts.same(2 * pair), texts.same(2 * pair + 1)]) {
      const known = pairsOf.get(text);
      if (known) known.push(pair);
      else pairsOf.set(text, [pair]);
    }
  }
  const used = new Uint8Array(N);
  const take = (pair: number, group: number[]) => {
    used[pair] = 1;
    group.push(pair);
  };
  const order: number[] = [];
  for (const seed of shuffled) {
    if (used[seed]) continue;
    const group: number[] = [];
    take(seed, group);
    for (let i = 0; i < group.length && group.length < most; i++) {
      for (const text of [texts.same(2 * group[i]), texts.same(2 * group[i] + 1)]) {
        const others = pairsOf.get(text)!;
        // what is used goes from the end for good: each pair is looked at once
        while (others.length > 0 && group.length < most) {
          const other = others.pop()!;
          if (!used[other]) take(other, group);
        }
      }
    }
    order.push(...group);
  }
  return order;
}

/** An update as graph runs: its pairs by the width they need, then in as few equal parts as the token budget allows. */
function draftUpdate(texts: PairTexts, pairs: readonly number[], widths: readonly number[], { tokensPerBatch }: TrainingPlanOptions): Draft[] {
  const widthOf = (pair: number) => widths.find((width) => width >= Math.max(texts.length(2 * pair), texts.length(2 * pair + 1)))!;
  return widths.flatMap((width) => {
    const rows = pairs.filter((pair) => widthOf(pair) === width);
    const mostRows = Math.max(1, Math.floor(tokensPerBatch / width));
    for (let parts = 1; rows.length > 0; parts++) {
      const size = Math.ceil(rows.length / parts);
      const drafts = Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => {
        const part = rows.slice(i * size, (i + 1) * size);
        return { rows: part, lines: packTexts(texts, part, width), width };
      });
      if (size === 1 || drafts.every(({ lines }) => lines.length <= mostRows)) return drafts;
    }
    return [];
  });
}

/** The different texts of some pairs in rows of `width` tokens: longest first, each into the fullest row that has room. */
function packTexts(texts: PairTexts, pairs: readonly number[], width: number): number[][] {
  const different = [...new Set(pairs.flatMap((pair) => [texts.same(2 * pair), texts.same(2 * pair + 1)]))];
  different.sort((a, b) => texts.length(b) - texts.length(a) || a - b);
  const lines: { texts: number[]; room: number }[] = [];
  for (const text of different) {
    const length = texts.length(text);
    let best: { texts: number[]; room: number } | undefined;
    for (const line of lines) if (line.room >= length && (best === undefined || line.room < best.room)) best = line;
    if (best === undefined) lines.push((best = { texts: [], room: width }));
    best.texts.push(text);
    best.room -= length;
  }
  return lines.map((line) => line.texts);
}

/**
 * Widths of rows, ascending: one that holds the longest text, or several of it, and halves of it for shorter texts where
 * these are many. Compared on a sample of updates.
 */
function chooseWidths(texts: PairTexts, options: TrainingPlanOptions, sample: readonly number[][]): number[] {
  let longest = 1;
  for (let text = 0; text < texts.size; text++) longest = Math.max(longest, texts.length(text));
  const widest = [1, 2, 3, 4].map((times) => roundUp(times * longest)).filter((width, i) => i === 0 || width <= ROOMY_WIDTH);
  const ladders = widest.flatMap((width) => [0, 1, 2].map((depth) => [...new Set(Array.from({ length: depth + 1 }, (_, i) => roundUp(width / 2 ** (depth - i))))]));
  const sampledShare = sample.length / Math.ceil(texts.size / 2 / updateSize(options)) / options.epochs;
  const costOf = (widths: number[]) => {
    const runs = sample.flatMap((pairs) => draftUpdate(texts, pairs, widths, options));
    const rows = runs.reduce((sum, { lines, width }) => sum + RUN_COST + lines.length * rowCost(width), 0);
    return rows + widths.length * GRAPH_COST_TOKENS * sampledShare;
  };
  const costs = ladders.map(costOf);
  return ladders[costs.indexOf(Math.min(...costs))];
}
