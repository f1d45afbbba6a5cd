// In: scored RewardBench pairs. Out: the files that the reference implementation would write, with its keys.
import { bestOfCredit, rewardBench, rewardBench1, rewardBench2, rewardBenchItems } from "./rewardBench";
import type { ScoredPair } from "../scoring/scoredPair";

export interface OutputFile {
  /** Relative path, as in the reference. */
  readonly path: string;
  readonly content: string;
}

export interface RewardBenchAbout {
  /** Name of the model; with an organisation, `organisation/model`. */
  readonly model: string;
  readonly tokenizer?: string;
  readonly chatTemplate?: string | null;
  /** The text that the model was given. */
  readonly render: (prompt: string, response: string) => string;
}

/**
 * Version 1 and any other pairs: `MODEL.json`, `MODEL_outputs.jsonl`; version 2: `eval-set/MODEL.json`,
 * `eval-set-scores/MODEL.json`.
 *
 * Reference: `rewardbench/rewardbench.py` and `scripts/run_v2.py` of the package `rewardbench` 0.1.4.
 *
 * @example
 * ```ts
 * const render = (prompt: string, response: string) => `${prompt} ${response}`;
 * for (const { path } of rewardBenchFiles(scored, { model: "mine", render })) console.log(path);
 * ```
 */
export function rewardBenchFiles(pairs: readonly ScoredPair[], about: RewardBenchAbout): OutputFile[] {
  return rewardBench(pairs)?.version === 2 ? filesOfVersion2(pairs, about) : filesOfVersion1(pairs, about);
}

function filesOfVersion1(pairs: readonly ScoredPair[], about: RewardBenchAbout): OutputFile[] {
  const { model, tokenizer = model, chatTemplate = null, render } = about;
  const core = rewardBench(pairs);
  const { accuracy, num_prompts } = rewardBench1(pairs);
  const results = {
    accuracy,
    num_prompts,
    model,
    ref_model: null,
    tokenizer,
    chat_template: chatTemplate,
    extra_results: core?.version === 1 ? core.subsets : null,
  };
  const rows = pairs.map((pair) => ({
    prompt: pair.prompt,
    results: pair.chosenScore > pair.rejectedScore ? 1 : 0,
    scores_chosen: pair.chosenScore,
    scores_rejected: pair.rejectedScore,
    text_chosen: render(pair.prompt, pair.chosen),
    text_rejected: render(pair.prompt, pair.rejected),
    id: pair.id,
    subset: pair.subset ?? null,
  }));
  return [
    { path: `${model}.json`, content: JSON.stringify(results) },
    { path: `${model}_outputs.jsonl`, content: rows.map((row) => `${JSON.stringify(row)}\n`).join("") },
  ];
}

function filesOfVersion2(pairs: readonly ScoredPair[], about: RewardBenchAbout): OutputFile[] {
  const { model, chatTemplate = null, render } = about;
  const items = rewardBenchItems(pairs);
  const described = { model, model_type: "Seq. Classifier", chat_template: chatTemplate };
  const columns = {
    text: items.map(({ prompt, texts }) => texts.map((response) => render(prompt, response))),
    scores: items.map(({ scores }) => scores),
    // A row of Ties has no result of its own: its score is the subset's.
    results: items.map(({ subset, scores }) => (subset === "Ties" ? null : bestOfCredit(scores))),
    subset: items.map(({ subset }) => subset),
    id: items.map(({ id }) => id),
    num_correct: items.map(({ numCorrect }) => numCorrect),
  };
  return [
    {
      path: `eval-set/${model}.json`,
      content: JSON.stringify({ ...described, ...rewardBench2(items).subsets }, null, 4),
    },
    { path: `eval-set-scores/${model}.json`, content: JSON.stringify({ ...columns, ...described }, null, 4) },
  ];
}
