// The queue by itself, with a model that adds up token ids.
import { expect, test, vi } from "vitest";
import { createBatcher, type BatcherOptions } from "../../server/batcher";
import type { FromScoring, Job } from "../../server/messages";

interface Run {
  readonly texts: number;
  readonly tokens: number;
}

/** Texts are lists of numbers; the score is their sum. */
function open(changes: Partial<BatcherOptions> = {}) {
  const sent: FromScoring[] = [];
  const runs: Run[] = [];
  const heard: (() => void)[] = [];
  const batcher = createBatcher({
    encode: async ({ items }) =>
      items.map((item) => {
        if (!("whole" in item) || item.whole === "bad") throw new Error("not a list of numbers");
        return { ids: Uint32Array.from(item.whole.split(" ").map(Number)), cut: 0, unread: 0 };
      }),
    runs: {
      count: (lengths) => Math.ceil(lengths.reduce((a, b) => a + b, 0) / 8),
      run: function* (rows, texts, put) {
        runs.push({ texts: texts.length, tokens: texts.reduce((sum, text) => sum + rows.length(text), 0) });
        for (const text of texts) put(text, Float32Array.of(rows.ids(text).reduce((a, b) => a + b, 0)));
        yield texts.length;
      },
    },
    maxBatchTokens: 8,
    maxRequestTokens: 100,
    batchWaitMs: 0,
    send: (message) => {
      sent.push(message);
      heard.splice(0).forEach((wake) => wake());
    },
    ...changes,
  });
  const job = (id: number, ...texts: string[]): Job => ({
    id,
    items: texts.map((whole) => ({ whole })),
    refuseLong: false,
  });
  /** What was said of the jobs, once all are settled. */
  const outcome = async (jobs: number) => {
    const settled = () => sent.filter(({ type }) => type === "scored" || type === "refused");
    while (settled().length < jobs) await new Promise<void>((resolve) => heard.push(resolve));
    return new Map<number, string | number[]>(
      settled().map((message) =>
        message.type === "scored"
          ? [message.id, message.scores.map(({ score }) => score)]
          : message.type === "refused"
            ? [message.id, message.fault.kind]
            : [-1, ""],
      ),
    );
  };
  return { batcher, job, outcome, runs, sent };
}

test("texts of several jobs share runs, filled by tokens in the order they came; equal texts are computed once", async () => {
  const { batcher, job, outcome, runs } = open();
  batcher.add(job(1, "1 2 3", "4 5 6"));
  batcher.add(job(2, "7 8"));
  batcher.add(job(3, "1 2 3", "9"));
  expect(await outcome(3)).toEqual(
    new Map<number, unknown>([
      [1, [6, 15]],
      [2, [15]],
      [3, [6, 9]],
    ]),
  );
  expect(runs).toEqual([
    { texts: 3, tokens: 8 },
    { texts: 2, tokens: 4 },
  ]);
});

test("one job at fault does not fail the others", async () => {
  const { batcher, job, outcome } = open();
  batcher.add(job(1, "bad"));
  batcher.add(job(2, "1 2 3 4 5 6 7 8 9"));
  batcher.add(job(3, "1"));
  expect(await outcome(3)).toEqual(
    new Map<number, unknown>([
      [1, "text"],
      [2, "too_large"],
      [3, [1]],
    ]),
  );
});

test("a run that fails fails its jobs alone; a score that is no number is a fault", async () => {
  let first = true;
  const { batcher, job, outcome } = open({
    runs: {
      count: () => 1,
      run: function* (rows, texts, put) {
        if (first) {
          first = false;
          throw new Error("out of memory");
        }
        for (const text of texts) put(text, Float32Array.of(rows.ids(text)[0] === 0 ? NaN : 1));
        yield texts.length;
      },
    },
  });
  batcher.add(job(1, "1"));
  await outcome(1);
  batcher.add(job(2, "5", "0"));
  batcher.add(job(3, "7"));
  expect(await outcome(3)).toEqual(
    new Map<number, unknown>([
      [1, "engine"],
      [2, "not_finite"],
      [3, [1]],
    ]),
  );
});

test("what is cancelled before its run is not computed", async () => {
  const { batcher, job, outcome, runs, sent } = open();
  batcher.add(job(1, "1 2 3 4 5 6 7 8"));
  batcher.add(job(2, "2"));
  batcher.add(job(3, "3"));
  batcher.cancel(2);
  await outcome(2);
  expect(runs).toEqual([
    { texts: 1, tokens: 8 },
    { texts: 1, tokens: 1 },
  ]);
  expect(sent.some((message) => "id" in message && message.id === 2)).toBe(false);
});

test("where full runs take too long they get smaller, so that nobody waits behind a long one", async () => {
  let clock = 0;
  const now = vi.spyOn(performance, "now").mockImplementation(() => clock);
  const tokensOf: number[] = [];
  const { batcher, job, outcome } = open({
    maxBatchTokens: 2048,
    maxRequestTokens: 8192,
    runs: {
      count: () => 1,
      run: function* (rows, texts, put) {
        const tokens = texts.reduce((sum, text) => sum + rows.length(text), 0);
        tokensOf.push(tokens);
        clock += tokens; // 1000 tokens a second
        for (const text of texts) put(text, Float32Array.of(1));
        yield texts.length;
      },
    },
  });
  // 32 different texts of 128 tokens: a full run of 2 s first, then the smallest runs, since 0.3 s are 300 tokens
  batcher.add(job(1, ...Array.from({ length: 32 }, (_, i) => Array(128).fill(i).join(" "))));
  await outcome(1);
  now.mockRestore();
  expect(tokensOf).toEqual([2048, 512, 512, 512, 512]);
});
