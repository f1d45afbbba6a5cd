// rewardbook remote score: pairs or prompt-answer rows in, the same rows with their rewards out, computed on a cluster.
import type { Command } from "commander";
import { TokenStore } from "../lib/batching/tokenStore";
import { initBackend } from "../lib/engine/backend";
import { evaluateScores } from "../lib/evaluation/evaluate";
import { lossSettings } from "../lib/evaluation/pairLossValue";
import { writeFileAtomically } from "../lib/files/atomic";
import { checkWritable } from "../lib/files/writable";
import { loadPairs, readingNotes } from "../lib/pairs/read";
import { itemsOf, type PreferencePair } from "../lib/pairs/pair";
import { readResponses, type ResponseRow } from "../lib/pairs/responses";
import { toScoredPair } from "../lib/scoring/score";
import { loadScoringModel, type LoadedModel } from "../lib/checkpoints/checkpoint";
import { remoteScoringSchema, resolveRemote } from "../remote/settings";
import { scoreRow } from "./evaluate";
import { addSchemaFlags, addScoringFlags, fieldsFromFlags, readingOptions, textSettings } from "./flags";
import { createOutput, type Output } from "./output";
import { detachable } from "./remoteTrain";

export function register(remote: Command): void {
  const command = remote
    .command("score")
    .description(
      "rewards of pairs or of {prompt, response} rows, by Ray Data on a cluster; Ctrl-C leaves the job running",
    )
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model")
    .requiredOption("--input <file>", "pairs in any format of `check`, or JSONL rows with prompt and response")
    .requiredOption("--out <file>", "JSONL file to write")
    .option("--evaluation <file>", "of pairs: also what evaluate says of these scores (JSON)")
    .option("--run <name>", "name of the job and of its folder on the storage", "score");
  addSchemaFlags(command, remoteScoringSchema.shape);
  addScoringFlags(command)
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkWritable(options.out, options.evaluation);
      const rows = await readRows(options, out);
      await initBackend();
      const loaded = await loadScoringModel(options.checkpoint, { storage: "f32", text: textSettings(options) });
      const tokens = await tokenise(rows, loaded);
      const { scoreRemotely } = await import("../remote/score");
      await detachable(out, async () => {
        const bar = out.progress("scoring");
        const scores = await scoreRemotely({
          loaded,
          tokens,
          run: options.run,
          precision: options.precision,
          settings: resolveRemote(remoteScoringSchema, fieldsFromFlags(options, remoteScoringSchema.shape)),
          logFile: `${options.out}.job.log`,
          onMessage: out.say,
          onProgress: bar.update,
        });
        bar.end();
        await writeResult({ rows, scores, loaded, options, out });
      });
      tokens.close();
      loaded.model.dispose();
    });
}

/** What is scored: pairs, or rows of one answer each. */
type Rows = { readonly pairs: readonly PreferencePair[] } | { readonly responses: readonly ResponseRow[] };

async function readRows(options: { input: string }, out: Output): Promise<Rows> {
  const responses = await readResponses(options.input, readingOptions(options));
  for (const fault of responses?.faults ?? []) out.say(`left out: ${fault}`);
  if (responses) return { responses: responses.rows };
  const { pairs, report } = await loadPairs(options.input, { ...readingOptions(options), keep_ties: true });
  for (const note of readingNotes(report)) out.say(`${report.path}: ${note}`);
  return { pairs };
}

const CHUNK = 1024;

async function tokenise(rows: Rows, { tokenizer, settings }: LoadedModel): Promise<TokenStore> {
  const { template, max_length: maxLength, truncation } = settings;
  const tokens = new TokenStore();
  const items = "pairs" in rows ? rows.pairs.flatMap(itemsOf) : rows.responses;
  for (let i = 0; i < items.length; i += CHUNK)
    for (const { ids } of await tokenizer.encode(items.slice(i, i + CHUNK), { template, maxLength, truncation }))
      tokens.push(ids);
  return tokens;
}

interface Result {
  readonly rows: Rows;
  readonly scores: Float64Array;
  readonly loaded: LoadedModel;
  readonly options: { readonly out: string; readonly evaluation?: string };
  readonly out: Output;
}

async function writeResult({ rows, scores, loaded, options, out }: Result): Promise<void> {
  const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
  if ("responses" in rows) {
    const { responses } = rows;
    await writeFileAtomically(options.out, lines(responses.map(({ raw }, i) => ({ ...raw, score: scores[i] }))));
    return out.result(
      { responses: responses.length, out: options.out },
      `${responses.length} responses scored: ${options.out}`,
    );
  }
  const { pairs } = rows;
  const loss = lossSettings(loaded.settings.loss);
  const scored = pairs.map((pair, i) => toScoredPair(pair, scores[2 * i], scores[2 * i + 1], loss.beta));
  await writeFileAtomically(options.out, lines(pairs.map((pair, i) => scoreRow(pair, scored[i]))));
  if (options.evaluation !== undefined) {
    const evaluation = evaluateScores(scored, { temperature: loaded.settings.temperature, loss });
    await writeFileAtomically(options.evaluation, `${JSON.stringify(evaluation, null, 2)}\n`);
  }
  out.result({ pairs: pairs.length, out: options.out }, `${pairs.length} pairs scored: ${options.out}`);
}
