// In: flags or fields. Out: where and how a job runs, checked.
import { z } from "zod";
import { UsageError } from "../lib/errors";

const count = z.number().int().min(0);

/** How long a cluster works and with what; a command-line flag is the field's name with dashes. */
export const remoteSchema = z.strictObject({
  address: z
    .string()
    .describe("Ray's dashboard, http://HEAD:8265; local: this machine, without a cluster (required; default: none)"),
  ca: z.string().describe("file of certificates (PEM) to trust for https (default: the system's)").optional(),
  storage: z
    .string()
    .default("")
    .describe("folder or fsspec address (s3://…, gs://…) that all workers see; empty: the head's own disk"),
  workers: z.number().int().min(1).default(1).describe("Ray Train workers, or scoring actors"),
  gpus_per_worker: count.default(0).describe("GPUs of each worker"),
  cpus_per_worker: z.number().int().min(1).default(1).describe("processor cores of each worker"),
  retries: count.default(3).describe("deaths of a worker that a job outlives"),
  install: z
    .boolean()
    .default(false)
    .describe("let Ray install remote/python/requirements.txt for the job; otherwise the cluster has it"),
  python: z
    .string()
    .default("python3")
    .describe("with --address local: the Python that has torch, transformers, trl, peft"),
});

/** Fields of training alone. */
export const remoteTrainingSchema = remoteSchema.extend({
  cluster_model: z
    .string()
    .describe(
      "the base model where the cluster sees it, a path or fsspec address, for one too large to send (default: none)",
    )
    .optional(),
  fsdp: z.boolean().default(false).describe("shard parameters and moments over the workers"),
  gradient_checkpointing: z.boolean().default(false).describe("compute activations again instead of keeping them"),
  leave: z.boolean().default(false).describe("leave the checkpoint on the storage: it is neither fetched nor accepted"),
});

/** Fields of scoring alone. */
export const remoteScoringSchema = remoteSchema.extend({
  engine: z
    .enum(["auto", "transformers", "vllm"])
    .default("auto")
    .describe("who scores there; auto: vLLM where a worker has it and it pools the model as transformers does"),
});

/** Where and how a job runs. */
export type RemoteSettings = z.output<typeof remoteSchema>;
/** The same of a training. */
export type RemoteTrainingSettings = z.output<typeof remoteTrainingSchema>;

/** The same of a scoring. */
export type RemoteScoringSettings = z.output<typeof remoteScoringSchema>;

/** What a caller may give: only the address is needed. */
export interface RemoteInput {
  /** Ray's dashboard, `http://HEAD:8265`; `local`: this machine, without a cluster. */
  readonly address: string;
  readonly ca?: string;
  readonly storage?: string;
  readonly workers?: number;
  readonly gpus_per_worker?: number;
  readonly cpus_per_worker?: number;
  readonly retries?: number;
  readonly install?: boolean;
  readonly python?: string;
}

/** The same of a training. */
export interface RemoteTrainingInput extends RemoteInput {
  readonly cluster_model?: string;
  readonly fsdp?: boolean;
  readonly gradient_checkpointing?: boolean;
  readonly leave?: boolean;
}

/** @throws UsageError naming the field at fault */
export function resolveRemote<S extends z.ZodType>(schema: S, input: object): z.output<S> {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  const field = path.join(".") || "configuration";
  throw new UsageError(
    `--${field.replaceAll("_", "-")}: ${message}, got ${JSON.stringify((given as Record<string, unknown>)[field])}; see rewardbook remote --help`,
  );
}
