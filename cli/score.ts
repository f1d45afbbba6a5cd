// rewardbook score: pairs or prompt-answer rows in, the same rows with their rewards out.
import type { Command } from "commander";
import { initBackend } from "../lib/engine/backend";
import { scorePairs, scoreTexts } from "../lib/scoring/score";
import { readResponses } from "../lib/pairs/responses";
import { loadPairs, readingNotes } from "../lib/pairs/read";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { loadScoringModel } from "../lib/checkpoints/checkpoint";
import { scoreRow } from "./evaluate";
import { configFlag, precisionOption, readingOptions, textFlag, textSettings } from "./flags";
import { createOutput } from "./output";

export function register(program: Command): void {
  program
    .command("score")
    .description("rewards of preference pairs (chosen_score, rejected_score) or of {prompt, response} rows (score)")
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model")
    .requiredOption("--input <file>", "pairs in any format of `check`, or JSONL rows with prompt and response")
    .requiredOption("--out <file>", "JSONL file to write")
    .addOption(precisionOption())
    .addOption(textFlag("template"))
    .addOption(textFlag("max_length"))
    .addOption(textFlag("truncation"))
    .addOption(configFlag("skip_bad_rows"))
    .addOption(configFlag("ignore_fields"))
    .addOption(configFlag("category_field"))
    .addOption(configFlag("minimum_gap"))
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out);
      const responses = await readResponses(options.input, readingOptions(options));
      for (const fault of responses?.faults ?? []) out.say(`left out: ${fault}`);
      await initBackend();
      const loaded = await loadScoringModel(options.checkpoint, {
        storage: options.precision ?? "f32",
        text: textSettings(options),
        onMessage: out.say,
      });
      const started = performance.now();
      const bar = out.progress("scoring");
      const scoring = { precision: options.precision, onProgress: bar.update, onMessage: out.say };
      let rows: object[];
      if (responses) {
        const scores = await scoreTexts(loaded, responses.rows, scoring);
        rows = responses.rows.map(({ raw }, i) => ({ ...raw, score: scores[i] }));
      } else {
        const { pairs, report } = await loadPairs(options.input, { ...readingOptions(options), keep_ties: true });
        for (const note of readingNotes(report)) out.say(`${report.path}: ${note}`);
        const scored = await scorePairs(loaded, pairs, scoring);
        rows = pairs.map((pair, i) => scoreRow(pair, scored[i]));
      }
      bar.end();
      await writeFileAtomically(options.out, rows.map((row) => JSON.stringify(row) + "\n").join(""));
      const seconds = (performance.now() - started) / 1000;
      const kind = responses ? "responses" : "pairs";
      out.result(
        { [kind]: rows.length, seconds, out: options.out },
        `${rows.length} ${kind} scored in ${seconds.toFixed(1)} s: ${options.out}`,
      );
      loaded.model.dispose();
    });
}
