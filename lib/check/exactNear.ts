// In: prompts that seem near by estimate. Out: those that are, by their texts, and that no shared question keeps together.
import { NEAR, jaccard, shingles } from "../pairs/duplicates";
import type { PreferencePair } from "../pairs/pair";
import type { NearPrompts } from "./prompts";

/** Most prompts whose texts are held for this; of a file with more the estimate stands. */
const MOST = 20_000;

/**
 * @param pairs all pairs of the file once more, in order
 * @throws as reading does
 */
export async function exactlyNear(estimated: NearPrompts, pairs: AsyncIterable<PreferencePair>): Promise<NearPrompts> {
  const wanted = new Set(estimated.found.flatMap(({ first, second }) => [first, second]));
  if (wanted.size === 0 || wanted.size > MOST) return estimated;
  const texts = new Map<number, Pick<PreferencePair, "prompt" | "questionId">>();
  let place = 0;
  for await (const { prompt, questionId } of pairs) {
    if (wanted.has(place)) texts.set(place, { prompt, questionId });
    if (texts.size === wanted.size) break;
    place++;
  }
  const found = estimated.found.flatMap(({ first, second }) => {
    const [a, b] = [texts.get(first), texts.get(second)];
    if (!a || !b || a.questionId === b.questionId) return [];
    const similarity = jaccard(shingles(a.prompt), shingles(b.prompt));
    return similarity >= NEAR ? [{ first, second, similarity: Math.round(similarity * 1000) / 1000 }] : [];
  });
  return { found };
}
