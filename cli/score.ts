// rewardbook score: pairs or prompt-answer rows in, the same rows with their rewards out.
import type { Command } from "commander";
import { initBackend } from "../lib/engine/backend";
import { UsageError } from "../lib/errors";
import { openScoring, type Scoring } from "../lib/scoring/members";
import { meanPairs, uncertainPairs, uncertainScores, type UncertainPair } from "../lib/scoring/uncertainty";
import { readResponses } from "../lib/pairs/responses";
import { loadPairs, readingNotes } from "../lib/pairs/read";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { scoreRow } from "./evaluate";
import { addScoringFlags, readingOptions, textSettings } from "./flags";
import { createOutput } from "./output";

export function register(program: Command): void {
  const command = program
    .command("score")
    .description("rewards of preference pairs (chosen_score, rejected_score) or of {prompt, response} rows (score)")
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model, or an ensemble of several")
    .requiredOption("--input <file>", "pairs in any format of `check`, or JSONL rows with prompt and response")
    .requiredOption("--out <file>", "JSONL file to write")
    .option(
      "--uncertainty",
      "of an ensemble: also how far its models differ (score_sd; margin_sd, disagreement, suspect)",
    )
    .option(
      "--suspects <file>",
      "with --uncertainty: pairs whose label every model contradicts, the surest first (JSONL)",
    );
  addScoringFlags(command)
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out, options.suspects);
      const responses = await readResponses(options.input, readingOptions(options));
      for (const fault of responses?.faults ?? []) out.say(`left out: ${fault}`);
      await initBackend();
      const scoring = await openScoring(options.checkpoint, {
        storage: options.precision ?? "f32",
        text: textSettings(options),
        onMessage: out.say,
      });
      requireSeveral(scoring, options);
      const started = performance.now();
      const bar = out.progress("scoring");
      const how = { precision: options.precision, onProgress: bar.update, onMessage: out.say };
      const spread = options.uncertainty === true;
      let rows: object[];
      let suspects: object[] = [];
      if (responses) {
        const scores = uncertainScores(await scoring.scoreTexts(responses.rows, how), scoring.levels);
        rows = responses.rows.map(({ raw }, i) => ({ ...raw, score: scores[i].score, ...(spread && scores[i]) }));
      } else {
        const { pairs, report } = await loadPairs(options.input, { ...readingOptions(options), keep_ties: true });
        for (const note of readingNotes(report)) out.say(`${report.path}: ${note}`);
        const lists = await scoring.scorePairs(pairs, how);
        const together = meanPairs(lists);
        const uncertain = spread ? uncertainPairs(lists, scoring.settings.temperature) : [];
        rows = pairs.map((pair, i) => ({ ...scoreRow(pair, together[i]), ...uncertain[i] }));
        suspects = suspectRows(rows, uncertain);
      }
      bar.end();
      await writeFileAtomically(options.out, rows.map((row) => JSON.stringify(row) + "\n").join(""));
      if (options.suspects)
        await writeFileAtomically(options.suspects, suspects.map((row) => JSON.stringify(row) + "\n").join(""));
      const seconds = (performance.now() - started) / 1000;
      const kind = responses ? "responses" : "pairs";
      out.result(
        { [kind]: rows.length, seconds, out: options.out, ...(spread && !responses && { suspects: suspects.length }) },
        [
          `${rows.length} ${kind} scored in ${seconds.toFixed(1)} s: ${options.out}`,
          ...(spread && !responses
            ? [
                `${suspects.length} pairs whose label every model contradicts${options.suspects ? `: ${options.suspects}` : ""}`,
              ]
            : []),
        ],
      );
      scoring.dispose();
    });
}

/** @throws UsageError where the spread of a single model is asked for */
function requireSeveral(
  { levels }: Scoring,
  options: { uncertainty?: boolean; suspects?: string; checkpoint: string },
): void {
  if (options.suspects !== undefined && !options.uncertainty)
    throw new UsageError("--suspects: expected --uncertainty beside it, got none; add it");
  if (options.uncertainty && levels.length < 2)
    throw new UsageError(
      `--uncertainty: expected an ensemble of several models, got one model in ${options.checkpoint}; rewardbook train --seeds makes one`,
    );
}

/** The pairs whose label every model contradicts, that with the largest mean margin the wrong way first. */
function suspectRows(rows: readonly object[], uncertain: readonly UncertainPair[]): object[] {
  const margin = (i: number) => uncertain[i].chosen_score - uncertain[i].rejected_score;
  const found = [...uncertain.keys()].filter((i) => uncertain[i].suspect);
  return found.sort((a, b) => margin(a) - margin(b)).map((i) => rows[i]);
}
