// In: texts and a checkpoint. Out: one score a text, computed by Ray Data on a cluster, each exactly once.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { longestText } from "../lib/batching/packing";
import { TokenStore } from "../lib/batching/tokenStore";
import { saveRewardModel, type LoadedModel } from "../lib/checkpoints/checkpoint";
import { InputError, UsageError } from "../lib/errors";
import { hashFile } from "../lib/files/atomic";
import { listenForStop } from "../lib/interrupt";
import { isStandardHead } from "../lib/models/heads";
import { createScorer } from "../lib/scoring/score";
import { bringBack, comesThroughHead } from "./bringBack";
import type { DoneEvent } from "./events";
import { jobResources, type Job } from "./job";
import { writeProgram, writeRows, type TokenRow } from "./jobFolder";
import { padOf, placeOf } from "./pack";
import { headOf, isLocal, runJob } from "./runJob";
import type { RemoteScoringSettings } from "./settings";

/** Rows of one shard: the unit of work, and of what is not done again after a failure. */
const SHARD_ROWS = 2000;
/** Texts that are scored here as well. */
const COMPARED = 32;
/** Largest difference of a text's two scores: matrix products in bf16 keep about three digits. */
const TOLERANCE = { float32: 1e-3, bfloat16: 5e-2 } as const;

