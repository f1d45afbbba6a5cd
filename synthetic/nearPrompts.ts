// In: prompts, one by one, with the ids of their questions. Out: the question that a prompt must share, if any.
import { NEAR, jaccard, shingles } from "../lib/pairs/duplicates";

/** Prompts that were used, by what is nearly equal to them. */
export interface NearPrompts {
  /** Ids of the questions whose prompts are nearly this one; null where a prompt has the same words. */
  questionsLike(prompt: string): ReadonlySet<string> | null;
  add(prompt: string, id: string): void;
}

/**
 * Finds near-duplicates exactly, by the measure of `splitPairs` and `check`.
 *
 * Two sets of which at least the share t is common agree in one of the first ⌊(1 − t)·n⌋ + 1 items of either, whatever
 * order all sets are sorted by: only prompts that share such an item are compared.
 *
 * Reference: Chaudhuri, Ganti, Kaushik (2006), A primitive operator for similarity joins in data cleaning (prefix filter).
 */
export function createNearPrompts(): NearPrompts {
  const used: { readonly set: ReadonlySet<number>; readonly id: string }[] = [];
  const byItem = new Map<number, number[]>();
  const prefix = (set: ReadonlySet<number>) =>
    [...set].sort((a, b) => a - b).slice(0, Math.floor((1 - NEAR) * set.size + 1e-9) + 1);
  return {
    questionsLike(prompt) {
      const set = shingles(prompt);
      const ids = new Set<string>();
      for (const other of new Set(prefix(set).flatMap((item) => byItem.get(item) ?? []))) {
        const similarity = jaccard(set, used[other].set);
        if (similarity === 1) return null;
        if (similarity >= NEAR) ids.add(used[other].id);
      }
      return ids;
    },
    add(prompt, id) {
      const set = shingles(prompt);
      for (const item of prefix(set)) {
        const list = byItem.get(item);
        if (list) list.push(used.length);
        else byItem.set(item, [used.length]);
      }
      used.push({ set, id });
    },
  };
}
