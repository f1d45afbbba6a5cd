// In: a connection. Out: the calls of Ray's Jobs interface that a hand-over needs, checked.
import { createHash, type Hash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { InputError } from "../lib/errors";
import type { Connection } from "./connection";
import { ask, PATIENCE, send, type HeadAnswer, type HeadRequest, type Patience } from "./http";

const versionSchema = z.looseObject({ ray_version: z.string() });

const stopSchema = z.looseObject({ stopped: z.boolean() });

const jobSchema = z.looseObject({
  submission_id: z.string().nullish(),
  status: z.enum(["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]),
  message: z.string().nullish(),
  /** Milliseconds since 1970. */
  start_time: z.number().nullish(),
  end_time: z.number().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});
/** What the head knows of a job. */
export type HeadJob = z.output<typeof jobSchema>;

/** What a job is submitted with. */
export interface Submission {
  readonly submission_id: string;
  readonly entrypoint: string;
  readonly runtime_env: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A file that the job left on the head's node. */
export interface HeadFile {
  readonly node_id: string;
  readonly log_file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Largest body that Ray's dashboard takes (`DASHBOARD_CLIENT_MAX_SIZE`), bytes. */
export const LARGEST_UPLOAD = 100 * 2 ** 20;

/** A Ray head. */
export interface Head {
  readonly connection: Connection;
  /** Ray's version. @throws InputError for a server that is no Ray head */
  version(): Promise<string>;
  /** Uploads a working directory unless the head has it. */
  upload(name: string, zip: string): Promise<void>;
  /** @returns false where a job of that id is there already */
  submit(job: Submission): Promise<boolean>;
  /** @returns null for a job that the head does not know */
  job(id: string): Promise<HeadJob | null>;
  jobs(): Promise<readonly HeadJob[]>;
  /** @returns false where it had ended */
  stop(id: string): Promise<boolean>;
  /** All that the job has printed so far. */
  logs(id: string): Promise<string>;
  /** Fetches a file, whole and as it was, or throws. */
  download(file: HeadFile, target: string): Promise<void>;
}

export function openHead(connection: Connection, patience: Patience = PATIENCE): Head {
  const call = (request: HeadRequest) => ask(connection, request, patience);
  const at = (id: string) => `/api/jobs/${encodeURIComponent(id)}`;
  const job: Head["job"] = async (id) => {
    const answer = await call({ method: "GET", path: at(id) });
    return answer.status === 404 ? null : parse(jobSchema, sound(connection, answer));
  };
  return {
    connection,
    job,
    version: async () =>
      parse(versionSchema, sound(connection, await call({ method: "GET", path: "/api/version" }))).ray_version,
    upload: async (name, file) => {
      const path = `/api/packages/gcs/${encodeURIComponent(name)}`;
      const there = await call({ method: "GET", path });
      if (there.status !== 200) sound(connection, await call({ method: "PUT", path, file }));
    },
    submit: async (submission) => {
      if ((await job(submission.submission_id)) !== null) return false;
      const answer = await call({ method: "POST", path: "/api/jobs/", json: submission });
      // A first try whose answer was lost has started it: the second finds it there.
      if (answer.status !== 200 && (await job(submission.submission_id)) !== null) return true;
      sound(connection, answer);
      return true;
    },
    jobs: async () => parse(z.array(jobSchema), sound(connection, await call({ method: "GET", path: "/api/jobs/" }))),
    stop: async (id) =>
      parse(stopSchema, sound(connection, await call({ method: "POST", path: `${at(id)}/stop` }))).stopped,
    logs: async (id) =>
      parse(z.object({ logs: z.string() }), sound(connection, await call({ method: "GET", path: `${at(id)}/logs` })))
        .logs,
    download: (file, target) => download(connection, { file, target, patience }),
  };
}

/** @throws InputError for an answer that is no success, with what the head says of it */
function sound({ address }: Connection, { status, text }: HeadAnswer): string {
  if (status === 200) return text;
  const said = lastLine(text);
  const remedy =
    status === 404
      ? "is that the address of Ray's dashboard (port 8265)?"
      : status === 413
        ? `the head takes at most ${LARGEST_UPLOAD / 2 ** 20} MiB`
        : "see the head's logs";
  throw new InputError(`${address}: expected success, got status ${status}${said && `: ${said}`}; ${remedy}`);
}

/** Of a Python trace the last line says what happened. */
export const lastLine = (text: string): string =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("<"))
    .at(-1)
    ?.slice(0, 500) ?? "";

function parse<S extends z.ZodType>(schema: S, text: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InputError(
    `--address: expected the answer of a Ray head, got ${JSON.stringify(text.slice(0, 80))}; is that the address of Ray's dashboard (port 8265)?`,
  );
}

interface Download {
  readonly file: HeadFile;
  readonly target: string;
  readonly patience: Patience;
}

/** The bytes come as the job's log would; a connection that breaks is tried again from the beginning. */
async function download(connection: Connection, { file, target, patience }: Download): Promise<void> {
  const { node_id, log_file, bytes, sha256 } = file;
  const query = new URLSearchParams({ node_id, filename: log_file, lines: "-1", timeout: "86400" });
  await mkdir(dirname(target), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    const hash = createHash("sha256");
    try {
      const path = `/api/v0/logs/file?${query.toString()}`;
      const answer = await send(connection, { method: "GET", path }, patience.silenceMs);
      await pipeline(answer, hashing(hash), createWriteStream(target));
    } catch (error) {
      if (attempt >= patience.tries) throw error;
      continue;
    }
    const found = { bytes: (await stat(target)).size, sha256: hash.digest("hex") };
    if (found.bytes === bytes && found.sha256 === sha256) return;
    await rm(target, { force: true });
    if (attempt < patience.tries) continue;
    throw new InputError(
      `${log_file}: expected ${bytes} bytes as the job wrote them, got ${found.bytes} others from the head; is its disk full?`,
    );
  }
}

const hashing = (hash: Hash): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
