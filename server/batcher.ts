// In: jobs as they arrive. Out: their scores; texts of all jobs share graph runs, filled by tokens after a short wait.
import { textHash } from "../lib/batching/tokenStore";
import { yieldToEvents } from "../lib/interrupt";
import type { Encoded } from "../lib/text/tokenizer";
import type { TextRuns } from "../lib/scoring/textRuns";
import type { BatchReport, FromScoring, ItemScore, Job, JobFault } from "./messages";

export interface BatcherOptions {
  /** Token ids of a job's texts; throws what is wrong with one of them. */
  encode(job: Job): Promise<readonly Encoded[]>;
  readonly runs: Pick<TextRuns, "run" | "count">;
  /** Tokens of one graph run. */
  readonly maxBatchTokens: number;
  readonly maxRequestTokens: number;
  readonly batchWaitMs: number;
  send(message: FromScoring): void;
}

export interface Batcher {
  add(job: Job): void;
  /** Forgets a job: its texts that no graph has seen yet are never computed. */
  cancel(id: number): void;
}

interface OpenJob {
  readonly id: number;
  readonly scores: ItemScore[];
  left: number;
}

interface WaitingText {
  readonly job: OpenJob;
  readonly item: number;
  readonly encoded: Encoded;
  readonly since: number;
}

/** Turns of the event loop given to messages before each batch: what has arrived is read, whoever has gone is heard. */
const TURNS = 3;
/** Longest graph run, seconds, where the texts allow it: whoever comes just behind its start waits for its end. */
const RUN_SECONDS = 0.3;
/** Fewest tokens of a full run: smaller ones cost more a token. */
const LEAST_TOKENS = 512;
/** Share of the newest run in the measured speed. */
const NEW = 0.3;

