// In: the checked, split pairs and the configuration of a training. Out: the job's folder, and what is kept to come back to it.
import { mkdir, readdir, rm, copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { TokenStore } from "../lib/batching/tokenStore";
import { padTokenId, saveRewardModel, type LoadedModel } from "../lib/checkpoints/checkpoint";
import { findModel } from "../lib/checkpoints/findModel";
import { loadRewardModel } from "../lib/checkpoints/loadCheckpoint";
import type { TrainingConfig } from "../lib/config";
import { UsageError } from "../lib/errors";
import { isStandardHead } from "../lib/models/heads";
import { announceTruncation, recordOf, tokenisePairs } from "../lib/training/prepare";
import type { TrainingPairs } from "../lib/training/data";
import { comesThroughHead } from "./bringBack";
import { jobPrecision, jobResources, jobTraining, type Job } from "./job";
import { pairRows, writeProgram, writeRows, type TokenRow } from "./jobFolder";
import { remoteDir, sentModel, sentPairs, sentProbe } from "./record";
import type { RemoteTrainingSettings } from "./settings";

/** Texts whose scores the job and we compare. */
const PROBE_TEXTS = 32;

export interface PackInput {
  readonly folder: string;
  readonly config: TrainingConfig;
  readonly settings: RemoteTrainingSettings;
  readonly pairs: TrainingPairs;
  readonly submission_id: string;
  readonly resume: boolean;
  readonly say: (text: string) => void;
}

/** What packing found out. */
export interface Packed {
  /** `data.json`. */
  readonly dataRecord: Record<string, unknown>;
  /** Training pairs of which an answer was cut. */
  readonly truncated: number;
}

/**
 * Fills the job's folder, and `metrics/RUN/remote` with what reading the result will need.
 *
 * @throws UsageError for a head that transformers does not have, InputError for a model that cannot be used
 */
export async function packTraining(input: PackInput): Promise<Packed> {
  const { folder, config, settings, pairs, submission_id, resume, say } = input;
  const training = jobTraining(config, settings);
  const loaded = await loadBase(config);
  try {
    const datasets = await tokenisePairs(pairs, config, loaded);
    announceTruncation(datasets, config, say);
    const storage = placeOf(settings);
    const shared = comesThroughHead(settings.storage) ? null : join(storage, config.run, "job");
    const rows = shared ?? folder;
    for (const dir of [rows, remoteDir(config.run), folder]) await mkdir(dir, { recursive: true });
    await writeRows(join(rows, "train.jsonl"), pairRows(pairs.train, datasets.dataset));
    await writeRows(join(rows, "val.jsonl"), pairRows(pairs.val, datasets.valDataset));
    await writeRows(sentPairs(config.run), pairs.val);
    await writeRows(sentProbe(config.run), probeRows(datasets.valDataset.tokens));
    await copyFile(sentProbe(config.run), join(rows, "probe.jsonl"));
    await sendModel(loaded, settings.cluster_model === undefined ? join(rows, "model") : null, config.run);
    const job: Job = {
      format: 1,
      kind: "train",
      run: config.run,
      submission_id,
      model: {
        path: settings.cluster_model ?? (shared === null ? "model" : join(shared, "model")),
        num_labels: 1,
        pad_token_id: padOf(loaded),
        dtype: jobPrecision(config.precision, settings),
      },
      training,
      resources: jobResources(settings),
      ...(shared !== null && {
        data: {
          train: join(shared, "train.jsonl"),
          validation: join(shared, "val.jsonl"),
          probe: join(shared, "probe.jsonl"),
        },
      }),
      storage,
      resume,
      return_files: comesThroughHead(settings.storage) && !settings.leave,
    };
    await writeProgram(folder, job);
    const dataRecord = recordOf(pairs, datasets);
    for (const { tokens } of [datasets.dataset, datasets.valDataset]) tokens.close();
    return { dataRecord, truncated: datasets.dataset.truncation.pairs };
  } finally {
    loaded.model.dispose();
  }
}

/** Absolute where it is a folder here. */
export const placeOf = ({ storage }: { readonly storage: string }): string =>
  comesThroughHead(storage) ? storage : resolve(storage);

/** The padding token; a decoder without one of its own gets the tokenizer's. */
export const padOf = ({ model, tokenizer }: LoadedModel): number =>
  padTokenId(model.config, tokenizer) ?? tokenizer.padId;

/** The base model with its fresh head: both sides begin with the same weights. */
async function loadBase(config: TrainingConfig): Promise<LoadedModel> {
  const { template, max_length, truncation } = config;
  const dir = findModel(config.model);
  const loaded = await loadRewardModel(dir, { seed: config.seed, settings: { template, max_length, truncation } });
  if (isStandardHead(loaded.model.config)) return loaded;
  loaded.model.dispose();
  throw new UsageError(
    `--model: expected a head that transformers has, got a ${loaded.model.config.head} head in ${dir}; train it here (rewardbook train), or take another model`,
  );
}

/** The first different texts of the validation pairs. */
export function probeRows(tokens: TokenStore, most = PROBE_TEXTS): TokenRow[] {
  const rows: TokenRow[] = [];
  for (let text = 0; text < tokens.size && rows.length < most; text++)
    if (tokens.same(text) === text) rows.push({ id: String(text), input_ids: Array.from(tokens.ids(text)) });
  return rows;
}

/** Writes the model to send, and keeps its files without the weights. @param target null where the cluster has it */
export async function sendModel(loaded: LoadedModel, target: string | null, run: string): Promise<void> {
  const kept = sentModel(run);
  await rm(kept, { recursive: true, force: true });
  await saveRewardModel(target ?? kept, { loaded, settings: loaded.settings });
  if (target !== null) {
    await mkdir(kept, { recursive: true });
    for (const name of await readdir(target)) if (isSmall(name)) await copyFile(join(target, name), join(kept, name));
  } else for (const name of await readdir(kept)) if (!isSmall(name)) await rm(join(kept, name));
}

/** The manifest would ask for the weights. */
const isSmall = (name: string): boolean => !/\.safetensors$|^manifest\.json$/.test(name);

/** Puts weights that came back under the configuration and tokenizer that were sent. */
export async function completeModel(dir: string, run: string): Promise<void> {
  for (const name of await readdir(dir)) if (!/\.safetensors(\.index\.json)?$/.test(name)) await rm(join(dir, name));
  for (const name of await readdir(sentModel(run))) await copyFile(join(sentModel(run), name), join(dir, name));
}
