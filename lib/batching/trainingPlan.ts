// In: which texts each pair joins, and how long they are. Out: the optimizer steps of every epoch: pairs that share an
// answer side by side, texts packed into rows, few shapes (each is a compiled graph).
import { createRandom, hashSeed, type Random } from "../random";
import type { Beginnings } from "./beginnings";
import { packLongRows, packShortRows, type Draft, type PairTexts, type Size } from "./packing";

export interface TrainingPlanOptions {
  readonly batchSize: number;
  readonly gradientAccumulation: number;
  readonly tokensPerBatch: number;
  readonly seed: number;
  readonly epochs: number;
  /** Most pairs that go side by side because they share an answer; 1 leaves the order to chance alone. Default: a quarter of an update's, at most 4. */
  readonly linkedPairs?: number;
  /** Attention costs no more in long rows: each text meets only itself (`fusesAttention`). */
  readonly longRows?: boolean;
  /** Which texts begin alike, where the model reads a common beginning once: a decoder in long rows. */
  readonly beginnings?: Beginnings;
}

/** One graph run. */
export interface TrainingBatch {
  /** Indices of its pairs. */
  readonly pairs: readonly number[];
  /** The texts of each row, every text once. */
  readonly rowTexts: readonly (readonly number[])[];
  readonly shape: BatchShape;
}

/** What one compiled graph computes on. */
export interface BatchShape {
  /** Rows, fillers included. */
  readonly height: number;
  /** Tokens of a row. */
  readonly width: number;
  /** Texts that a row has room for. */
  readonly slots: number;
  /** Pairs, fillers included. */
  readonly pairs: number;
  /** Texts that begin alike share their beginning. */
  readonly shares?: boolean;
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
/** Updates by which row widths are compared. */
const SAMPLE = 256;

/** Plans all epochs. Widths and heights of rows are those that cost least in all: padding, attention, one more graph. */
export function createTrainingPlan(texts: PairTexts, options: TrainingPlanOptions): TrainingPlan {
  const { tokensPerBatch, epochs, longRows, beginnings } = options;
  const updatesPerEpoch = Math.ceil(texts.size / 2 / updateSize(options));
  const orders = (epoch: number) =>
    epochUpdates(texts, options, createRandom(hashSeed(`${options.seed} order ${epoch}`)));
  const sample = orders(1).slice(0, SAMPLE);
  const pack = longRows ? packLongRows : packShortRows;
  const packing = pack(texts, {
    tokensPerBatch,
    sample,
    sampledShare: sample.length / updatesPerEpoch / epochs,
    beginnings,
  });
  const draftsOf = (epoch: number) => orders(epoch).map((pairs) => packing.draft(pairs));
  const needed: Size[] = [];
  let [slots, capacity] = [1, 1];
  for (let epoch = 1; epoch <= epochs; epoch++) {
    for (const { pairs, rowTexts, height, width } of draftsOf(epoch).flat()) {
      needed.push({ height, width });
      capacity = Math.max(capacity, pairs.length);
      for (const row of rowTexts) slots = Math.max(slots, row.length);
    }
  }
  const shapes = packing.sizes(needed).map((size): BatchShape => ({
    ...size,
    slots,
    pairs: capacity,
    ...(beginnings && { shares: true }),
  }));
  const smallest = [...shapes].sort((a, b) => a.height * a.width - b.height * b.width);
  const shapeFor = ({ height, width }: Size) =>
    smallest.find((shape) => shape.height >= height && shape.width >= width)!;
  const work = new Map(shapes.map((shape) => [shape, 0]));
  for (const size of needed) {
    const shape = shapeFor(size);
    work.set(shape, work.get(shape)! + shape.height * shape.width);
  }
  const toBatch = (draft: Draft): TrainingBatch => ({
    pairs: draft.pairs,
    rowTexts: draft.rowTexts,
    shape: shapeFor(draft),
  });
  return {
    shapes,
    work,
    updatesPerEpoch,
    epoch: (epoch) =>
      draftsOf(epoch).map((drafts) => ({
        pairs: drafts.reduce((sum, { pairs }) => sum + pairs.length, 0),
        batches: drafts.map(toBatch),
      })),
  };
}

const updateSize = ({ batchSize, gradientAccumulation }: TrainingPlanOptions): number =>
  batchSize * gradientAccumulation;

/** The pairs of each update, linked ones side by side. */
function epochUpdates(texts: PairTexts, options: TrainingPlanOptions, random: Random): number[][] {
  const order = linkedOrder(
    texts,
    options.linkedPairs ?? Math.max(1, Math.min(MOST_LINKED, Math.floor(updateSize(options) / 4))),
    random,
  );
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
  const groups: number[][] = [];
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
    groups.push(group);
  }
  return random.shuffle(groups).flat(); // as found, the most linked pairs would all come first
}
