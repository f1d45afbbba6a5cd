// In: sizes of strata and ratios. Out: whole numbers that come as near to the ratios as whole numbers can.

/** Whole numbers that sum to `total`, each the floor or the ceiling of its share; what would be nothing comes first. */
function wholeShares(total: number, ratios: readonly number[]): number[] {
  const exact = ratios.map((ratio) => Math.round(total * ratio * 1e9) / 1e9);
  const whole = exact.map(Math.floor);
  const order = ratios
    .map((_, k) => k)
    .filter((k) => exact[k] > whole[k])
    .sort(
      (a, b) => Number(whole[b] === 0) - Number(whole[a] === 0) || exact[b] - whole[b] - (exact[a] - whole[a]) || a - b,
    );
  for (let left = total - whole.reduce((sum, n) => sum + n, 0), i = 0; left > 0; left--, i++)
    whole[order[i % order.length]]++;
  return whole;
}

/**
 * Controlled rounding: a table of whole numbers, one row a stratum, one column a split, whose rows sum to the sizes,
 * whose columns sum to the whole shares of all, and whose cells are the floor or the ceiling of size × ratio.
 *
 * Reference: Cox (1987), A constructive procedure for unbiased controlled rounding, JASA 82(398): such a table exists.
 */
export function shareOut(sizes: readonly number[], ratios: readonly number[]): number[][] {
  const exact = sizes.map((size) => ratios.map((ratio) => Math.round(size * ratio * 1e9) / 1e9));
  const table = exact.map((row) => row.map(Math.floor));
  const target = wholeShares(
    sizes.reduce((sum, size) => sum + size, 0),
    ratios,
  );
  const room = target.map((total, k) => total - table.reduce((sum, row) => sum + row[k], 0));
  const open = (s: number, k: number) => exact[s][k] > Math.floor(exact[s][k]);
  const raised = exact.map(() => new Set<number>());

  /** Gives row s one more in a column with room, moving another row's unit where there is none (an augmenting path). */
  const raise = (s: number, seen: Set<number>): boolean => {
    const columns = ratios
      .map((_, k) => k)
      .filter((k) => open(s, k) && !raised[s].has(k) && !seen.has(k))
      .sort((a, b) => (exact[s][b] % 1) - (exact[s][a] % 1));
    for (const k of columns) {
      if (room[k] > 0) {
        room[k]--;
        raised[s].add(k);
        return true;
      }
    }
    for (const k of columns) {
      seen.add(k);
      for (let other = 0; other < sizes.length; other++) {
        if (other === s || !raised[other].has(k)) continue;
        if (!raise(other, seen)) continue;
        raised[other].delete(k);
        raised[s].add(k);
        return true;
      }
    }
    return false;
  };
  sizes.forEach((size, s) => {
    for (let left = size - table[s].reduce((sum, n) => sum + n, 0); left > 0; left--) {
      if (raise(s, new Set())) continue;
      // The columns' whole shares leave no such table (rounding of the ratios): the row's own sum goes first.
      const k = ratios.indexOf(Math.max(...ratios));
      table[s][k]++;
    }
  });
  raised.forEach((columns, s) => columns.forEach((k) => table[s][k]++));
  return table;
}
