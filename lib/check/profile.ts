// In: pairs one by one. Out: how long the texts are, what length alone tells, and which words give the label away.
import type { PreferencePair } from "../pairs/pair";
import { createLengthCounts, type LengthCounts, type LengthProfile } from "./lengthCounts";
import { createWordCounts, type WordCount } from "./wordCounts";

export interface TellingWord {
  readonly word: string;
  /** Answers that contain it. */
  readonly chosen: number;
  readonly rejected: number;
  /** Standard deviations by which it prefers one side; positive: chosen. */
  readonly z: number;
}

export interface Profile {
  readonly characters: Readonly<Record<"prompt" | "chosen" | "rejected", LengthProfile>>;
  readonly words: Readonly<Record<"prompt" | "chosen" | "rejected", LengthProfile>>;
  /** Share of pairs whose chosen answer has more characters; equal lengths count one half. */
  readonly length_only_accuracy: number;
  /** Counts of log2(characters of chosen / characters of rejected) in steps of 0.25 from −3 to 3. */
  readonly length_ratio_histogram: readonly number[];
  readonly vocabulary: {
    /** Pairs the vocabulary was taken from: the first ones. */
    readonly pairs: number;
    readonly tokens: number;
    readonly distinct: number;
    readonly telling_chosen: readonly TellingWord[];
    readonly telling_rejected: readonly TellingWord[];
  };
}

const VOCABULARY_PAIRS = 50_000;
const LISTED = 15;
const RATIO_STEP = 0.25;
const RATIO_END = 3;

const countWords = (text: string): number => {
  let count = 0;
  let inside = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    const space = unit === 32 || (unit >= 9 && unit <= 13) || unit === 0xa0 || unit === 0x2028 || unit === 0x3000;
    if (!space && !inside) count++;
    inside = !space;
  }
  return count;
};

export function createProfile() {
  const fields = ["prompt", "chosen", "rejected"] as const;
  const lists = () => ({ prompt: createLengthCounts(), chosen: createLengthCounts(), rejected: createLengthCounts() });
  const [characters, words] = [lists(), lists()];
  const ratios = new Array<number>((2 * RATIO_END) / RATIO_STEP).fill(0);
  const vocabulary = createWordCounts();
  let [pairs, longer] = [0, 0];

  const add = (pair: PreferencePair): void => {
    for (const field of fields) {
      characters[field].add(pair[field].length);
      words[field].add(countWords(pair[field]));
    }
    const [a, b] = [pair.chosen.length, pair.rejected.length];
    longer += a > b ? 1 : a === b ? 0.5 : 0;
    const ratio = Math.min(RATIO_END - 1e-9, Math.max(-RATIO_END, Math.log2(a / b)));
    ratios[Math.floor((ratio + RATIO_END) / RATIO_STEP)]++;
    if (pairs++ >= VOCABULARY_PAIRS) return;
    vocabulary.add(pair.chosen, 0);
    vocabulary.add(pair.rejected, 1);
    vocabulary.forgetRare();
  };

  const result = (): Profile => {
    const telling = tellingWords(vocabulary.often(), Math.min(pairs, VOCABULARY_PAIRS));
    const profile = (source: Record<(typeof fields)[number], LengthCounts>) => ({
      prompt: source.prompt.profile(),
      chosen: source.chosen.profile(),
      rejected: source.rejected.profile(),
    });
    return {
      characters: profile(characters),
      words: profile(words),
      length_only_accuracy: pairs > 0 ? longer / pairs : 0,
      length_ratio_histogram: ratios,
      vocabulary: {
        pairs: Math.min(pairs, VOCABULARY_PAIRS),
        tokens: vocabulary.tokens,
        distinct: vocabulary.size,
        telling_chosen: telling.filter(({ z }) => z > 0).slice(0, LISTED),
        telling_rejected: telling
          .filter(({ z }) => z < 0)
          .slice(-LISTED)
          .reverse(),
      },
    };
  };
  return { add, result };
}

/**
 * z of the log odds ratio that an answer with the word is the chosen one, one half added to each cell;
 * words with |z| of 3 or more, the most telling first and last.
 *
 * Reference: Agresti (2002), Categorical Data Analysis, 3.1.1 (Woolf's standard error with the Haldane-Anscombe correction).
 */
function tellingWords(words: Iterable<WordCount>, pairs: number): TellingWord[] {
  const out: TellingWord[] = [];
  for (const { word, chosen, rejected } of words) {
    const cells = [chosen, pairs - chosen, rejected, pairs - rejected].map((count) => count + 0.5);
    const logOddsRatio = Math.log((cells[0] * cells[3]) / (cells[1] * cells[2]));
    const z = logOddsRatio / Math.sqrt(cells.reduce((sum, cell) => sum + 1 / cell, 0));
    if (Math.abs(z) >= 3) out.push({ word, chosen, rejected, z: Math.round(z * 10) / 10 });
  }
  return out.sort((a, b) => b.z - a.z || (a.word < b.word ? -1 : 1));
}
