// In: tokenised pairs or texts, a model, job.json. Out: the job's folder, which is all that the cluster gets.
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { PairDataset } from "../lib/batching/pairArrays";
import { projectPath } from "../lib/files/paths";
import type { PreferencePair } from "../lib/pairs/pair";
import type { Job } from "./job";

/** A text by its token ids. */
export interface TokenRow {
  readonly id: string;
  readonly input_ids: readonly number[];
}

/** The entry point and what it imports. */
const PROGRAM = /\.(py|txt)$/;
const NOT_SENT = /^(measure|test_.*|conftest)\.py$/;

/** Copies the program and writes what is asked of it. */
export async function writeProgram(folder: string, job: Job): Promise<void> {
  await mkdir(folder, { recursive: true });
  const program = projectPath("remote", "python");
  for (const name of await readdir(program))
    if (PROGRAM.test(name) && !NOT_SENT.test(name)) await copyFile(join(program, name), join(folder, name));
  await writeFile(join(folder, "job.json"), `${JSON.stringify(job, null, 2)}\n`);
}

/** What the job's Python needs, a requirement each. */
export const requirements = async (): Promise<string[]> =>
  (await readFile(projectPath("remote", "python", "requirements.txt"), "utf8"))
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "" && !line.startsWith("-"));

const ids = (dataset: PairDataset, text: number): number[] => Array.from(dataset.tokens.ids(text));

/** Pairs as the loss takes them, one a line. */
export function* pairRows(pairs: readonly PreferencePair[], dataset: PairDataset): Generator<object> {
  for (const [i, { id, riskLevel }] of pairs.entries()) {
    yield {
      id,
      chosen_input_ids: ids(dataset, 2 * i),
      rejected_input_ids: ids(dataset, 2 * i + 1),
      weight: dataset.weights[i],
      margin: dataset.margins[i],
      risk: riskLevel,
    };
  }
}

/** Writes rows as JSON lines, one at a time. */
export async function writeRows(path: string, rows: Iterable<object>): Promise<void> {
  const lines = function* () {
    for (const row of rows) yield `${JSON.stringify(row)}\n`;
  };
  await pipeline(Readable.from(lines()), createWriteStream(path));
}
