// In: RB_NOTEBOOK_CONFIG. Out: what the notebooks share: one configuration, the paths they hand on, progress, checks.
import { existsSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { z } from "zod";
import { LABEL_NOISE } from "../pairs/pair";
import { resolveConfig, type TrainingConfig, type TrainingInput } from "../config";
import { InputError, UsageError } from "../errors";
import { fitMaxLength } from "../checkpoints/fitMaxLength";
import { DEFAULT_MODEL, findModel } from "../checkpoints/findModel";
import { checkpointsDir, metricsDir } from "../files/paths";
import { percent } from "../wording";

const ownFields = z.object({
  questions: z.number().int().min(20).default(500).describe("synthetic questions to generate"),
  noise: z.number().min(0).max(0.4).default(LABEL_NOISE).describe("share of synthetic labels that are flipped"),
  policy: z
    .string()
    .optional()
    .describe("causal language model that notebook 06 improves (directory); without it a small one is trained first"),
  policy_steps: z.number().int().min(1).default(300).describe("steps of training that small policy"),
  remote: z
    .string()
    .optional()
    .describe("address of Ray's dashboard, http://HEAD:8265, or local: where notebook 03 trains instead of here"),
  workers: z.number().int().min(1).default(1).describe("workers of a training on Ray"),
  policy_samples: z.number().int().min(2).default(16).describe("answers to each question that notebook 06 draws"),
});

/** Names of the notebooks' own fields. */
export const notebookFields = Object.keys(ownFields.shape);

const hasDefault = (field: z.ZodType): field is z.ZodDefault => field instanceof z.ZodDefault;

/** The notebooks' own flags of `npm start`, as commander takes them. */
export const notebookFlags: readonly (readonly [string, string])[] = Object.entries(ownFields.shape).map(
  ([name, field]) => [
    `--${name.replaceAll("_", "-")} <${hasDefault(field) ? "n" : name === "remote" ? "url" : "dir"}>`,
    `${field.description}${hasDefault(field) ? ` (default: ${field.def.defaultValue})` : ""}`,
  ],
);

/** A test split beside the validation split: the temperature is fitted on the one and reported on the other. */
const THREE_WAYS: TrainingInput = { train_ratio: 0.8, val_ratio: 0.1, test_ratio: 0.1 };
/** On the synthetic pairs a second epoch raises the validation loss. */
const SYNTHETIC_EPOCHS = 1;

export interface NotebookConfig {
  readonly questions: number;
  readonly noise: number;
  /** Directory of the policy that notebook 06 improves; a small one is trained when absent. */
  readonly policy?: string;
  readonly policy_steps: number;
  readonly policy_samples: number;
  /** Where notebook 03 trains: Ray's dashboard, or `local`; here when absent. */
  readonly remote?: string;
  /** Workers of a training on Ray. */
  readonly workers: number;
  /** The preset's model, where it is not on this machine and the default encoder takes its place. */
  readonly missingModel?: string;
  /** Where texts of the asked length are more than the model reads. */
  readonly lengthNote?: string;
  /** Whether the pairs are generated; else they are the user's. */
  readonly synthetic: boolean;
  readonly training: TrainingConfig;
  readonly paths: NotebookPaths;
}

/** Files that one notebook writes and a later one reads; relative to the project's root, where the kernel runs. */
export interface NotebookPaths {
  readonly pairs: string;
  /** Rows `{prompt, candidates: [{text, quality}]}` for the rerank demo; written for synthetic pairs only. */
  readonly candidates: string;
  readonly metrics: string;
  readonly checkpoint: string;
  /** Where notebook 06 keeps the policy it trains. */
  readonly policy: string;
}

/**
 * The configuration of a run of the notebooks: fields of a training run plus `questions` and `noise`.
 *
 * The run is called after the user's pairs, else `default`.
 * @throws UsageError naming the field at fault
 * @example
 * ```ts
 * const { training, paths } = resolveNotebookConfig({ pairs: "pairs.jsonl", run: "mine" });
 * console.log(training.epochs, paths);
 * ```
 */
export function resolveNotebookConfig(input: Readonly<Record<string, unknown>> = {}): NotebookConfig {
  const own = ownFields.safeParse(Object.fromEntries(notebookFields.map((name) => [name, input[name]])));
  const fields = Object.fromEntries(Object.entries(input).filter(([name]) => !notebookFields.includes(name)));
  if (!own.success) {
    const { path, message } = own.error.issues[0];
    throw new UsageError(
      `${path.join(".")}: ${message}, got ${JSON.stringify(input[String(path[0])])}; see npm start -- --help`,
    );
  }
  const given = fields as TrainingInput;
  const run = given.run ?? (given.pairs ? runName(given.pairs) : "default");
  const ratios = given.val || given.preset || "train_ratio" in given || "val_ratio" in given || "test_ratio" in given;
  // Notebooks are run again and again: unless asked to go on, a run replaces the one of its name, and says so.
  const overwrite = given.overwrite ?? !given.resume;
  const defaults: TrainingInput = {
    ...(ratios ? {} : THREE_WAYS),
    ...(given.pairs || given.preset ? {} : { epochs: SYNTHETIC_EPOCHS }),
    overwrite,
  };
  const asked = resolveConfig({ ...defaults, ...given, run });
  const missingModel = given.preset && !given.model && !hasModel(asked.model) ? asked.model : undefined;
  const taken = missingModel === undefined ? asked : { ...asked, model: DEFAULT_MODEL };
  let lengthNote: string | undefined;
  const training = hasModel(taken.model) ? fitMaxLength(taken, (note) => (lengthNote = note)) : taken;
  const data = join("data", run);
  const pairs = training.pairs ?? join(data, "preference_pairs.jsonl");
  return {
    ...own.data,
    ...(missingModel === undefined ? {} : { missingModel }),
    ...(lengthNote === undefined ? {} : { lengthNote }),
    synthetic: training.pairs === undefined,
    training: { ...training, pairs },
    paths: {
      pairs,
      candidates: join(data, "candidates.jsonl"),
      metrics: metricsDir(run),
      checkpoint: join(checkpointsDir(run), "best"),
      policy: join(checkpointsDir(run), "policy"),
    },
  };
}

function hasModel(name: string | undefined): boolean {
  try {
    return existsSync(join(findModel(name), "config.json"));
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

const runName = (file: string): string =>
  basename(file)
    .replace(/\..*$/, "")
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "") || "pairs";

/** Fields of a training run, and the notebooks' own. */
export type NotebookInput = TrainingInput & Partial<z.infer<typeof ownFields>>;

/**
 * The configuration of this run: `notebookConfig({ pairs: "mine.jsonl", epochs: 1 })`.
 *
 * What `npm start` and `npm run lab` were told, in the JSON file that RB_NOTEBOOK_CONFIG names, takes precedence over the
 * fields given here; these over the defaults.
 * @throws UsageError, InputError when the file or a field is not what it should be
 * @example
 * ```ts
 * const { training } = notebookConfig({ pairs: "pairs.jsonl", run: "mine", epochs: 1 });
 * console.log(training.run);
 * ```
 */
export function notebookConfig(fields: NotebookInput = {}, file = process.env.RB_NOTEBOOK_CONFIG): NotebookConfig {
  if (!file) return resolveNotebookConfig(fields);
  if (!existsSync(file))
    throw new InputError(
      `RB_NOTEBOOK_CONFIG: expected a JSON file, found none at ${file}; it gets written by npm start`,
    );
  try {
    return resolveNotebookConfig({ ...fields, ...JSON.parse(readFileSync(file, "utf8")) });
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new InputError(`${file}: expected JSON, got ${error.message}; run npm start again`);
    throw error;
  }
}

/**
 * `81.2%, 95% interval 78.1% to 84.0%`
 *
 * @example
 * ```ts
 * console.log(withInterval(0.812, [0.78, 0.84]));
 * ```
 */
export function withInterval(share: number, [low, high]: readonly [number, number]): string {
  return `${percent(share)}, 95% interval ${percent(low)} to ${percent(high)}`;
}

/**
 * A name that a data frame can group by: danfo.js keeps groups in plain objects, in which names such as `constructor` are taken.
 *
 * @example
 * ```ts
 * console.log(groupName("UNKNOWN"));
 * ```
 */
export const groupName = (name: string): string => (name in Object.prototype ? `“${name}”` : name);

/**
 * The checks that close a notebook: prints one line each.
 *
 * @throws Error naming the checks that failed
 * @example
 * ```ts
 * runChecks({ "no question stands in two splits": true });
 * ```
 */
export function runChecks(checks: Readonly<Record<string, boolean>>): void {
  for (const [claim, holds] of Object.entries(checks)) console.log(`${holds ? "✓" : "✗"} ${claim}`);
  const failed = Object.keys(checks).filter((claim) => !checks[claim]);
  if (failed.length) throw new Error(`checks failed: ${failed.join("; ")}`);
}