export function createBatcher(options: BatcherOptions): Batcher {
  const { send, runs } = options;
  const arrived: Job[] = [];
  const open = new Map<number, OpenJob>();
  let waiting: WaitingText[] = [];
  let working = false;
  let speed = Infinity; // tokens a second, until the first run tells

  /** Tokens of a full run: a power-of-two part of the most, so that the shapes of runs stay few. */
  const fullRun = (): number => {
    let tokens = options.maxBatchTokens;
    while (tokens / 2 >= LEAST_TOKENS && tokens > RUN_SECONDS * speed) tokens /= 2;
    return tokens;
  };

  const refuse = (id: number, fault: JobFault) => {
    if (open.delete(id)) send({ type: "refused", id, fault });
  };

  async function encodeArrived(): Promise<void> {
    for (let job = arrived.shift(); job !== undefined; job = arrived.shift()) {
      if (!open.has(job.id)) continue;
      const { id } = job;
      try {
        const encoded = await options.encode(job);
        const fault = faultOf(job, encoded, options);
        if (fault) refuse(id, fault);
        const state = open.get(id);
        if (!state) continue; // refused, or its client went meanwhile
        const since = performance.now();
        encoded.forEach((text, item) => waiting.push({ job: state, item, encoded: text, since }));
      } catch (error) {
        refuse(id, { kind: "text", message: (error as Error).message });
      }
    }
  }

  /** The texts that waited longest, as many as fit into one graph run. */
  function take(): WaitingText[] {
    waiting = waiting.filter(({ job }) => open.has(job.id));
    const most = fullRun();
    let tokens = 0;
    let count = 0;
    while (count < waiting.length && (tokens += waiting[count].encoded.ids.length) <= most) count++;
    const lengths = waiting.slice(0, count).map(({ encoded }) => encoded.ids.length);
    while (lengths.length > 1 && runs.count(lengths) > 1) lengths.pop();
    return waiting.splice(0, Math.max(1, lengths.length));
  }

  async function compute(batch: readonly WaitingText[]): Promise<void> {
    const { places, texts } = different(batch);
    const started = performance.now();
    const rewards = new Map<number, number>();
    const rows = { length: (i: number) => texts[i].length, ids: (i: number) => texts[i] };
    try {
      for (const _ of runs.run(rows, [...texts.keys()], (text, [reward]) => rewards.set(text, reward)))
        await yieldToEvents();
      batch.forEach((text, i) => settle(text, rewards.get(places[i])!));
    } catch (error) {
      for (const { job } of batch) refuse(job.id, { kind: "engine", message: (error as Error).message });
    }
    const tokens = texts.reduce((sum, ids) => sum + ids.length, 0);
    const ms = performance.now() - started;
    if (ms > 0 && tokens >= LEAST_TOKENS / 2) {
      const measured = (1000 * tokens) / ms;
      speed = speed === Infinity ? measured : speed + NEW * (measured - speed);
    }
    send({ type: "batch", batch: report(texts.length, tokens, ms) });
  }

  const report = (texts: number, tokens: number, ms: number): BatchReport => ({
    texts,
    tokens,
    ms,
    waiting: waiting.length,
    memory: process.memoryUsage.rss(),
  });

  function settle({ job, item, encoded }: WaitingText, score: number): void {
    if (!open.has(job.id)) return;
    if (!Number.isFinite(score))
      return refuse(job.id, { kind: "not_finite", item, message: `the model gave ${score} instead of a score` });
    job.scores[item] = { score, tokens: encoded.ids.length, cut: encoded.cut };
    if (--job.left > 0) return;
    open.delete(job.id);
    send({ type: "scored", id: job.id, scores: job.scores });
  }

  async function work(): Promise<void> {
    working = true;
    while (arrived.length > 0 || waiting.length > 0) {
      for (let turn = 0; turn < TURNS; turn++) await yieldToEvents();
      await encodeArrived();
      const tokens = waiting.reduce((sum, { encoded }) => sum + encoded.ids.length, 0);
      const left = waiting.length > 0 ? options.batchWaitMs - (performance.now() - waiting[0].since) : 0;
      if (tokens < fullRun() && left > 0) {
        await new Promise((resolve) => setTimeout(resolve, left));
        continue;
      }
      const batch = take();
      if (batch.length > 0) await compute(batch);
    }
    working = false;
  }

  return {
    add: (job) => {
      open.set(job.id, { id: job.id, scores: [], left: job.items.length });
      arrived.push(job);
      if (!working) void work();
    },
    cancel: (id) => void open.delete(id),
  };
}

/** What of a job cannot be computed, before any of it is. */
function faultOf(job: Job, encoded: readonly Encoded[], options: BatcherOptions): JobFault | null {
  const { maxBatchTokens, maxRequestTokens } = options;
  const long = job.refuseLong ? encoded.findIndex(({ cut }) => cut > 0) : -1;
  if (long >= 0) {
    const { ids, cut } = encoded[long];
    return { kind: "too_long", item: long, message: `expected at most ${ids.length} tokens, got ${ids.length + cut}` };
  }
  const large = encoded.findIndex(({ ids }) => ids.length > maxBatchTokens);
  if (large >= 0)
    return {
      kind: "too_large",
      item: large,
      message: `expected at most the ${maxBatchTokens} tokens of a batch, got ${encoded[large].ids.length}`,
    };
  const total = encoded.reduce((sum, { ids }) => sum + ids.length, 0);
  if (total <= maxRequestTokens) return null;
  return { kind: "too_large", message: `expected at most ${maxRequestTokens} tokens in a request, got ${total}` };
}

/** Equal texts once. @returns for each text of the batch its place among the different ones */
function different(batch: readonly WaitingText[]): { places: number[]; texts: Uint32Array[] } {
  const known = new Map<string, number>();
  const texts: Uint32Array[] = [];
  const places = batch.map(({ encoded: { ids } }) => {
    const hash = textHash(ids);
    if (!known.has(hash)) known.set(hash, texts.push(ids) - 1);
    return known.get(hash)!;
  });
  return { places, texts };
}
