// In: split pairs, or the files to read them from. Out: training and validation pairs that share no pair, and the record of them.
import { createHash } from "node:crypto";
import { resolveConfig, type TrainingConfig, type TrainingInput } from "../config";
import { InputError, UsageError } from "../errors";
import { hashFile } from "../files/atomic";
import { hashText } from "../pairs/hash";
import { createHashTable } from "../pairs/hashTable";
import { normaliseText } from "../pairs/normalise";
import { itemsOf, type PreferencePair } from "../pairs/pair";
import { loadStoredPairs, type ReadReport } from "../pairs/read";
import { dropWeakPairs, splitPairs, type Split } from "../split";

/** Pairs that were split before training: what `splitPairs` returns, or lists of one's own. */
export interface SplitData extends Partial<Omit<Split, "train" | "val">> {
  readonly train: readonly PreferencePair[];
  readonly val: readonly PreferencePair[];
  /** What reading said: of the training pairs' file, then of a validation file. */
  readonly reports?: readonly ReadReport[];
}

/**
 * What `trainRewardModel` takes: fields of the configuration with either split pairs (`train`, `val`, perhaps `test` and the
 * rest of what `splitPairs` returns) or `pairs`, a file to read and split; then `val` may be a file, too.
 */
export type TrainingRequest = Omit<TrainingInput, "val"> &
  Partial<Omit<SplitData, "val">> & { readonly val?: string | readonly PreferencePair[] };

/** The pairs of a run. */
export interface TrainingPairs {
  readonly train: readonly PreferencePair[];
  readonly val: readonly PreferencePair[];
  readonly test: readonly PreferencePair[];
  readonly reports: readonly ReadReport[];
  /** The start of `data.json`. */
  readonly record: Record<string, unknown> & {
    /** SHA-256 of each part. */
    readonly fingerprints: Readonly<Record<string, string>>;
  };
}

/**
 * Parts a request into configuration and data.
 *
 * @throws UsageError for training pairs without validation pairs and for fields that are not the configuration's
 */
export function openRequest(request: TrainingRequest): { config: TrainingConfig; data: SplitData | null } {
  const { train, val, test, stats, nearDuplicates, reports, ...fields } = request;
  const given = typeof val === "string" ? val : reports?.[1]?.path;
  const config = resolveConfig({ ...fields, val: given });
  if (train === undefined && (val === undefined || typeof val === "string")) return { config, data: null };
  if (train === undefined || val === undefined || typeof val === "string") {
    throw new UsageError(
      "trainRewardModel: expected both train and val as lists of pairs, got one of them; give both lists of splitPairs, or pairs: FILE alone",
    );
  }
  return { config, data: { train, val, test, stats, nearDuplicates, reports } };
}

/**
 * Reads the pairs that a configuration names; without a validation file they are split by question.
 *
 * @throws InputError for a file that cannot be read
 * @example
 * ```ts
 * const { train, val } = await loadSplit(resolveConfig({ pairs: "pairs.jsonl" }));
 * console.log(train.length, val.length);
 * ```
 */
export async function loadSplit(config: TrainingConfig): Promise<SplitData> {
  if (config.pairs === undefined) {
    throw new InputError("train: expected a file of preference pairs, got none; name one with --pairs FILE");
  }
  const main = await loadStoredPairs(config.pairs, config);
  if (config.val === undefined) return { ...splitPairs(main.pairs, config), reports: [main.report] };
  const held = await loadStoredPairs(config.val, config);
  const strong = (pairs: readonly PreferencePair[]) => (config.drop_weak ? dropWeakPairs(pairs).kept : pairs);
  return { train: strong(main.pairs), val: strong(held.pairs), test: [], reports: [main.report, held.report] };
}

/**
 * Checks the pairs of a run and describes them.
 *
 * @throws InputError when nothing is left to train or to validate on, or when a validation pair is also trained on
 */
export async function checkData(data: SplitData): Promise<TrainingPairs> {
  const { train, val, test = [], stats = null, nearDuplicates, reports = [] } = data;
  requireBoth(train, val);
  refuseSharedPairs(train, val);
  const asked = createHashTable();
  for (const { questionId } of train) {
    const hash = hashText(questionId);
    if (asked.get(hash) < 0) asked.set(hash, 0);
  }
  const record = {
    sources: await Promise.all(reports.map(describeSource)),
    split: stats,
    fingerprints: { train: fingerprint(train), val: fingerprint(val), test: fingerprint(test) },
    near_duplicates_across_splits: nearDuplicates?.length,
    val_pairs_of_training_questions: val.filter((pair) => asked.get(hashText(pair.questionId)) >= 0).length,
  };
  return { train, val, test, reports, record };
}

const describeSource = async ({ path, format, rows, used, counts, kept_ties, unread, notes }: ReadReport) => ({
  file: path,
  sha256: await hashFile(path),
  format,
  rows,
  used,
  not_used: counts,
  kept_ties,
  unread_fields: unread,
  notes,
});

function requireBoth(train: readonly PreferencePair[], val: readonly PreferencePair[]): void {
  if (train.length === 0) {
    throw new InputError("train: expected at least one training pair, got none; see rewardbook check --pairs FILE");
  }
  if (val.length === 0) {
    throw new InputError(
      `train: expected validation pairs, got none of ${train.length} pairs; give --val FILE, a larger --val-ratio, or pairs over more questions`,
    );
  }
}

/** Prompt and both answers, whichever of them is preferred; case, width and white space are levelled. */
function contentHash(pair: PreferencePair): string {
  const answers = itemsOf(pair)
    .map(({ response, responseMessages }) =>
      JSON.stringify(
        responseMessages?.map(({ role, content }) => [role, normaliseText(content)]) ?? normaliseText(response),
      ),
    )
    .sort();
  return createHash("sha256")
    .update(JSON.stringify([normaliseText(pair.prompt), ...answers]))
    .digest("base64");
}

/** A model that was trained on a pair knows its answer: accuracy on it says nothing. */
function refuseSharedPairs(train: readonly PreferencePair[], val: readonly PreferencePair[]): void {
  const held = new Map(val.map((pair) => [contentHash(pair), pair]));
  const shared = train.filter((pair) => held.has(contentHash(pair)));
  if (shared.length === 0) return;
  const examples = shared.slice(0, 3).map((pair) => `${pair.id} = validation pair ${held.get(contentHash(pair))!.id}`);
  throw new InputError(
    `train: expected validation pairs that are not trained on, got ${shared.length} training pairs that are also validation pairs (${examples.join(", ")}); ` +
      "split with splitPairs or rewardbook split, or take them out of one side",
  );
}

/** SHA-256 of what is trained on, in order. */
function fingerprint(pairs: readonly PreferencePair[]): string {
  const hash = createHash("sha256");
  for (const pair of pairs) {
    const { prompt, chosen, rejected, promptMessages, margin, confidencePenalty } = pair;
    const turns = [pair.chosenMessages, pair.rejectedMessages].filter((messages) => messages !== undefined);
    hash.update(JSON.stringify([prompt, chosen, rejected, promptMessages, margin, confidencePenalty, ...turns]));
  }
  return hash.digest("hex");
}
