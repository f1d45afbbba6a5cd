// In: the resolved configuration of a training, or a scoring. Out: job.json, as the entry point in remote/python reads it.
import type { TrainingConfig } from "../lib/config";
import { UsageError } from "../lib/errors";
import type { RemoteScoringSettings, RemoteSettings, RemoteTrainingSettings } from "./settings";

/** `job.json`; remote/python/job.py reads it and refuses what it does not know. */
export interface Job {
  readonly format: 1;
  readonly kind: "train" | "score";
  readonly run: string;
  readonly submission_id: string;
  readonly model: JobModel;
  readonly training?: JobTraining;
  readonly resources: {
    readonly workers: number;
    readonly gpus_per_worker: number;
    readonly cpus_per_worker: number;
    readonly retries: number;
  };
  /** Where the rows are, unless they lie in the job's folder. */
  readonly data?: {
    readonly train?: string;
    readonly validation?: string;
    readonly probe?: string;
    readonly rows?: string;
  };
  /** Path or fsspec address; empty: a folder of the head's own. */
  readonly storage: string;
  /** Who scores. */
  readonly engine?: RemoteScoringSettings["engine"];
  /** Tokens of the longest text to score. */
  readonly longest?: number;
  readonly resume: boolean;
  /** Whether the results come back through the head. */
  readonly return_files: boolean;
}

export interface JobModel {
  /** `model`: in the job's folder; else where the cluster sees it. */
  readonly path: string;
  readonly num_labels: 1;
  readonly pad_token_id: number;
  readonly dtype: "float32" | "bfloat16";
}

/** The settings of a training by lib's names; 0, where it means none, is null. */
export interface JobTraining {
  readonly epochs: number;
  readonly max_steps: number | null;
  readonly learning_rate: number;
  readonly weight_decay: number;
  readonly adam_betas: readonly [number, number];
  readonly adam_epsilon: number;
  readonly warmup_ratio: number;
  readonly warmup_steps: number | null;
  readonly schedule: TrainingConfig["schedule"];
  readonly clip_norm: number | null;
  /** Pairs of an update, over all workers. */
  readonly batch_pairs: number;
  readonly seed: number;
  readonly loss: TrainingConfig["loss"];
  readonly label_smoothing: number;
  readonly weighted_loss: boolean;
  readonly centre_rewards: number | null;
  readonly dropout: boolean;
  readonly lora: {
    readonly rank: number;
    readonly alpha: number;
    readonly dropout: number;
    readonly target_modules: readonly string[] | null;
  } | null;
  readonly gradient_checkpointing: boolean;
  readonly fsdp: boolean;
  readonly evaluate_every_steps: number | null;
  readonly save_every_steps: number | null;
}

const orNull = (value: number): number | null => (value === 0 ? null : value);

export function jobTraining(config: TrainingConfig, settings: RemoteTrainingSettings): JobTraining {
  refuseWhatIsOnlyHere(config);
  const { workers } = settings;
  const pairs = config.batch_size * config.gradient_accumulation;
  if (pairs < workers) {
    throw new UsageError(
      `--workers: expected no more than the ${pairs} pairs of an update, got ${workers}; raise --batch-size or take fewer workers`,
    );
  }
  return {
    epochs: config.epochs,
    max_steps: orNull(config.max_steps),
    learning_rate: config.learning_rate,
    weight_decay: config.weight_decay,
    adam_betas: [config.adam_beta1, config.adam_beta2],
    adam_epsilon: config.adam_epsilon,
    warmup_ratio: config.warmup_ratio,
    warmup_steps: config.warmup_steps ?? null,
    schedule: config.schedule,
    clip_norm: orNull(config.grad_clip),
    batch_pairs: pairs,
    seed: config.seed,
    loss: config.loss,
    label_smoothing: config.label_smoothing,
    weighted_loss: config.beta !== 0,
    centre_rewards: orNull(config.centering),
    dropout: config.dropout,
    lora: loraOf(config),
    gradient_checkpointing: settings.gradient_checkpointing,
    fsdp: settings.fsdp,
    evaluate_every_steps: orNull(config.eval_steps),
    save_every_steps: orNull(config.save_steps),
  };
}

function loraOf({ lora_rank, lora_alpha, lora_dropout, lora_targets }: TrainingConfig): JobTraining["lora"] {
  if (lora_rank === 0) return null;
  const target_modules = lora_targets === "auto" ? null : lora_targets.split(",").map((name) => name.trim());
  return { rank: lora_rank, alpha: lora_alpha, dropout: lora_dropout, target_modules };
}

/** What the local engine has and the hand-over has not. */
function refuseWhatIsOnlyHere({ freeze, head, architecture }: TrainingConfig): void {
  const found =
    freeze !== "none"
      ? `--freeze ${freeze}`
      : !["auto", "classification"].includes(head)
        ? `--head ${head}`
        : architecture === "shared"
          ? "--architecture shared"
          : null;
  if (found === null) return;
  throw new UsageError(
    `remote train: expected a training of all weights or of LoRA adapters under transformers' own head, got ${found}; leave it out, or train here (rewardbook train)`,
  );
}

export const jobResources = ({
  workers,
  gpus_per_worker,
  cpus_per_worker,
  retries,
}: RemoteSettings): Job["resources"] => ({
  workers,
  gpus_per_worker,
  cpus_per_worker,
  retries,
});

/** bf16 where it was asked for, or where GPUs train and nothing else was asked for. */
export const jobPrecision = (
  precision: TrainingConfig["precision"],
  { gpus_per_worker }: RemoteSettings,
): JobModel["dtype"] =>
  precision === "bf16" || (precision === "auto" && gpus_per_worker > 0) ? "bfloat16" : "float32";
