// Counts by name, bounded: a hostile or mistaken column must not fill the memory.

/** Counts a name; names beyond the limit count together. */
export function tallyInto(counts: Map<string, number>, name: string, limit: number): void {
  const key = counts.has(name) || counts.size < limit ? name : "(other)";
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
