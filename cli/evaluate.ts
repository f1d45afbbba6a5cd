// rewardbook evaluate: a checkpoint and held-out pairs in, every metric with its interval out.
import type { Command } from "commander";
import { basename, join, resolve } from "node:path";
import { initBackend } from "../lib/engine/backend";
import { compareScores, type Comparison } from "../lib/evaluation/compare";
import { evaluateScores } from "../lib/evaluation/evaluate";
import { openScoring } from "../lib/scoring/members";
import { textOf, type ScoringOptions } from "../lib/scoring/score";
import type { ScoredPair } from "../lib/scoring/scoredPair";
import { meanPairs } from "../lib/scoring/uncertainty";
import { lossSettings } from "../lib/evaluation/pairLossValue";
import { rewardBench } from "../lib/rewardBench/rewardBench";
import { rewardBenchFiles } from "../lib/rewardBench/rewardBenchFiles";
import { loadPairs, readingNotes } from "../lib/pairs/read";
import { itemsOf, type PreferencePair } from "../lib/pairs/pair";
import type { LoadedModel, TextSettings } from "../lib/checkpoints/checkpoint";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable, checkWritableFolder } from "../lib/files/writable";
import { addScoringFlags, readingOptions, textSettings } from "./flags";
import { createOutput, type Output } from "./output";
import { hundredths, percent } from "../lib/wording";

export function register(program: Command): void {
  const command = program
    .command("evaluate")
    .description("accuracy, calibration, length bias and baselines of a checkpoint on held-out pairs")
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model, or an ensemble of several")
    .requiredOption("--pairs <file>", "held-out preference pairs")
    .requiredOption("--out <file>", "JSON file to write")
    .option("--scores <file>", "also write the two scores of each pair (JSONL)")
    .option("--against <dir>", "a second checkpoint to compare with, by paired tests")
    .option("--rewardbench-out <dir>", "also write the files of the reference implementation of RewardBench");
  addScoringFlags(command)
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out, options.scores);
      await checkWritableFolder(options.rewardbenchOut);
      const { pairs, report } = await loadPairs(options.pairs, readingOptions(options));
      for (const [reason, n] of Object.entries(report.counts)) out.say(`${report.path}: ${n} rows left out: ${reason}`);
      for (const note of readingNotes(report)) out.say(`${report.path}: ${note}`);
      const scoring: ScoringOptions = { precision: options.precision };
      const { scored, settings, render } = await scoreWith(options.checkpoint, pairs, scoring, {
        out,
        text: textSettings(options),
      });
      const evaluation = evaluateScores(scored, {
        temperature: settings.temperature,
        loss: lossSettings(settings.loss),
      });
      const result: Record<string, unknown> = { ...evaluation };
      const bench = rewardBench(scored);
      if (bench) result.rewardbench = bench;
      if (options.against) {
        const other = await scoreWith(options.against, pairs, scoring, { out });
        const comparison = compareScores(scored, other.scored);
        result.against = { checkpoint: options.against, ...comparison };
        result.baselines = { ...evaluation.baselines, against: comparison.other_accuracy };
      }
      await writeFileAtomically(options.out, JSON.stringify(result, null, 2) + "\n");
      if (options.scores)
        await writeFileAtomically(
          options.scores,
          scored.map((pair, i) => JSON.stringify(scoreRow(pairs[i], pair)) + "\n").join(""),
        );
      if (options.rewardbenchOut) {
        const about = { model: basename(resolve(options.checkpoint)), render };
        for (const { path, content } of rewardBenchFiles(scored, about))
          await writeFileAtomically(join(options.rewardbenchOut, path), content);
      }
      const [low, high] = evaluation.accuracy_ci95;
      out.result(result, [
        `accuracy   ${percent(evaluation.accuracy)} [${percent(low)}, ${percent(high)}] on ${evaluation.n_pairs} pairs, ${evaluation.ties} ties`,
        `baselines  longer answer ${percent(evaluation.baselines.longer_answer)}, random ${percent(evaluation.baselines.random)}`,
        `ECE        ${evaluation.ece.toFixed(4)} (symmetric ${evaluation.ece_symmetric.toFixed(4)}), Brier ${evaluation.brier.toFixed(4)}, NLL ${evaluation.nll.toFixed(4)}`,
        `length     ${evaluation.length.sentence}`,
        ...againstLine(result.against as Comparison | undefined),
        `written    ${options.out}`,
      ]);
    });
}

function againstLine(comparison: Comparison | undefined): string[] {
  if (!comparison) return [];
  const points = (share: number) => `${share >= 0 ? "+" : ""}${hundredths(share)}`;
  const [low, high] = comparison.difference_ci95;
  const p = comparison.p_value.toPrecision(2);
  const shown = comparison.difference_shown ? "" : ": no difference shown";
  return [
    `against    ${points(comparison.difference)} points [${points(low)}, ${points(high)}] by prompts, p = ${p}${shown}`,
  ];
}

/** Rewards of all pairs under one checkpoint, with a progress bar. */
async function scoreWith(
  checkpoint: string,
  pairs: readonly PreferencePair[],
  options: ScoringOptions,
  { out, text }: { readonly out: Output; readonly text?: TextSettings },
) {
  await initBackend();
  const scoring = await openScoring(checkpoint, { storage: options.precision ?? "f32", text, onMessage: out.say });
  const bar = out.progress("scoring");
  try {
    const { settings, loaded } = scoring;
    const { beta } = lossSettings(settings.loss);
    const how = { ...options, beta, onProgress: bar.update, onMessage: out.say };
    const scored = meanPairs(await scoring.scorePairs(pairs, how));
    bar.end();
    return { scored, settings, render: renderer(loaded, pairs) };
  } finally {
    scoring.dispose();
  }
}

/** The text a checkpoint reads for a prompt and an answer, conversations included. */
function renderer(loaded: LoadedModel, pairs: readonly PreferencePair[]) {
  const text = textOf(loaded);
  const prompts = new Map(pairs.map(({ prompt, promptMessages }) => [prompt, promptMessages]));
  const key = (prompt: string, response: string) => JSON.stringify([prompt, response]);
  const items = new Map(pairs.flatMap(itemsOf).map((item) => [key(item.prompt, item.response), item]));
  return (prompt: string, response: string): string =>
    text(items.get(key(prompt, response)) ?? { prompt, promptMessages: prompts.get(prompt), response });
}

/** A pair's line of the scores file: what was read, and its two rewards. */
export function scoreRow(pair: PreferencePair, scored: ScoredPair): Record<string, unknown> {
  return { ...pair.raw, id: pair.id, chosen_score: scored.chosenScore, rejected_score: scored.rejectedScore };
}
