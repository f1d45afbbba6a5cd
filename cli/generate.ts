// rewardbook generate: synthetic preference pairs with known answers, for learning and for tests.
import { type Command, InvalidArgumentError } from "commander";
import { LABEL_NOISE } from "../lib/pairs/pair";
import { UsageError } from "../lib/errors";
import { DOMAINS, generatePairs } from "../synthetic/synthesise";
import { checkWritable } from "../lib/files/writable";
import { writeJsonLines, writeJsonList } from "../lib/files/write";
import { createOutput } from "./output";
import { percent } from "../lib/wording";

const number = (text: string): number => {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("expected a number");
  return value;
};

/** A JSON list for `.json`, JSON lines for `.jsonl`. */
const write = (path: string, rows: readonly unknown[]): Promise<void> =>
  /\.json$/i.test(path) ? writeJsonList(path, rows) : writeJsonLines(path, rows);

/** @throws UsageError for a name that says nothing of the format; InputError for a path that cannot be written */
async function checkOutputs(...paths: readonly (string | undefined)[]): Promise<void> {
  const odd = paths.find((path) => path !== undefined && !/\.jsonl?$/i.test(path));
  if (odd !== undefined) throw new UsageError(`${odd}: expected a name that ends in .json or .jsonl; give it one`);
  await checkWritable(...paths);
}

export function register(program: Command): void {
  program
    .command("generate")
    .description(
      `synthetic pairs in the original notebook's schema: ${DOMAINS.length} domains, graded answers, recorded label noise`,
    )
    .requiredOption("--out <file>", "file to write: .json (a list) or .jsonl")
    .option("--questions <n>", "questions, each with two to four candidate answers", number, 1000)
    .option("--seed <n>", "the same seed gives the same file", number, 42)
    .option("--noise <share>", "share of pairs whose label is flipped", number, LABEL_NOISE)
    .option("--candidates <file>", "also write all candidates of each question with their quality, for `rerank`")
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      await checkOutputs(options.out, options.candidates);
      const { pairs, candidates, ceiling } = generatePairs({
        questions: options.questions,
        seed: options.seed,
        noise: options.noise,
      });
      await write(options.out, pairs);
      if (options.candidates) await write(options.candidates, candidates);
      const flipped = pairs.filter((pair) => pair.label_flipped).length;
      const result = {
        out: options.out,
        candidates: options.candidates ?? null,
        questions: options.questions,
        pairs: pairs.length,
        domains: DOMAINS.map(({ name }) => name),
        seed: options.seed,
        flipped,
        ceiling,
      };
      out.result(
        result,
        `${pairs.length} pairs on ${options.questions} questions in ${DOMAINS.length} domains written to ${options.out}; ` +
          `${flipped} labels flipped, so no judge can be right on more than ${percent(ceiling)}`,
      );
    });
}
