// In: a job's id. Out: every line it prints, each once, until it ends; a connection that is lost is taken up again.
import { setTimeout as wait } from "node:timers/promises";
import type { WebSocket } from "ws";
import { InputError } from "../lib/errors";
import type { Connection } from "./connection";
import type { Head, HeadJob } from "./head";

/** How a job ended. */
export type JobEnd = HeadJob & { readonly status: "STOPPED" | "SUCCEEDED" | "FAILED" };

export interface FollowOptions {
  readonly onLine: (line: string) => void;
  /** The job went on without us for a while, or goes on now. */
  readonly onMessage: (text: string) => void;
  /** Stops following; the job goes on. */
  readonly signal: AbortSignal;
  /** Wait before a lost connection is taken up again. */
  readonly waitMs?: number;
}

const ended = (job: HeadJob): job is JobEnd => !["PENDING", "RUNNING"].includes(job.status);

/**
 * Follows a job to its end.
 *
 * Ray's log begins anew with every connection: what was seen is passed over by its length.
 *
 * @throws InputError when the head has died or has forgotten the job; the signal's reason when that stops it
 */
export async function followJob(head: Head, id: string, options: FollowOptions): Promise<JobEnd> {
  const { onMessage, signal, waitMs = 1000 } = options;
  const lines = lineReader(options.onLine);
  for (;;) {
    const seen = lines.seen();
    const broken = await tail(head.connection, id, lines, signal);
    signal.throwIfAborted();
    const job = await head.job(id);
    if (job === null) {
      throw new InputError(
        `${head.connection.address}: expected job ${id}, got a head that does not know it: the cluster was started anew and its jobs are gone; give the same command with --resume`,
      );
    }
    if (ended(job)) {
      lines.catchUp(await head.logs(id)); // the connection of a job that ends at once may bring nothing
      lines.end();
      return job;
    }
    if (broken !== null)
      onMessage(`the connection to ${head.connection.address} was lost (${broken}); taking it up again`);
    if (broken !== null || lines.seen() === seen) await wait(waitMs, null, { signal });
  }
}

interface LineReader {
  /** Characters taken so far. */
  seen(): number;
  /** A new connection: what it sends first is known. */
  rewind(): void;
  push(text: string): void;
  /** The whole log. */
  catchUp(log: string): void;
  end(): void;
}

function lineReader(onLine: (line: string) => void): LineReader {
  let [seen, passed, rest] = [0, 0, ""];
  const push = (text: string) => {
    const known = Math.min(seen - passed, text.length);
    passed += text.length;
    const fresh = text.slice(known);
    seen += fresh.length;
    const lines = (rest + fresh).split("\n");
    rest = lines.pop()!;
    for (const line of lines) onLine(line.replace(/\r$/, ""));
  };
  const rewind = () => void (passed = 0);
  return {
    seen: () => seen,
    rewind,
    push,
    catchUp: (log) => {
      rewind();
      push(log);
    },
    end: () => {
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}

/** Longest silence of a head that pings: aiohttp and ws answer each other's pings by themselves. */
const PING_MS = 20_000;

/** One connection to the log. @returns null when the head closed it at the log's end, else what broke it */
async function tail(
  { address, headers, ca }: Connection,
  id: string,
  lines: LineReader,
  signal: AbortSignal,
): Promise<string | null> {
  const { WebSocket: Socket } = await import("ws");
  const url = `${address.replace(/^http/, "ws")}/api/jobs/${encodeURIComponent(id)}/logs/tail`;
  // The head passes our headers on to its agent, which would compress what the head then cannot read: the log came at the end.
  const plain = { perMessageDeflate: false, handshakeTimeout: PING_MS, maxPayload: 2 ** 28 };
  const socket: WebSocket = new Socket(url, { headers, ca, ...plain });
  lines.rewind();
  let alive = true;
  const pulse = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, PING_MS);
  const leave = () => socket.terminate();
  signal.addEventListener("abort", leave);
  let [broken, failure]: [string | null, unknown] = [null, null];
  try {
    await new Promise<void>((resolve) => {
      socket.on("pong", () => void (alive = true));
      socket.on("message", (data) => {
        alive = true;
        try {
          lines.push((data as Buffer).toString("utf8"));
        } catch (error) {
          failure ??= error; // of whoever reads the lines
          socket.terminate();
        }
      });
      socket.on("error", (error) => void (broken = error.message));
      socket.on("close", (code) => {
        if (code !== 1000) broken ??= `closed with code ${code}`;
        resolve();
      });
    });
  } finally {
    clearInterval(pulse);
    signal.removeEventListener("abort", leave);
  }
  if (failure !== null) throw failure as Error;
  return broken;
}
