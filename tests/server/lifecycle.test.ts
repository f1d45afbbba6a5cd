// Overload, clients that go, a swap of the checkpoint, a crash, the end: no request is lost and none gets another's number.
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import { openWorkplace, post } from "./served";

const work = openWorkplace();
let dir: string;
beforeAll(async () => {
  dir = await work.checkpoint("tiny");
});
afterAll(() => work.close());

const ASK = { prompt: "the cat", response: "sat" };
const metric = async (url: string, name: string): Promise<number> =>
  Number(new RegExp(`^${name} (.*)$`, "m").exec(await (await fetch(`${url}/metrics`)).text())![1]);
const until = async (holds: () => Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
};

test("a full queue: 429 with Retry-After, in the dialect's words; what is in it is served", async () => {
  const { url } = await work.serve(dir, { max_queue_items: 3, batch_wait_ms: 1500 });
  const first = post(`${url}/score`, { prompt: "a", responses: ["b", "c"] });
  await until(async () => (await metric(url, "rewardbook_queue_texts")) === 2);
  const refused = await post(`${url}/rerank`, { query: "a", texts: ["b", "c"] });
  expect(refused).toMatchObject({ status: 429, body: { error_type: "Overloaded" } });
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  const fits = post(`${url}/score`, ASK);
  expect((await first).status).toBe(200);
  expect((await fits).status).toBe(200);
  expect(await metric(url, "rewardbook_queue_texts")).toBe(0);
});

test("work of a client that has gone is dropped, and its place is free", async () => {
  const { url } = await work.serve(dir, { batch_wait_ms: 1500 });
  const gone = new AbortController();
  const request = fetch(`${url}/score`, {
    method: "POST",
    body: JSON.stringify(ASK),
    headers: { "content-type": "application/json" },
    signal: gone.signal,
  });
  await until(async () => (await metric(url, "rewardbook_queue_texts")) === 1);
  gone.abort();
  await expect(request).rejects.toThrow();
  await until(async () => (await metric(url, "rewardbook_queue_texts")) === 0);
  expect(await metric(url, "rewardbook_dropped_requests_total")).toBe(1);
  expect((await post(`${url}/score`, { prompt: "a", response: "b" })).status).toBe(200);
  expect(await metric(url, "rewardbook_texts_total")).toBe(1);
});

test("a request that takes too long: 503", async () => {
  const { url } = await work.serve(dir, { batch_wait_ms: 5000, request_seconds: 0.2 });
  expect(await post(`${url}/score`, ASK)).toMatchObject({ status: 503, body: { error: { code: "timeout" } } });
});

test("a swap under load: every request gets the old model's number or the new one's, then the new one's", async () => {
  const place = await work.checkpoint("swapped");
  const server = await work.serve(place);
  const ask = async () => (await post(`${server.url}/score`, ASK)).body.score as number;
  const before = await ask();
  const tensors = [...(await readSafetensors(place))].map(
    ([name, { shape, data }]) =>
      [name, { shape, data: name === "classifier.bias" ? data.map((x) => x + 1) : data }] as const,
  );
  await writeSafetensors(join(place, "model.safetensors"), tensors);
  let swapped = false;
  const asking = (async () => {
    const scores: number[] = [];
    while (!swapped) scores.push(...(await Promise.all([ask(), ask(), ask()])));
    return scores;
  })();
  const answer = await post(`${server.url}/reload`, {});
  swapped = true;
  expect(answer.status).toBe(200);
  expect(answer.body.previous.digest).not.toBe(answer.body.model.digest);
  const scores = await asking;
  expect(scores.every((score) => Math.abs(score - before) < 1e-5 || Math.abs(score - before - 1) < 1e-5)).toBe(true);
  expect(await ask()).toBeCloseTo(before + 1, 5);

  writeFileSync(join(place, "model.safetensors"), "not a model");
  expect(await post(`${server.url}/reload`, {})).toMatchObject({
    status: 500,
    body: { error: { message: expect.stringContaining("model.safetensors") } },
  });
  expect(await ask()).toBeCloseTo(before + 1, 5);
});

/** Processes whose parent is this one. */
const children = (): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) === process.pid;
      } catch {
        return false; // ended meanwhile
      }
    })
    .map(Number);

test("the scoring process dies: 503 for what it had, and it comes back", async () => {
  const before = new Set(children());
  const { url } = await work.serve(dir, { batch_wait_ms: 3000 });
  const [pid] = children().filter((one) => !before.has(one));
  const request = post(`${url}/score`, ASK);
  await until(async () => (await metric(url, "rewardbook_queue_texts")) === 1);
  process.kill(pid, "SIGKILL");
  const answer = await request;
  expect(answer).toMatchObject({ status: 503, body: { error: { code: "unavailable" } } });
  expect(answer.headers.get("retry-after")).not.toBeNull();
  await until(async () => (await fetch(`${url}/health`)).ok);
  expect((await post(`${url}/score`, ASK)).status).toBe(200);
  expect(await metric(url, "rewardbook_restarts_total")).toBe(1);
});

test("the end: requests in flight are answered, new ones are not taken", async () => {
  const copy = await work.checkpoint("ending");
  copyFileSync(join(dir, "rewardbook.json"), join(copy, "rewardbook.json"));
  const server = await work.serve(copy, { batch_wait_ms: 1000 });
  const request = post(`${server.url}/score`, ASK);
  await until(async () => (await metric(server.url, "rewardbook_queue_texts")) === 1);
  const closed = server.close();
  expect((await request).status).toBe(200);
  await closed;
  await expect(fetch(`${server.url}/health`)).rejects.toThrow();
});
