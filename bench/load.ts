// In: a server's address and texts with their scores. Out: what clients that ask for them see: rate, times, wrong scores, refusals.
import autocannon from "autocannon";
import type { ScoreItem } from "../lib/scoring/score";
import { median } from "./compare";

export interface Expected {
  readonly items: readonly ScoreItem[];
  readonly scores: ArrayLike<number>;
  /** Largest difference that is no wrong score. */
  readonly tolerance: number;
}

export interface Seen {
  readonly seconds: number;
  readonly served: number;
  readonly perSecond: number;
  readonly wrong: number;
  /** Answers by status; 0 stands for no answer. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Of the requests that were served, ms. */
  readonly p50: number;
  readonly p99: number;
  /** Slowest answer of /health meanwhile, ms. */
  readonly health: number;
}

const HEALTH_MS = 100;
const headers = { "content-type": "application/json" };

/** Gathers answers. */
class Tally {
  private readonly times: number[] = [];
  private readonly statuses: Record<string, number> = {};
  private wrong = 0;

  constructor(private readonly expected: Expected) {}

  add(item: number, status: number, body: string, ms: number): void {
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    if (status !== 200) return;
    this.times.push(ms);
    const { score } = JSON.parse(body) as { score: number };
    if (!(Math.abs(score - this.expected.scores[item]) <= this.expected.tolerance)) this.wrong++;
  }

  seen(seconds: number, health: number): Seen {
    const sorted = this.times.sort((a, b) => a - b);
    return {
      seconds,
      served: sorted.length,
      perSecond: sorted.length / seconds,
      wrong: this.wrong,
      statuses: this.statuses,
      p50: sorted.length > 0 ? median(sorted) : 0,
      p99: sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))] ?? 0,
      health,
    };
  }
}

/** Asks for /health all the while. @returns a function that stops and tells the slowest answer, ms */
function watchHealth(url: string): () => Promise<number> {
  let slowest = 0;
  let over = false;
  const watching = (async () => {
    while (!over) {
      const started = performance.now();
      await fetch(`${url}/health`).then((response) => response.text());
      slowest = Math.max(slowest, performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, HEALTH_MS));
    }
  })();
  return async () => {
    over = true;
    await watching;
    return slowest;
  };
}

/** Clients that each send the next text as soon as they have the answer to the one before. */
export async function closedLoad(url: string, expected: Expected, connections: number, seconds: number): Promise<Seen> {
  const tally = new Tally(expected);
  const { items } = expected;
  let client = 0;
  const stopHealth = watchHealth(url);
  const started = performance.now();
  await autocannon({
    url: `${url}/score`,
    connections,
    duration: seconds,
    timeout: 120,
    setupClient: (one) => {
      // every client begins elsewhere: no two ask for one text at a time
      const first = Math.floor((client++ * items.length) / connections);
      let next = first;
      let sent = 0;
      const bodyOf = (i: number) => JSON.stringify({ prompt: items[i].prompt, response: items[i].response });
      const request = { method: "POST" as const, path: "/score", headers, body: bodyOf(next) };
      one.setRequests([
        {
          ...request,
          setupRequest: (asked) => {
            sent = performance.now();
            return { ...asked, body: bodyOf(next) };
          },
          onResponse: (status, body) => {
            tally.add(next, status, body, performance.now() - sent);
            next = (next + 1) % items.length;
          },
        },
      ]);
    },
  });
  return tally.seen((performance.now() - started) / 1000, await stopHealth());
}

/** Requests at a fixed rate, whether or not the ones before are answered. */
export async function openLoad(url: string, expected: Expected, perSecond: number, seconds: number): Promise<Seen> {
  const tally = new Tally(expected);
  const stopHealth = watchHealth(url);
  const started = performance.now();
  const open: Promise<void>[] = [];
  const one = async (item: number) => {
    const sent = performance.now();
    const { prompt, response } = expected.items[item];
    try {
      const answer = await fetch(`${url}/score`, {
        method: "POST",
        headers,
        body: JSON.stringify({ prompt, response }),
      });
      const body = await answer.text();
      tally.add(item, answer.status, body, performance.now() - sent);
    } catch {
      tally.add(item, 0, "", 0);
    }
  };
  for (let sent = 0; sent < perSecond * seconds; sent++) {
    const due = started + (1000 * sent) / perSecond;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    open.push(one(sent % expected.items.length));
  }
  await Promise.all(open);
  return tally.seen((performance.now() - started) / 1000, await stopHealth());
}
