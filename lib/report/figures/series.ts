// In: long number series. Out: what a plot needs of them: moving average, histogram bins, fewer points.

/** Mean of each `window` successive values: `n − window + 1` numbers; fewer values than the window come back unchanged. */
export function movingAverage(values: readonly number[], window: number): number[] {
  if (values.length < window) return [...values];
  const out: number[] = [];
  for (let i = window - 1; i < values.length; i++) {
    let sum = 0;
    for (let j = i - window + 1; j <= i; j++) sum += values[j];
    out.push(sum / window);
  }
  return out;
}

/**
 * At most about `most` points: of each run of points the lowest and the highest stay, so spikes remain visible.
 * Points without a finite y are kept out.
 */
export function thin(points: readonly (readonly [number, number])[], most = 2000): [number, number][] {
  const finite = points.filter(([, y]) => Number.isFinite(y)) as [number, number][];
  if (finite.length <= most) return finite;
  const size = Math.ceil(finite.length / Math.max(1, Math.floor(most / 2)));
  const out: [number, number][] = [];
  for (let start = 0; start < finite.length; start += size) {
    const run = finite.slice(start, start + size);
    let low = run[0];
    let high = run[0];
    for (const point of run) {
      if (point[1] < low[1]) low = point;
      if (point[1] > high[1]) high = point;
    }
    if (low === high) out.push(low);
    else out.push(...(low[0] <= high[0] ? [low, high] : [high, low]));
  }
  return out;
}

/** Every k-th item so that at most `most` remain; the same ones for the same list. */
export function sample<T>(items: readonly T[], most = 2000): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.floor((i * items.length) / most)]);
}

export interface Histogram {
  /** bins + 1 edges. */
  readonly edges: number[];
  readonly counts: number[];
}

/** Equal-width bins over [min, max] or a given range, the last one closed, as NumPy's `histogram`. */
export function histogram(values: readonly number[], bins: number, range?: readonly [number, number]): Histogram {
  let [low, high] = range ?? extent(values);
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const width = (high - low) / bins;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) {
    if (value < low || value > high || !Number.isFinite(value)) continue;
    counts[Math.min(bins - 1, Math.floor((value - low) / width))]++;
  }
  return { edges: Array.from({ length: bins + 1 }, (_, i) => low + i * width), counts };
}

/** Least and greatest finite value; [0, 0] without any. No spread of a long list onto the stack. */
export function extent(values: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 0];
}

/** Mean of the finite values; NaN without any. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    sum += value;
    count++;
  }
  return count ? sum / count : NaN;
}
