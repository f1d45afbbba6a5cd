// rewardbook rerank: prompts with candidate answers in, what choosing by reward is worth out.
import type { Command } from "commander";
import { initBackend } from "../lib/engine/backend";
import { evaluateReranking, type ChoiceMeasure, type Reranking } from "../lib/reranking/rerank";
import { readRerankRows } from "../lib/reranking/rerankRows";
import { openScoring } from "../lib/scoring/members";
import { uncertainScores } from "../lib/scoring/uncertainty";
import { percent } from "../lib/report/figures";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { addScoringFlags, readingOptions, textSettings } from "./flags";
import { createOutput } from "./output";

export function register(program: Command): void {
  const command = program
    .command("rerank")
    .description(
      "best-of-n: the model's choice among candidate answers against the first, a random and the longest one",
    )
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model, or an ensemble of several")
    .requiredOption("--input <file>", "rows {prompt, candidates: [text… or {text, quality}], best?: index from 0}")
    .requiredOption("--out <file>", "JSON file to write");
  addScoringFlags(command, ["skip_bad_rows", "ignore_fields"])
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out);
      const { rows, faults } = await readRerankRows(options.input, readingOptions(options));
      for (const fault of faults) out.say(`left out: ${fault}`);
      await initBackend();
      const scoring = await openScoring(options.checkpoint, {
        storage: options.precision ?? "f32",
        text: textSettings(options),
        onMessage: out.say,
      });
      const items = rows.flatMap(({ prompt, promptMessages, candidates }) =>
        candidates.map(({ text, messages }) => ({
          prompt,
          promptMessages,
          response: text,
          responseMessages: messages,
        })),
      );
      const bar = out.progress("scoring");
      const how = { precision: options.precision, onProgress: bar.update, onMessage: out.say };
      const byModel = await scoring.scoreTexts(items, how);
      const scores = uncertainScores(byModel, scoring.levels).map(({ score }) => score);
      bar.end();
      scoring.dispose();
      const result = evaluateReranking(rows, scores);
      await writeFileAtomically(options.out, JSON.stringify(result, null, 2) + "\n");
      out.result(result, [...summary(result), `written    ${options.out}`]);
    });
}

function summary(result: Reranking): string[] {
  const number = (value: number) => value.toFixed(4);
  const lines = [`prompts    ${result.n_prompts} with ${result.n_candidates} candidates, ${result.n_judged} judged`];
  if (result.accuracy) lines.push(...measureLines("best chosen", result.accuracy, percent));
  if (result.quality) lines.push(...measureLines("quality", result.quality, number));
  if (result.spearman)
    lines.push(`Spearman   ${number(result.spearman.mean)} over ${result.spearman.n_prompts} prompts`);
  return lines;
}

function measureLines(name: string, measure: ChoiceMeasure, format: (value: number) => string): string[] {
  const { model, first, random, longest, oracle } = measure.by_choice;
  const others = `first ${format(first)}, random ${format(random)}, longest ${format(longest)}, oracle ${format(oracle)}`;
  const { difference, ci95 } = measure.differences.first;
  return [
    `${name}: model ${format(model)} [${measure.model_ci95.map(format).join(", ")}]; ${others}`,
    `  model − first ${format(difference)} [${ci95.map(format).join(", ")}]`,
  ];
}
