// In: text lengths. Out: which texts are scored together and how wide their rows are. Few widths (each is a compiled graph), little padding.

/** Texts of one graph run: indices into the data, all padded to `width` tokens, filled up to `capacity` rows. */
export interface Batch {
  readonly rows: readonly number[];
  readonly width: number;
  readonly capacity: number;
}

/** Widths are multiples of this, so that XLA and oneDNN meet whole vector registers. */
const WIDTH_STEP = 32;
/** Cost of one more graph (trace and XLA compilation), in tokens that could be trained meanwhile. */
export const GRAPH_COST_TOKENS = 30_000;
/** Width at which attention costs as much as the rest of the layer; measured on the default encoder (32×128: 0.18 ms a token, 16×512: 0.23). */
const ATTENTION_WIDTH = 1300;
const MAX_WIDTHS = 8;

/** What a row costs: its tokens, and attention over them. */
export const rowCost = (width: number): number => width * (1 + width / ATTENTION_WIDTH);
/** To whole steps of 32 tokens. */
export const roundUp = (length: number): number => Math.max(1, Math.ceil(length / WIDTH_STEP)) * WIDTH_STEP;

/**
 * The sizes to compile for: what is lost by rounding each unit up to one of them, against the price of one more graph
 * (dynamic programming).
 *
 * @param needed size of each unit
 * @param costOf tokens that a unit of a size costs
 * @returns ascending; the last one is the largest needed
 */
export function leastCostSizes(needed: readonly number[], costOf: (size: number) => number, most: number): number[] {
  const counts = new Map<number, number>();
  for (const size of needed) counts.set(size, (counts.get(size) ?? 0) + 1);
  const sizes = [...counts.keys()].sort((a, b) => a - b);
  const below = [0];
  for (const size of sizes) below.push(below[below.length - 1] + counts.get(size)!);
  // previous[j]: least cost of the first j sizes with one graph fewer, the last one as large as sizes[j−1].
  const nothing = { total: Infinity, picks: [] as number[] };
  let chosen = { total: Infinity, picks: sizes.slice(-1) };
  let previous = [{ total: 0, picks: [] as number[] }, ...sizes.map(() => nothing)];
  for (let graphs = 1; graphs <= Math.min(most, sizes.length); graphs++) {
    const next = [nothing];
    for (let j = 1; j <= sizes.length; j++) {
      let least = nothing;
      for (let i = 0; i < j; i++) {
        const total = previous[i].total + (below[j] - below[i]) * costOf(sizes[j - 1]) + GRAPH_COST_TOKENS;
        if (total < least.total) least = { total, picks: [...previous[i].picks, sizes[j - 1]] };
      }
      next.push(least);
    }
    if (next[sizes.length].total < chosen.total) chosen = next[sizes.length];
    previous = next;
  }
  return chosen.picks;
}

/**
 * The widths that texts are padded to.
 *
 * @param lengths tokens of each text
 * @returns ascending, at most eight; none is larger than `maxLength`
 */
export function planWidths(lengths: readonly number[], maxLength: number): number[] {
  return leastCostSizes(
    lengths.map((length) => Math.min(roundUp(length), maxLength)),
    rowCost,
    MAX_WIDTHS,
  );
}

const widthFor = (length: number, widths: readonly number[]): number =>
  widths.find((w) => w >= length) ?? widths[widths.length - 1];

/**
 * Batches that score each text once: sorted by length, so nothing is padded far, with a constant token budget.
 *
 * @param lengths tokens of each text
 */
export function planScoring(
  lengths: ArrayLike<number>,
  options: { tokensPerBatch: number; maxLength: number },
): Batch[] {
  const order = Array.from({ length: lengths.length }, (_, i) => i).sort((a, b) => lengths[a] - lengths[b] || a - b);
  const widths = planWidths(
    order.map((i) => lengths[i]),
    options.maxLength,
  );
  const batches: Batch[] = [];
  for (let start = 0; start < order.length;) {
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
