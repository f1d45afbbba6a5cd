// In: prompts of one file, then of others. Out: near-duplicates inside, shared and near-duplicate prompts across.
import { createNearDuplicateIndex } from "../pairs/duplicates";
import { hashText } from "../pairs/hash";
import { createHashTable } from "../pairs/hashTable";
import { normaliseText } from "../pairs/normalise";
import type { PreferencePair } from "../pairs/pair";
import { createStoredNumbers } from "../pairs/storedNumbers";
import { TextStore } from "../pairs/textStore";
import { createBest } from "./best";

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
  /** Different prompts that resemble an earlier one and that no shared question keeps together. */
  readonly count: number;
  /** The first of them, by the places of their first pairs. */
  readonly examples: readonly { readonly first: number; readonly second: number; readonly similarity: number }[];
}

const LISTED = 20;

/** Collects the prompts of the checked file: texts and signatures on disk, 18 to 36 bytes of each different one in memory. */
export function createPromptIndex() {
  const index = createNearDuplicateIndex();
  /** Number of a prompt by the hash of its normalised text. */
  const items = createHashTable();
  const texts = new TextStore("prompts");
  /** Of each different prompt: the pair that first had it, and the hash of that pair's question. */
  const firsts = createStoredNumbers();
  const questions = createStoredNumbers();

  const add = ({ prompt, questionId }: Pick<PreferencePair, "prompt" | "questionId">, place: number): void => {
    const key = hashText(normaliseText(prompt));
    if (items.get(key) >= 0) return;
    items.set(key, items.size);
    firsts.push(place);
    questions.push(hashText(questionId));
    texts.add(prompt);
    index.add(prompt);
  };

  const near = (): NearPrompts => {
    let count = 0;
    const examples = createBest<NearPrompts["examples"][number]>(
      LISTED,
      (x, y) => x.first - y.first || x.second - y.second,
    );
    index.forEachLink(
      ({ a, b, similarity }) => {
        if (questions.get(a) === questions.get(b)) return;
        count++;
        examples.add({ first: firsts.get(a), second: firsts.get(b), similarity: round(similarity) });
      },
      undefined,
      (item) => texts.get(item),
    );
    return { count, examples: examples.list() };
  };

  /** Compares with the prompts of another file, which join the index; call `near` before. */
  const overlap = async (prompts: AsyncIterable<string>): Promise<Overlap> => {
    const start = index.size;
    const seen = createHashTable();
    const places = createStoredNumbers();
    const examples: SharedPrompt[] = [];
    let [exact, place] = [0, 0];
    for await (const prompt of prompts) {
      const key = hashText(normaliseText(prompt));
      if (seen.get(key) < 0) {
        seen.set(key, seen.size);
        const item = items.get(key);
        if (item < 0) {
          places.push(place);
          index.add(prompt);
        } else {
          exact++;
          if (examples.length < LISTED) examples.push({ other: place, own: firsts.get(item), similarity: 1 });
        }
      }
      place++;
    }
    const matches = index.matches(firsts.length, start);
    for (const { a, b, similarity } of matches.slice(0, LISTED - examples.length))
      examples.push({ other: places.get(b - start), own: firsts.get(a), similarity: round(similarity) });
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
