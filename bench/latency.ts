// In: what scores texts, and pairs. Out: how long one pair takes when it comes alone.
import { median } from "./compare";

const PAIRS = 20;

/** Median milliseconds of one pair of a shape met before; ahead of the measured units, since it is no part of their work. */
export async function onePairMs(
  texts: readonly number[][],
  score: (pair: number[][]) => Promise<unknown>,
): Promise<number> {
  const alone: number[] = [];
  for (let pair = 0; pair < Math.min(PAIRS, texts.length / 2); pair++) {
    const some = [texts[2 * pair], texts[2 * pair + 1]];
    await score(some);
    const started = performance.now();
    await score(some);
    alone.push(performance.now() - started);
  }
  return median(alone);
}
