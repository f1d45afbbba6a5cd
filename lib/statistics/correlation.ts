// In: two lists of numbers. Out: how closely they go together, in values or in ranks.

/** Ranks from 1, equal values sharing the mean of their ranks. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const result = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) result[order[i]] = (start + end + 1) / 2;
    start = end;
  }
  return result;
}

/**
 * Pearson correlation; null for fewer than two points or where a list does not vary.
 * Reference: equals `scipy.stats.pearsonr`.
 *
 * @example
 * ```ts
 * pearson([1, 2, 3], [2, 4, 6]); // → 1
 * ```
 */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  const n = x.length;
  if (y.length !== n) throw new RangeError(`pearson: expected two lists of one length, got ${n} and ${y.length}`);
  if (n < 2) return null;
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < n; i++) {
    meanX += x[i] / n;
    meanY += y[i] / n;
  }
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    xy += (x[i] - meanX) * (y[i] - meanY);
    xx += (x[i] - meanX) ** 2;
    yy += (y[i] - meanY) ** 2;
  }
  const varies = (squares: number, mean: number) => squares > n * (1e-13 * mean) ** 2;
  if (!varies(xx, meanX) || !varies(yy, meanY)) return null;
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

/**
 * Spearman rank correlation, ties by mean rank; null where a list does not vary.
 * Reference: equals `scipy.stats.spearmanr`.
 *
 * @example
 * ```ts
 * spearman([1, 2, 3], [1, 4, 9]); // → 1
 * ```
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number | null {
  return pearson(ranks(x), ranks(y));
}