export interface RemoteScoring {
  readonly loaded: LoadedModel;
  /** What is scored, in order. */
  readonly tokens: TokenStore;
  readonly run: string;
  readonly precision: "f32" | "bf16";
  readonly settings: RemoteScoringSettings;
  /** Takes the job's own words. */
  readonly logFile: string;
  readonly onMessage: (text: string) => void;
  readonly onProgress: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Scores texts on a cluster. The job's id comes from what is scored: given again, the same call comes back to the same job, and
 * after a failure begins one that scores only the shards that are missing.
 *
 * @returns the score of each text, in order
 * @throws InputError when the job fails, a score is missing or told twice, or the first texts score otherwise here;
 *   Interrupted when it is stopped: the job goes on
 */
export async function scoreRemotely(scoring: RemoteScoring): Promise<Float64Array> {
  const stop = await listenForStop(scoring.signal);
  const work = await mkdtemp(join(tmpdir(), "rewardbook-job-"));
  try {
    const { tokens, settings, run, onMessage: say, precision } = scoring;
    const key = await keyOf(scoring);
    const { submission_id, there } = await nextJob(settings, `rewardbook-${run}-${key}`);
    const job = await packScoring(scoring, { folder: join(work, "job"), submission_id, run: `${run}-${key}` });
    if (there) say(`job ${submission_id} is there already; following it`);
    const done = await runJob({
      submission_id,
      settings,
      folder: there ? null : join(work, "job"),
      metadata: { run, rewardbook: "score" },
      logFile: scoring.logFile,
      ways: {
        back: "the same command comes back to it",
        stop: `rewardbook remote stop --address ${settings.address} --id ${submission_id} ends it`,
        again: "the same command goes on with the shards that are missing",
      },
      onEvent: (event) => {
        if (event.event === "progress") scoring.onProgress(event.done, tokens.size);
      },
      say,
      signal: stop.signal,
    });
    const head = isLocal(settings) ? null : headOf(settings);
    const folder = join(work, "scores");
    await bringBack({ done, storage: job.storage, head, target: folder, say });
    const scores = await readShards(folder, done, tokens.size);
    if (done.engines) say(`scored by ${done.engines.join(" and ")}`);
    await compare(scoring, scores, TOLERANCE[precision === "bf16" ? "bfloat16" : "float32"]);
    return scores;
  } finally {
    stop.release();
    await rm(work, { recursive: true, force: true });
  }
}

/** Eight letters that stand for what is scored by which model and engine. */
async function keyOf({ loaded, tokens, precision, settings }: RemoteScoring): Promise<string> {
  const hash = createHash("sha256").update(precision).update(settings.engine);
  hash.update(await hashFile(join(loaded.dir, "config.json")));
  for (const [name, variable] of loaded.model.parameters) hash.update(name).update(await variable.data());
  for (let text = 0; text < tokens.size; text++) hash.update(tokens.ids(text)).update("\n");
  return hash.digest("hex").slice(0, 8);
}

/** The first attempt that has not failed. */
async function nextJob(
  settings: RemoteScoringSettings,
  stem: string,
): Promise<{ submission_id: string; there: boolean }> {
  if (isLocal(settings)) return { submission_id: `${stem}-a1`, there: false };
  const head = headOf(settings);
  for (let attempt = 1; ; attempt++) {
    const submission_id = `${stem}-a${attempt}`;
    const job = await head.job(submission_id);
    if (job === null) return { submission_id, there: false };
    if (!["FAILED", "STOPPED"].includes(job.status)) return { submission_id, there: true };
  }
}

interface Packing {
  readonly folder: string;
  readonly submission_id: string;
  readonly run: string;
}

async function packScoring(scoring: RemoteScoring, { folder, submission_id, run }: Packing): Promise<Job> {
  const { loaded, tokens, settings, precision } = scoring;
  if (!isStandardHead(loaded.model.config))
    throw new UsageError(
      `--checkpoint: expected a head that transformers has, got a ${loaded.model.config.head} head in ${loaded.dir}; score it here (rewardbook score)`,
    );
  const storage = isLocal(settings) && settings.storage === "" ? join(folder, "..", "storage") : placeOf(settings);
  if (isLocal(settings)) await mkdir(storage, { recursive: true });
  const shared = comesThroughHead(storage) ? null : join(storage, run, "job");
  const place = shared ?? folder;
  await mkdir(join(place, "rows"), { recursive: true });
  await saveRewardModel(join(place, "model"), { loaded, settings: loaded.settings });
  for (let begin = 0; begin < tokens.size; begin += SHARD_ROWS) {
    const name = String(begin / SHARD_ROWS).padStart(5, "0");
    await writeRows(join(place, "rows", `${name}.jsonl`), rowsFrom(tokens, begin));
  }
  const job: Job = {
    format: 1,
    kind: "score",
    run,
    submission_id,
    model: {
      path: shared === null ? "model" : join(shared, "model"),
      num_labels: 1,
      pad_token_id: padOf(loaded),
      dtype: precision === "bf16" ? "bfloat16" : "float32",
    },
    resources: jobResources(settings),
    ...(shared !== null && { data: { rows: join(shared, "rows") } }),
    storage,
    engine: settings.engine,
    longest: longestText(tokens),
    resume: true,
    return_files: comesThroughHead(storage),
  };
  await writeProgram(folder, job);
  return job;
}

function* rowsFrom(tokens: TokenStore, begin: number): Generator<TokenRow> {
  for (let text = begin; text < Math.min(begin + SHARD_ROWS, tokens.size); text++)
    yield { id: String(text), input_ids: Array.from(tokens.ids(text)) };
}

const shardRow = z.object({ id: z.string().regex(/^\d+$/).transform(Number), score: z.number() });

/** @returns null for what is no row with a finite score */
function parseShardRow(line: string): z.output<typeof shardRow> | null {
  try {
    return shardRow.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** @throws InputError unless every row has exactly one finite score */
async function readShards(folder: string, { files }: DoneEvent, rows: number): Promise<Float64Array> {
  const scores = new Float64Array(rows).fill(NaN);
  for (const { name } of files!.entries) {
    if (!name.endsWith(".jsonl")) continue;
    const lines = (await readFile(join(folder, name), "utf8")).split("\n").filter(Boolean);
    for (const line of lines) {
      const { id: row, score } = parseShardRow(line) ?? { id: -1, score: NaN };
      if (!(row >= 0 && row < rows))
        throw new InputError(
          `${name}: expected a finite score of a row that was sent, got ${line.slice(0, 80)}; score again`,
        );
      if (!Number.isNaN(scores[row]))
        throw new InputError(`${name}: expected one score of row ${row}, got a second; score again with another --run`);
      scores[row] = score;
    }
  }
  const missing = scores.findIndex(Number.isNaN);
  if (missing < 0) return scores;
  throw new InputError(
    `the finished job: expected a score of each of ${rows} rows, got none of row ${missing}; score again`,
  );
}

/** @throws InputError where the first texts score otherwise by our own engine */
async function compare(
  { loaded, tokens, onMessage }: RemoteScoring,
  scores: Float64Array,
  limit: number,
): Promise<void> {
  const first = new TokenStore();
  for (let text = 0; text < Math.min(COMPARED, tokens.size); text++) first.push(tokens.ids(text));
  const scorer = createScorer(loaded.model, loaded.tokenizer.padId, { precision: "f32" });
  try {
    const own = await scorer.score(first);
    const apart = Math.max(...Array.from(own, (score, i) => Math.abs(score - scores[i])));
    if (!(apart <= limit))
      throw new InputError(
        `the scores that came back: expected those of our own engine to ${limit}, got a difference of ${apart} among the first ${first.size}; they are not kept, score again with another --engine`,
      );
    onMessage(
      `accepted: the first ${first.size} texts score the same here, largest difference ${apart.toExponential(1)}`,
    );
  } finally {
    scorer.dispose();
    first.close();
  }
}
