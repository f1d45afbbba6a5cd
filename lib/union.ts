// Union-find with path halving.

/** Sets that can be joined: the root of an item names its set. */
export function createUnion(size: number): { root(item: number): number; join(a: number, b: number): boolean } {
  const parent = Int32Array.from({ length: size }, (_, i) => i);
  const root = (item: number): number => {
    while (parent[item] !== item) item = parent[item] = parent[parent[item]];
    return item;
  };
  const join = (a: number, b: number): boolean => {
    const [low, high] = [root(a), root(b)].sort((x, y) => x - y);
    parent[high] = low;
    return low !== high;
  };
  return { root, join };
}
