// In: a policy and prompts. Out: answers drawn from it.
import { Interrupted } from "../errors";
import { longWork, type LongWorkOptions } from "../longWork";
import { weightsKey } from "../models/weightsKey";
import { createRandom } from "../random";
import { decode } from "./decode";
import type { AnswerIds } from "./logProbabilities";
import type { Policy } from "./policy";

export interface SampleOptions extends LongWorkOptions {
  /** Divides the logits; 0 takes the most probable token. */
  readonly temperature?: number;
  /** Most tokens of an answer. */
  readonly maxNewTokens?: number;
  readonly seed: number;
  /** Prompts that are answered at once; by default as many as keep their keys and values in 256 MB, 256 at most. */
  readonly rowsAtOnce?: number;
}

/** One answer of a policy. */
export interface SampledAnswer extends AnswerIds {
  readonly text: string;
}

/**
 * Draws one answer for each prompt; give a prompt n times for n answers. The same seed gives the same answers, whatever
 * the other prompts are. Stopped in a notebook, it keeps the answers that are whole: the next call that asks for the same
 * goes on from there.
 *
 * @param prompts as token ids, such as `encodePrompts` makes them
 * @example
 * ```ts
 * const prompts = await encodePrompts(policy, ["2 + 2?"], "{prompt} {response}");
 * const [answer] = await sampleAnswers(policy, prompts, { temperature: 0.7, maxNewTokens: 64, seed: 1 });
 * console.log(answer.text);
 * ```
 */
export async function sampleAnswers(
  policy: Policy,
  prompts: readonly (readonly number[])[],
  options: SampleOptions,
): Promise<SampledAnswer[]> {
  const { temperature = 1, maxNewTokens = 96, seed } = options;
  const { rowsAtOnce = rowsThatFit(policy, prompts, maxNewTokens) } = options;
  const kept = keptAnswers(policy, prompts, options);
  const answers = [...kept.before];
  const what = { label: "answers", unit: "answers", again: "run it again to go on from there" };
  try {
    await longWork(what, options, async ({ signal, onProgress, onKnown }) => {
      onKnown(answers.length);
      while (answers.length < prompts.length) {
        const from = answers.length;
        const some = prompts.slice(from, from + rowsAtOnce);
        const randoms = some.map((_, i) => createRandom(seed * 1_000_003 + from + i));
        onProgress(from, prompts.length);
        answers.push(...(await decode(policy, some, { temperature, maxNewTokens, randoms, signal })));
      }
      onProgress(prompts.length, prompts.length);
    });
    kept.forget();
  } catch (error) {
    if (error instanceof Interrupted) kept.keep(answers);
    throw error;
  }
  const eos = policy.tokenizer.eosId;
  return Promise.all(
    answers.map(async (answer, i) => ({
      prompt: prompts[i],
      answer,
      text: (await policy.tokenizer.decode(answer.filter((id) => id !== eos))).trim(),
    })),
  );
}

/** Bytes of the kept keys and values of the rows that are answered at once. */
const CACHE_BYTES = 256e6;
const MOST_ROWS = 256;

function rowsThatFit({ config }: Policy, prompts: readonly (readonly number[])[], maxNewTokens: number): number {
  const longest = prompts.reduce((most, prompt) => Math.max(most, prompt.length), 0) + maxNewTokens;
  const bytes = longest * config.layers * 2 * config.keyValueHeads * config.headSize * Float32Array.BYTES_PER_ELEMENT;
  return Math.min(MOST_ROWS, Math.max(1, Math.floor(CACHE_BYTES / bytes)));
}

/** The last answers that a stop left unfinished. */
let stopped: { readonly key: string; readonly answers: readonly number[][] } | null = null;

/** Answers of a call that was stopped, for one that asks the same of the same weights. */
function keptAnswers(policy: Policy, prompts: readonly (readonly number[])[], options: SampleOptions) {
  const { temperature, maxNewTokens, seed } = options;
  const keyNow = () => JSON.stringify([weightsKey(policy.parameters), prompts, temperature, maxNewTokens, seed]);
  const before = stopped && stopped.key === keyNow() ? stopped.answers : [];
  return {
    before,
    keep: (answers: readonly number[][]): void => void (stopped = { key: keyNow(), answers }),
    forget: (): void => void (stopped = before.length > 0 ? null : stopped),
  };
}

/**
 * Token ids of prompts, up to where the answer begins; of a long one the end, so that half of the model's length is left.
 *
 * @example
 * ```ts
 * console.log(await encodePrompts(policy, ["2 + 2?"], "Question: {prompt}\nAnswer: {response}"));
 * ```
 */
export async function encodePrompts(
  { tokenizer, config }: Policy,
  prompts: readonly string[],
  template: string,
): Promise<number[][]> {
  const items = prompts.map((prompt) => ({ prompt, response: "" }));
  const options = { template, maxLength: Math.floor(config.maxPositions / 2), truncation: "left" } as const;
  return (await tokenizer.encode(items, options)).map(({ ids }) => Array.from(ids));
}

/**
 * Token ids of answers with the end of sequence.
 *
 * @example
 * ```ts
 * console.log(await encodeAnswers(policy, ["It is four."]));
 * ```
 */
export async function encodeAnswers({ tokenizer, config }: Policy, answers: readonly string[]): Promise<number[][]> {
  const items = answers.map((response) => ({ prompt: "", response }));
  const options = { template: "{response}", maxLength: config.maxPositions, truncation: "right" } as const;
  const end = tokenizer.eosId === null ? [] : [tokenizer.eosId];
  return (await tokenizer.encode(items, options)).map(({ ids }) => [...ids, ...end]);
}
