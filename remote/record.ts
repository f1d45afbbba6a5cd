// In: metrics/RUN/remote. Out: what a hand-over must remember so that one can come back to it: which job, where, begun with what.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { trainingSchema } from "../lib/config";
import { InputError } from "../lib/errors";
import { writeFileAtomically } from "../lib/files/atomic";
import { readJsonFile } from "../lib/files/json";
import { metricsDir } from "../lib/files/paths";
import { originSchema } from "../lib/training/origin";
import { remoteTrainingSchema } from "./settings";

const schema = z.object({
  submission_id: z.string(),
  /** From 1: how often the job was begun; each time under another id. */
  attempt: z.number().int().min(1),
  submitted: z.string(),
  /** Where and how; the token is not among it. */
  settings: remoteTrainingSchema,
  /** As resolved; `model` is the directory that was read. */
  config: trainingSchema,
  /** A job goes on only with what it began with. */
  origin: originSchema,
  pairs: z.object({ train: z.number(), val: z.number(), truncated: z.number() }),
});

/** `metrics/RUN/remote/job.json`. */
export type RemoteRecord = z.output<typeof schema>;

/** The folder of a run's hand-over. */
export const remoteDir = (run: string): string => join(metricsDir(run), "remote");
/** Model configuration and tokenizer as they were sent: what comes back is read with them. */
export const sentModel = (run: string): string => join(remoteDir(run), "model");
/** The validation pairs, as they were read. */
export const sentPairs = (run: string): string => join(remoteDir(run), "val.jsonl");
export const sentProbe = (run: string): string => join(remoteDir(run), "probe.jsonl");

/** Rows that were kept of what was sent. @throws InputError for a file that is not as it was written */
export async function readSent<Row extends object>(path: string): Promise<Row[]> {
  const lines = (await readFile(path, "utf8")).split("\n").filter(Boolean);
  return lines.map((line, i) => {
    try {
      return rowSchema.parse(JSON.parse(line)) as Row;
    } catch {
      throw new InputError(
        `${path} line ${i + 1}: expected a row as it was sent, got ${JSON.stringify(line.slice(0, 60))}; begin the job anew with --overwrite`,
      );
    }
  });
}
const rowSchema = z.looseObject({ id: z.string() });

const recordFile = (run: string): string => join(remoteDir(run), "job.json");

export const writeRecord = (record: RemoteRecord): Promise<void> =>
  writeFileAtomically(recordFile(record.config.run), `${JSON.stringify(record, null, 2)}\n`);

/** @returns null for a run that was not handed over */
export function readRecord(run: string): RemoteRecord | null {
  const path = recordFile(run);
  if (!existsSync(path)) return null;
  const parsed = schema.safeParse(readJsonFile(path));
  if (parsed.success) return parsed.data;
  const { path: field, message } = parsed.error.issues[0];
  throw new InputError(
    `${path}: ${field.join(".") || "top level"}: ${message}; it was written by another version of Rewardbook: begin anew with --overwrite`,
  );
}

/** @throws InputError for a run that was not handed over */
export function requireRecord(run: string): RemoteRecord {
  const record = readRecord(run);
  if (record) return record;
  throw new InputError(
    `run ${run}: expected a run that was handed over, found no ${recordFile(run)}; rewardbook remote train --run ${run} begins one`,
  );
}
