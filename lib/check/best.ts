// In: items one by one. Out: the first few in some order, whatever their number.

/** Keeps the first `most` items in the order of `compare`. */
export function createBest<T>(most: number, compare: (a: T, b: T) => number) {
  let kept: T[] = [];
  const list = (): readonly T[] => (kept = kept.sort(compare).slice(0, most));
  return {
    add(item: T): void {
      kept.push(item);
      if (kept.length >= 8 * most) list();
    },
    list,
  };
}
