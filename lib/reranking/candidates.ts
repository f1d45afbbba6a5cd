// In: held-out preference pairs. Out: their questions with all candidate answers, ready to be reranked.
import { existsSync } from "node:fs";
import { itemsOf, type PreferencePair } from "../pairs/pair";
import { createRandom } from "../random";
import { readRerankRows, type Candidate, type RerankRow } from "./rerankRows";

/**
 * One row a question: the distinct answers of its pairs in a shuffled order, so that the first is a fair baseline.
 *
 * Quality is an answer's rating where every answer of the question has one (the mean, where pairs disagree), else how
 * often it was preferred minus how often it was not.
 *
 * @example
 * ```ts
 * console.log(candidatesFromPairs(pairs, 42)[0].candidates);
 * ```
 */
export function candidatesFromPairs(pairs: readonly PreferencePair[], seed: number): RerankRow[] {
  const random = createRandom(seed);
  const byPrompt = new Map<string, PreferencePair[]>();
  for (const pair of pairs) byPrompt.set(pair.prompt, [...(byPrompt.get(pair.prompt) ?? []), pair]);
  return [...byPrompt].map(([prompt, group], i) => ({
    line: i + 1,
    prompt,
    promptMessages: group[0].promptMessages,
    candidates: random.shuffle(candidatesOf(group)),
    best: null,
  }));
}

function candidatesOf(group: readonly PreferencePair[]): Candidate[] {
  const ratings = new Map<string, number[]>();
  const wins = new Map<string, number>();
  const answers = new Map<string, Omit<Candidate, "quality">>();
  for (const pair of group) {
    const [chosen, rejected] = itemsOf(pair).map(({ response, responseMessages }) => {
      const answer = { text: response, ...(responseMessages && { messages: responseMessages }) };
      const key = JSON.stringify(answer);
      answers.set(key, answer);
      return key;
    });
    for (const [answer, score, won] of [
      [chosen, pair.scoreChosen, 1],
      [rejected, pair.scoreRejected, -1],
    ] as const) {
      ratings.set(answer, [...(ratings.get(answer) ?? []), score ?? NaN]);
      wins.set(answer, (wins.get(answer) ?? 0) + won);
    }
  }
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const rated = [...ratings.values()].every((values) => Number.isFinite(mean(values)));
  return [...wins].map(([answer, won]) => {
    const quality = rated ? mean(ratings.get(answer)!) : won;
    return { ...answers.get(answer)!, quality };
  });
}

/**
 * The candidates of the held-out questions: from `file` where it exists (a generator knows true qualities, free of
 * label noise), else from the pairs themselves.
 *
 * @example
 * ```ts
 * console.log((await heldOutCandidates("data/mine/candidates.jsonl", pairs, 42)).length);
 * ```
 */
export async function heldOutCandidates(
  file: string,
  pairs: readonly PreferencePair[],
  seed: number,
): Promise<RerankRow[]> {
  if (!existsSync(file)) return candidatesFromPairs(pairs, seed);
  const prompts = new Set(pairs.map(({ prompt }) => prompt));
  const { rows } = await readRerankRows(file);
  return rows.filter(({ prompt }) => prompts.has(prompt));
}
