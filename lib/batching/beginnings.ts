// In: texts, and which of them begin alike. Out: units for packing: texts that go on from one beginning, which a causal model reads once.

/** What texts have in common. A family is a prompt's answers; texts of one may begin alike. */
export interface Beginnings {
  /** Number of the text's family; −1 for none. */
  family(text: number): number;
  /** Tokens with which all texts of the family begin, fewer than any of them has; 0 where there is nothing to share. */
  shared(text: number): number;
}

/** Texts that stand side by side in a row. */
export interface Unit {
  readonly texts: readonly number[];
  /** Tokens they take: a common beginning counts once. */
  readonly tokens: number;
}

/** A common beginning that is shorter saves less than what it costs to tell it apart. */
const LEAST_SHARED = 8;

/**
 * Units of texts, the longest first.
 *
 * @param texts   longest first
 * @param options.most tokens of a unit, where a text by itself does not have more; absent: any number
 */
export function unitsOf(
  texts: readonly number[],
  lengthOf: (text: number) => number,
  { beginnings, most = Infinity }: { readonly beginnings?: Beginnings; readonly most?: number } = {},
): Unit[] {
  const alone = (text: number): Unit => ({ texts: [text], tokens: lengthOf(text) });
  if (!beginnings) return texts.map(alone);
  const open = new Map<number, { texts: number[]; tokens: number }>();
  const units: Unit[] = [];
  for (const text of texts) {
    const shared = beginnings.shared(text);
    if (shared < LEAST_SHARED) {
      units.push(alone(text));
      continue;
    }
    const family = beginnings.family(text);
    const unit = open.get(family);
    if (unit && unit.tokens + lengthOf(text) - shared <= most) {
      unit.texts.push(text);
      unit.tokens += lengthOf(text) - shared;
    } else {
      const fresh = { texts: [text], tokens: lengthOf(text) };
      open.set(family, fresh);
      units.push(fresh);
    }
  }
  return units.sort((a, b) => b.tokens - a.tokens || a.texts[0] - b.texts[0]);
}

/** The texts of a row in runs: those that go on from one beginning, side by side. */
export function runsOf(texts: readonly number[], beginnings?: Beginnings): { texts: number[]; shared: number }[] {
  const runs: { texts: number[]; shared: number; family: number }[] = [];
  for (const text of texts) {
    const family = beginnings?.family(text) ?? -1;
    const last = runs.at(-1);
    if (last && family >= 0 && last.family === family) last.texts.push(text);
    else runs.push({ texts: [text], shared: beginnings?.shared(text) ?? 0, family });
  }
  return runs.map(({ texts: own, shared }) => ({
    texts: own,
    shared: own.length > 1 && shared >= LEAST_SHARED ? shared : 0,
  }));
}
