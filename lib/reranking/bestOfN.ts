// In: candidates with a key to choose by and a value. Out: the expected value of choosing the best of n of them.

/** Indices that share the highest key. */
export function topIndices(keys: ArrayLike<number>): number[] {
  let highest = -Infinity;
  for (let i = 0; i < keys.length; i++) highest = Math.max(highest, keys[i]);
  return Array.from({ length: keys.length }, (_, i) => i).filter((i) => keys[i] === highest);
}

/**
 * Expected value of the candidate with the highest key among n drawn without replacement, over all draws.
 *
 *   Σ_g v̄_g · [C(c_g, n) − C(c_{g−1}, n)] / C(N, n)
 *
 * g runs over groups of equal keys in ascending order, c_g counts candidates up to and with g, v̄_g is the mean value
 * of the group: a tie at the top is broken evenly. Exact, where drawing subsets would add noise.
 *
 * @example
 * ```ts
 * expectedBestOf([1, 2, 3], [0, 0, 1], 3); // → 1
 * ```
 */
export function expectedBestOf(keys: ArrayLike<number>, values: ArrayLike<number>, n: number): number {
  const total = keys.length;
  const order = Array.from({ length: total }, (_, i) => i).sort((a, b) => keys[a] - keys[b]);
  const withinFirst = (count: number) => {
    let share = 1;
    for (let i = 0; i < n; i++) share *= Math.max(0, count - i) / (total - i);
    return share;
  };
  let expected = 0;
  for (let start = 0; start < total;) {
    let end = start;
    let sum = 0;
    while (end < total && keys[order[end]] === keys[order[start]]) sum += values[order[end++]];
    expected += (sum / (end - start)) * (withinFirst(end) - withinFirst(start));
    start = end;
  }
  return expected;
}
