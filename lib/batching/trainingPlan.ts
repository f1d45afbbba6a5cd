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
  /** Laid out anew whenever they are looked at: those of a whole epoch would fill the memory. */
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
  const needed: Size[] = [];
  /** One object a size: a file of a million pairs has as many drafts as updates. */
  const sizes = new Map<string, Size>();
  let [slots, capacity] = [1, 1];
  for (let epoch = 1; epoch <= epochs; epoch++)
    for (const update of orders(epoch))
      for (const { pairs, rowTexts, height, width } of packing.draft(update)) {
        const key = `${height} ${width}`;
        if (!sizes.has(key)) sizes.set(key, { height, width });
        needed.push(sizes.get(key)!);
        capacity = Math.max(capacity, pairs.length);
        for (const row of rowTexts) slots = Math.max(slots, row.length);
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
      orders(epoch).map((pairs) => ({
        pairs: pairs.length,
        get batches() {
          return packing.draft(pairs).map(toBatch);
        },
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
  const joined = joinedPairs(texts, shuffled);
  const used = new Uint8Array(N);
  const order: number[] = [];
  const starts: number[] = [];
  const take = (pair: number) => {
    used[pair] = 1;
    order.push(pair);
  };
  for (const seed of shuffled) {
    if (used[seed]) continue;
    const start = starts[starts.push(order.length) - 1];
    take(seed);
    for (let i = start; i < order.length && order.length - start < most; i++) {
      for (const text of [texts.same(2 * order[i]), texts.same(2 * order[i] + 1)]) {
        // what is used goes from the end for good: each pair is looked at once
        for (let other = 0; order.length - start < most && (other = joined.pop(text)) >= 0;)
          if (!used[other]) take(other);
      }
    }
  }
  starts.push(order.length);
  const groups = random.shuffle(Array.from({ length: starts.length - 1 }, (_, i) => i));
  return groups.flatMap((group) => order.slice(starts[group], starts[group + 1])); // as found, the most linked pairs would all come first
}

/** The pairs of each text in the given order, to be taken from the end: two lists of whole numbers. */
function joinedPairs(texts: PairTexts, order: readonly number[]) {
  const textsOf = (pair: number) => [texts.same(2 * pair), texts.same(2 * pair + 1)];
  const ends = new Int32Array(texts.size + 1);
  for (const pair of order) for (const text of textsOf(pair)) ends[text + 1]++;
  for (let text = 0; text < texts.size; text++) ends[text + 1] += ends[text];
  const starts = ends.slice();
  const pairs = new Int32Array(2 * order.length);
  for (const pair of order) for (const text of textsOf(pair)) pairs[ends[text]++] = pair;
  /** @returns the last pair of a text, which is gone then; −1 where there is none */
  const pop = (text: number): number => (ends[text] > starts[text] ? pairs[--ends[text]] : -1);
  return { pop };
}
