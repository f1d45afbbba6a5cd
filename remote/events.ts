// In: a line that a job printed. Out: the event it tells, checked; or text for the reader.
import { z } from "zod";
import { InputError } from "../lib/errors";

/** Not every figure is a finite number in every step: JSON has null for those. */
const figure = z.number().nullable();

const start = z.looseObject({
  event: z.literal("start"),
  workers: z.number(),
  total_steps: z.number().optional(),
  /** The step of the checkpoint that the job goes on from; 0 for a fresh one. */
  resumed_from_step: z.number().default(0),
  trainable_parameters: z.number().optional(),
  versions: z.record(z.string(), z.string()).optional(),
});

const step = z.looseObject({
  event: z.literal("step"),
  step: z.number(),
  /** From 1. */
  epoch: z.number(),
  loss: figure,
  nll: figure,
  accuracy: figure,
  margin: figure,
  min_reward: figure,
  mean_reward: figure,
  max_reward: figure,
  pairs: z.number(),
  num_tokens: z.number(),
  learning_rate: z.number(),
  grad_norm: figure,
  seconds: z.number(),
});

const validation = z.looseObject({
  event: z.literal("validation"),
  when: z.enum(["epoch", "step"]).default("epoch"),
  step: z.number(),
  epoch: z.number(),
  /** Chosen and rejected reward of each validation pair, in their order; left out where they are many. */
  rewards: z.array(z.tuple([z.number(), z.number()])).optional(),
});

const file = z.object({
  name: z.string(),
  bytes: z.number(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** Below the storage. */
  path: z.string().optional(),
  /** In the log folder of the head's node. */
  log_file: z.string().optional(),
});

const done = z.looseObject({
  event: z.literal("done"),
  checkpoint: z.string().optional(),
  /** Score of each probe text by the finished checkpoint. */
  probe: z.array(z.tuple([z.string(), z.number()])).optional(),
  files: z.object({ node_id: z.string().optional(), entries: z.array(file) }).optional(),
  rows: z.number().optional(),
  /** Who scored, each with its version. */
  engines: z.array(z.string()).optional(),
  pairs_per_second: figure.optional(),
  peak_memory_bytes: figure.optional(),
  train_seconds: figure.optional(),
});

const schema = z.discriminatedUnion("event", [
  start,
  step,
  validation,
  done,
  z.looseObject({ event: z.literal("checkpoint"), step: z.number() }),
  z.looseObject({ event: z.literal("retry"), attempt: z.number().optional(), message: z.string().optional() }),
  z.looseObject({ event: z.literal("progress"), done: z.number() }),
  z.looseObject({ event: z.literal("shard"), rows: z.number() }),
  z.looseObject({ event: z.literal("failed"), message: z.string() }),
]);

/** What a job tells of itself. */
export type JobEvent = z.output<typeof schema>;
export type StepEvent = z.output<typeof step>;
export type StartEvent = z.output<typeof start>;
export type ValidationEvent = z.output<typeof validation>;
export type DoneEvent = z.output<typeof done>;
/** A file that a finished job names. */
export type JobFile = z.output<typeof file>;

/** Ray puts the process before a worker's line and colours it. */
const WORKER = /^(?:\u001b\[[0-9;]*m|\([^()]*\b(?:pid|ip)=[^()]*\)|\s)*/;
const MARK = "rewardbook {";

/**
 * @returns null for a line that is no event
 * @throws InputError for an event of another version
 */
export function parseEvent(line: string): JobEvent | null {
  const bare = line.replace(WORKER, "");
  if (!bare.startsWith(MARK)) return null;
  let value: unknown;
  try {
    value = JSON.parse(bare.slice(MARK.length - 1));
  } catch {
    return null; // a line of the log that happens to begin so
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new InputError(
    `the job's event ${JSON.stringify((value as { event?: unknown }).event ?? null)}: ${path.join(".")}: ${message}; the job was packed by another version of Rewardbook: begin it anew`,
  );
}
