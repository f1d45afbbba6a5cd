// In: prompts of one file, then of others. Out: near-duplicates inside, shared and near-duplicate prompts across.
import { createNearDuplicateIndex } from "../pairs/duplicates";
import { hashText } from "../pairs/hash";
import { normaliseText } from "../pairs/normalise";

/** A prompt of another file that the checked file has too, or nearly. */
export interface SharedPrompt {
  /** Place in the other file's sequence of prompts, and in the checked file's. */
  readonly other: number;
  readonly own: number;
  /** 1 for equal normalised prompts, else estimated Jaccard similarity of their word bigrams. */
  readonly similarity: number;
}

export interface Overlap {
  /** Different prompts of the other file. */
  readonly prompts: number;
  readonly exact: number;
  readonly near: number;
  readonly examples: readonly SharedPrompt[];
}

export interface NearPrompts {
  /** Different prompts that resemble an earlier one, by the places of their first pairs. */
  readonly found: readonly { readonly first: number; readonly second: number; readonly similarity: number }[];
}

const LISTED = 20;

/** Collects the prompts of the checked file; 250 bytes are kept of each different one. */
export function createPromptIndex() {
  const index = createNearDuplicateIndex();
  const items = new Map<number, number>();
  /** Pair that first had the prompt. */
  const firsts: number[] = [];

  const add = (prompt: string, place: number): void => {
    const key = hashText(normaliseText(prompt));
    if (items.has(key)) return;
    items.set(key, firsts.length);
    firsts.push(place);
    index.add(prompt);
  };

  const near = (): NearPrompts => ({
    found: index
      .links()
      .map(({ a, b, similarity }) => ({ first: firsts[a], second: firsts[b], similarity: round(similarity) })),
  });

  /** Compares with the prompts of another file, which join the index; call `near` before. */
  const overlap = async (prompts: AsyncIterable<string>): Promise<Overlap> => {
    const start = index.size;
    const own = new Map([...items].filter(([, item]) => item < start));
    const seen = new Set<number>();
    const places: number[] = [];
    const examples: SharedPrompt[] = [];
    let [exact, place] = [0, 0];
    for await (const prompt of prompts) {
      const key = hashText(normaliseText(prompt));
      if (!seen.has(key)) {
        seen.add(key);
        const item = own.get(key);
        if (item === undefined) {
          places.push(place);
          index.add(prompt);
        } else {
          exact++;
          if (examples.length < LISTED) examples.push({ other: place, own: firsts[item], similarity: 1 });
        }
      }
      place++;
    }
    const matches = index.matches(firsts.length, start);
    for (const { a, b, similarity } of matches)
      if (examples.length < LISTED)
        examples.push({ other: places[b - start], own: firsts[a], similarity: round(similarity) });
    return { prompts: seen.size, exact, near: matches.length, examples };
  };
  return {
    add,
    near,
    overlap,
    get size() {
      return firsts.length;
    },
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
