// In: the pairs of an update. Out: their texts in rows for graph runs, and the few sizes to compile for.
import { unitsOf, type Beginnings, type Unit } from "./beginnings";
import { GRAPH_COST_TOKENS, leastCostSizes, planScoring, roundUp, rowCost } from "./batches";

/** What a plan must know of the data; the texts of pair i are 2i (chosen) and 2i + 1 (rejected). */
export interface PairTexts {
  /** Texts, two a pair. */
  readonly size: number;
  /** Tokens of a text. */
  length(text: number): number;
  /** The first text that is equal to this one. */
  same(text: number): number;
}

/** Tokens of the longest text, at least one. */
export function longestText(texts: Pick<PairTexts, "size" | "length">): number {
  let longest = 1;
  for (let text = 0; text < texts.size; text++) longest = Math.max(longest, texts.length(text));
  return longest;
}

/** Long rows: also which texts begin alike, where a beginning is read once. */
export interface LongRowOptions extends PackingOptions {
  readonly beginnings?: Beginnings;
}

/** Rows and tokens of a row. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** A batch before its shape is settled: it needs at least this size. */
export interface Draft extends Size {
  /** Indices of its pairs. */
  readonly pairs: readonly number[];
  /** The texts of each row, every text once. */
  readonly rowTexts: readonly (readonly number[])[];
}

export interface Packing {
  /** An update as few graph runs. */
  draft(pairs: readonly number[]): Draft[];
  /** What to compile for, given what all drafts need: each fits one of them. */
  sizes(needed: readonly Size[]): Size[];
}

export interface PackingOptions {
  readonly tokensPerBatch: number;
  /** Updates by which row widths are compared. */
  readonly sample: readonly (readonly number[])[];
  /** Which share of all updates the sample is: a graph must pay off over all of them. */
  readonly sampledShare: number;
}

const MAX_GRAPHS = 8;
/** Cost of a graph run beside its tokens (all gradients are written), in tokens. */
const RUN_COST = 200;

/** The different texts of some pairs, longest first. */
function differentTexts(texts: PairTexts, pairs: readonly number[]): number[] {
  const different = [...new Set(pairs.flatMap((pair) => [texts.same(2 * pair), texts.same(2 * pair + 1)]))];
  return different.sort((a, b) => texts.length(b) - texts.length(a) || a - b);
}

/** Pairs in as few equal parts as `fits` allows. */
function inParts(
  pairs: readonly number[],
  toDraft: (part: readonly number[]) => Draft,
  fits: (draft: Draft) => boolean,
): Draft[] {
  for (let parts = 1; pairs.length > 0; parts++) {
    const size = Math.ceil(pairs.length / parts);
    const drafts = Array.from({ length: Math.ceil(pairs.length / size) }, (_, i) =>
      toDraft(pairs.slice(i * size, (i + 1) * size)),
    );
    if (size === 1 || drafts.every(fits)) return drafts;
  }
  return [];
}

/** Rows of up to so many tokens may hold several of even the longest texts. */
const ROOMY_WIDTH = 512;

/**
 * Where attention is computed over whole rows: short rows, of a few widths; one that holds the longest text, or several of
 * it, and halves of it for shorter texts where these are many.
 */
export function packShortRows(texts: PairTexts, { tokensPerBatch, sample, sampledShare }: PackingOptions): Packing {
  const draftWith =
    (widths: readonly number[]) =>
    (pairs: readonly number[]): Draft[] => {
      const widthOf = (pair: number) =>
        widths.find((width) => width >= Math.max(texts.length(2 * pair), texts.length(2 * pair + 1)))!;
      return widths.flatMap((width) => {
        const toDraft = (some: readonly number[]): Draft => {
          const rowTexts = fillRows(unitsFrom(texts, some), width);
          return { pairs: some, rowTexts, height: rowTexts.length, width };
        };
        return inParts(
          pairs.filter((pair) => widthOf(pair) === width),
          toDraft,
          ({ height }) => height <= Math.floor(tokensPerBatch / width),
        );
      });
    };
  const longest = longestText(texts);
  const widest = [1, 2, 3, 4]
    .map((times) => roundUp(times * longest))
    .filter((width, i) => i === 0 || width <= ROOMY_WIDTH);
  const ladders = widest.flatMap((width) =>
    [0, 1, 2].map((depth) => [
      ...new Set(Array.from({ length: depth + 1 }, (_, i) => roundUp(width / 2 ** (depth - i)))),
    ]),
  );
  const costOf = (widths: number[]) => {
    const runs = sample.flatMap(draftWith(widths));
    const rows = runs.reduce((sum, { height, width }) => sum + RUN_COST + height * rowCost(width), 0);
    return rows + widths.length * GRAPH_COST_TOKENS * sampledShare;
  };
  const costs = ladders.map(costOf);
  return {
    draft: draftWith(ladders[costs.indexOf(Math.min(...costs))]),
    sizes: (needed) => {
      const widths = [...new Set(needed.map(({ width }) => width))].sort((a, b) => a - b);
      const heightsOf = (width: number) => needed.filter((size) => size.width === width).map(({ height }) => height);
      const most = Math.max(1, Math.floor(MAX_GRAPHS / widths.length));
      return widths.flatMap((width) =>
        leastCostSizes(heightsOf(width), (height) => height * rowCost(width), most).map((height) => ({
          height,
          width,
        })),
      );
    },
  };
}

/** Each unit into the fullest row that has room; best with the longest first. */
function fillRows(units: readonly Unit[], width: number): number[][] {
  const rows: { texts: number[]; room: number }[] = [];
  for (const { texts, tokens } of units) {
    let best: { texts: number[]; room: number } | undefined;
    for (const row of rows) if (row.room >= tokens && (best === undefined || row.room < best.room)) best = row;
    if (best === undefined) rows.push((best = { texts: [], room: width }));
    best.texts.push(...texts);
    best.room -= tokens;
  }
  return rows.map((row) => row.texts);
}

/** Numbers of rows to choose from, and what a place for a text costs for each token of its row, in tokens: the head's row looks at all of them. */
const LONG_ROWS = [1, 2, 4, 8];
const PLACE_COST = 3e-3;

/** Where each text meets only itself: a few long rows, evenly filled, so that next to nothing is padding. */
export function packLongRows(texts: PairTexts, { tokensPerBatch, sample, beginnings }: LongRowOptions): Packing {
  const draftWith =
    (height: number) =>
    (pairs: readonly number[]): Draft[] => {
      const toDraft = (some: readonly number[]): Draft => {
        const { rowTexts, longest } = balanceRows(unitsFrom(texts, some, beginnings), height);
        return { pairs: some, rowTexts, height, width: roundUp(longest) };
      };
      return inParts(pairs, toDraft, ({ width }) => height * width <= tokensPerBatch);
    };
  const costOf = (height: number) =>
    sample.flatMap(draftWith(height)).reduce((sum, { rowTexts, width }) => {
      const places = Math.max(...rowTexts.map(({ length }) => length));
      return sum + RUN_COST + height * width * (1 + places * PLACE_COST);
    }, 0);
  const costs = LONG_ROWS.map(costOf);
  const height = LONG_ROWS[costs.indexOf(Math.min(...costs))];
  return {
    draft: draftWith(height),
    sizes: (needed) =>
      leastCostSizes(
        needed.map(({ width }) => width),
        (width) => height * width,
        MAX_GRAPHS,
      ).map((width) => ({ height, width })),
  };
}

const unitsFrom = (texts: PairTexts, pairs: readonly number[], beginnings?: Beginnings): Unit[] =>
  unitsOf(differentTexts(texts, pairs), (text) => texts.length(text), { beginnings });

/** Longest first, each into the emptiest row (Graham 1969: at most a third longer than the best). */
function balanceRows(units: readonly Unit[], height: number): { rowTexts: number[][]; longest: number } {
  const rows = Array.from({ length: height }, () => ({ texts: [] as number[], tokens: 0 }));
  for (const { texts, tokens } of units) {
    const emptiest = rows.reduce((a, b) => (b.tokens < a.tokens ? b : a));
    emptiest.texts.push(...texts);
    emptiest.tokens += tokens;
  }
  return { rowTexts: rows.map((row) => row.texts), longest: Math.max(...rows.map(({ tokens }) => tokens)) };
}

/** Texts of one graph run for scoring. */
export interface ScoringRun {
  /** The texts of each row. */
  readonly rowTexts: readonly (readonly number[])[];
  /** Rows, fillers included; tokens of a row; texts that a row has room for. */
  readonly shape: Size & { readonly slots: number };
}

/** Tokens of a long row for scoring, and texts that are packed at a time: to look at all rows for each text would take N² steps. */
const SCORING_WIDTH = 2048;
const PACKED_AT_A_TIME = 512;

const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(n));

/** The next of four sizes an octave: a row of a few texts is a sixteenth padding at the mean, and few shapes are met. */
const stepped = (n: number): number => {
  const step = 2 ** Math.floor(Math.log2(n)) / 4;
  return roundUp(Math.ceil(n / step) * step);
};

/** Where texts come a few at a time and graphs must be used again: the widths and the places of a row that are allowed. */
const FEW_WIDTHS = [64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, SCORING_WIDTH];
const FEW_PLACES = [1, 16, 64, 256];

const atLeast = (n: number, sizes: readonly number[]): number => sizes.find((size) => size >= n) ?? powerOfTwo(n);

/**
 * Runs that score each text once: with `longRows` nearly all in one shape, else a text a row, sorted by length.
 *
 * @param lengths tokens of each text
 * @param options.beginnings texts that begin alike, where a beginning is read once; only in long rows
 * @param options.fewShapes whether later calls should meet the same shapes, at the price of more padding in short rows
 */
export function planScoringRuns(
  lengths: ArrayLike<number>,
  options: { tokensPerBatch: number; longRows: boolean; fewShapes?: boolean; beginnings?: Beginnings },
): ScoringRun[] {
  const { tokensPerBatch, longRows, fewShapes = false, beginnings } = options;
  const all = Array.from(lengths);
  const longest = all.reduce((a, b) => Math.max(a, b), 1);
  if (!longRows)
    return planScoring(all, { tokensPerBatch, maxLength: longest }).map(({ rows, width, capacity }) => ({
      rowTexts: rows.map((text) => [text]),
      shape: { height: capacity, width, slots: 1 },
    }));
  const order = all.map((_, i) => i).sort((a, b) => all[b] - all[a] || a - b);
  const units = unitsOf(order, (text) => all[text], { beginnings, most: SCORING_WIDTH });
  const total = units.reduce((sum, { tokens }) => sum + tokens, 0);
  const narrow = fewShapes ? atLeast(total, FEW_WIDTHS) : stepped(total);
  const width = total < SCORING_WIDTH ? narrow : Math.max(SCORING_WIDTH, roundUp(longest));
  // every so-manyth unit: each part has its share of the short ones, which fill the gaps
  const parts = Math.ceil(units.length / PACKED_AT_A_TIME);
  const rowTexts = Array.from({ length: parts }, (_, part) => units.filter((_, i) => i % parts === part)).flatMap(
    (part) => fillRows(part, width),
  );
  const fullest = rowTexts.reduce((most, row) => Math.max(most, row.length), 1);
  const slots = fewShapes ? atLeast(fullest, FEW_PLACES) : powerOfTwo(fullest);
  const height = Math.max(1, Math.floor(tokensPerBatch / width));
  const heightOf = (rows: number) => Math.min(height, fewShapes && rows > 1 ? height : powerOfTwo(rows));
  return Array.from({ length: Math.ceil(rowTexts.length / height) }, (_, i) => {
    const some = rowTexts.slice(i * height, (i + 1) * height);
    return { rowTexts: some, shape: { height: heightOf(some.length), width, slots } };
  });
}
