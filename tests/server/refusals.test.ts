// What the server refuses: how, in whose words, and that nothing of it reaches the model or the log raw.
import { request } from "node:http";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../lib/files/safetensors";
import type { RunningServer } from "../../server/serve";
import { readServerSettings } from "../../server/settings";
import { openWorkplace, post } from "./served";

const work = openWorkplace();
let dir: string;
let server: RunningServer;
beforeAll(async () => {
  dir = await work.checkpoint("tiny");
  server = await work.serve(dir, { max_items: 4, max_body_bytes: 20_000, max_request_tokens: 60 });
});
afterAll(() => work.close());

/** A request as no well-meaning client makes it. */
const raw = (url: string, headers: Record<string, string>, method = "GET"): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    request(url, { method, headers }, (response) => {
      let body = "";
      response.on("data", (piece) => (body += piece)).on("end", () => resolve({ status: response.statusCode!, body }));
    })
      .on("error", reject)
      .end();
  });

describe("a field at fault: 422 with its path", () => {
  test.each([
    [{ prompt: "a", response: 3 }, "response"],
    [{ prompt: "a", response: null }, "response"],
    [{ prompt: "a", responses: ["b", true] }, "responses[1]"],
    [{ prompt: "a", responses: "b" }, "responses"],
    [{ pairs: [{ prompt: "a", chosen: "b" }] }, "pairs[0].rejected"],
    [{ prompt: "a", response: "b", extra: 1 }, "extra"],
    [
      {
        messages: [
          { role: "user", content: "a" },
          { role: "user", content: "b" },
        ],
      },
      "messages[1].role",
    ],
    [{ messages: [{ role: "user", content: "a" }, { role: "assistant" }] }, "messages[1].content"],
    [
      {
        messages: [
          { role: "wizard", content: "a" },
          { role: "assistant", content: "b" },
        ],
      },
      "messages[0].role",
    ],
  ])("%j", async (body, field) => {
    expect(await post(`${server.url}/score`, body)).toMatchObject({
      status: 422,
      body: { error: { code: "validation", field } },
    });
  });

  test("numbers are not made of strings, nor strings of numbers", async () => {
    expect((await post(`${server.url}/v1/rerank`, { query: "a", documents: ["b"], top_n: "1" })).status).toBe(422);
    expect((await post(`${server.url}/predict`, { inputs: "a", raw_scores: "true" })).status).toBe(422);
  });
});

test("of several shapes the one that the request comes closest to is told", async () => {
  const error = async (path: string, body: object) => (await post(server.url + path, body)).body.error;
  expect((await error("/score", {})).message).toBe(
    "body: expected prompt and response, or prompt and responses, or pairs, or messages, got no field",
  );
  expect((await error("/v1/score", { queries: "a", documents: ["1", "2", "3", "4", "5"] })).param).toBe("documents");
  expect((await error("/v1/score", { queries: "a", documents: [1] })).param).toBe("documents[0]");
  expect(await error("/predict", { inputs: Array(5).fill(["a"]) })).toBe("inputs: expected array to have <=4 items");
  const tooFew = await error("/v1/score", { text_1: "a", text_2: "b", truncate_prompt_tokens: 1 });
  expect(tooFew).toMatchObject({ param: "truncate_prompt_tokens", message: expect.stringContaining("special tokens") });
});

describe("what would change the score and is not read is refused, and what is of no account is not", () => {
  const turns = (message: object) => [
    { role: "user", content: "a", ...message },
    { role: "assistant", content: "b" },
  ];
  const call = [{ type: "function", function: { name: "f", arguments: "{}" } }];
  test.each([
    ["/classify", { messages: turns({ tool_calls: call }) }, "messages[0].tool_calls"],
    [
      "/classify",
      { messages: turns({ content: [{ type: "image_url", image_url: "u" }] }) },
      "messages[0].content[0].type",
    ],
    ["/classify", { messages: turns({}), tools: call }, "tools"],
    ["/classify", { messages: turns({}), chat_template: "{{ messages }}" }, "chat_template"],
    ["/classify", { input: "a", add_special_tokens: false }, "add_special_tokens"],
    ["/v1/score", { text_1: "a", text_2: "b", activation: false }, "activation"],
    ["/v1/score", { text_1: "a", text_2: "b", instruction: "be brief" }, "instruction"],
    ["/v1/rerank", { query: "a", documents: [{ text: "b", image: "c.png" }] }, "documents[0].image"],
    ["/v1/rerank", { query: "a", documents: ["b"], max_tokens_per_doc: 3 }, "max_tokens_per_doc"],
  ])("%s %j", async (path, body, param) => {
    expect(await post(server.url + path, body)).toMatchObject({ status: 422, body: { error: { param } } });
  });

  test("neutral values, and fields of the dialects that no score depends on", async () => {
    const harmless = { user: "u", priority: 1, encoding_format: "float", tools: [], chat_template: null };
    const body = { model: "m", input: "a", add_special_tokens: true, activation: true, ...harmless };
    expect((await post(`${server.url}/classify`, body)).status).toBe(200);
    const documents = [{ text: "b", title: "t", id: 3 }];
    expect((await post(`${server.url}/v1/rerank`, { query: "a", documents, return_documents: true })).status).toBe(200);
  });
});

test.each([
  ["{", "malformed"],
  ["", "malformed"],
  ['{"prompt":"a","prompt":"b","response":"c"}', "malformed"],
  ["[1]", "validation"],
  ['{"__proto__":{"response":"x"},"prompt":"a"}', "validation"],
])("not a request: %s", async (body, code) => {
  const answer = await post(`${server.url}/score`, body);
  expect(answer.status).toBeLessThan(500);
  expect(answer.body.error.code).toBe(code);
});

test("too much: 413 for bytes, texts and tokens", async () => {
  const { url } = server;
  expect((await post(`${url}/score`, { prompt: "a", response: "x".repeat(20_000) })).status).toBe(413);
  expect((await post(`${url}/score`, { prompt: "a", responses: ["1", "2", "3", "4", "5"] })).status).toBe(413);
  const long = Array.from({ length: 4 }, (_, i) => `${i} b c d e f g h i j k l m n o p q r s t u v`);
  expect(await post(`${url}/score`, { prompt: "a", responses: long })).toMatchObject({
    status: 413,
    body: { error: { code: "too_large" } },
  });
});

test("a text longer than a batch is refused, and the others of its time are not", async () => {
  const { url } = await work.serve(dir, { max_batch_tokens: 12 });
  const [long, short] = await Promise.all([
    post(`${url}/score`, { prompt: "a", responses: ["b", "a b c d e f g h i j k l m n o p q r s"] }),
    post(`${url}/score`, { prompt: "a", response: "b" }),
  ]);
  expect(long).toMatchObject({
    status: 413,
    body: { error: { field: "responses[1]", message: expect.stringContaining("12 tokens of a batch") } },
  });
  expect(short.status).toBe(200);
});

test("another method, path or media type", async () => {
  const wrong = await fetch(`${server.url}/score`, { method: "DELETE" });
  expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404);
  expect(
    (await post(`${server.url}/score`, { prompt: "a", response: "b" }, { "content-type": "text/plain" })).status,
  ).toBe(415);
  expect((await fetch(`${server.url}/%2e%2e/package.json`)).status).toBe(404);
  const packed = { "content-encoding": "gzip" };
  expect(await post(`${server.url}/score`, { prompt: "a", response: "b" }, packed)).toMatchObject({
    status: 415,
    body: { error: { message: expect.stringContaining("Content-Encoding") } },
  });
  const noAddress = await raw(`${server.url}/%ff`, {});
  expect([noAddress.status, JSON.parse(noAddress.body).error.code]).toEqual([400, "malformed"]);
});

test("without a key only this machine is let in, and no other site's page", async () => {
  expect((await raw(`${server.url}/info`, { host: "attacker.example" })).status).toBe(403);
  expect((await raw(`${server.url}/reload`, { origin: "http://attacker.example" }, "POST")).status).toBe(403);
  expect((await raw(`${server.url}/reload`, { "sec-fetch-site": "cross-site" }, "POST")).status).toBe(403);
});

test("with a key: 401 without it, in each dialect's words; health and page are open", async () => {
  const { url } = await work.serve(dir, {}, "a secret");
  const ask = { prompt: "a", response: "b" };
  const refused = await post(`${url}/score`, ask);
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
  expect((await post(`${url}/score`, ask, { authorization: "Bearer a secre" })).status).toBe(401);
  expect((await post(`${url}/v1/score`, {})).body).toMatchObject({ error: { type: "AuthenticationError", code: 401 } });
  expect((await post(`${url}/get_reward`, {})).body).toEqual({ detail: expect.any(String) });
  for (const path of ["/metrics", "/info"]) expect((await fetch(`${url}${path}`)).status).toBe(401);
  for (const path of ["/", "/health", "/docs", "/openapi.json"])
    expect((await fetch(`${url}${path}`)).status).toBe(200);
});

test("an open address needs a key; a flag out of range is named", () => {
  expect(() => readServerSettings(dir, { host: "0.0.0.0" }, {})).toThrow(/RB_API_KEY/);
  expect(readServerSettings(dir, { host: "0.0.0.0" }, { RB_API_KEY: "k" }).host).toBe("0.0.0.0");
  expect(() => readServerSettings(dir, { port: 70000 }, {})).toThrow(/^serve: port: /);
});

test("a model that gives no number: 500, 424 for TEI, and never a score", async () => {
  const broken = await work.checkpoint("overflow");
  const file = join(broken, "model.safetensors");
  const tensors = [...(await readSafetensors(broken))].map(
    ([name, { shape, data }]) =>
      [name, { shape, data: name === "classifier.weight" ? data.map((x) => Math.sign(x) * 3e38) : data }] as const,
  );
  await writeSafetensors(file, tensors);
  const { url } = await work.serve(broken);
  const answer = await post(`${url}/score`, { prompt: "a", response: "b" });
  expect(answer).toMatchObject({ status: 500, body: { error: { code: "not_finite", field: "response" } } });
  expect(answer.body).not.toHaveProperty("score");
  expect(await post(`${url}/predict`, { inputs: "a" })).toMatchObject({ status: 424, body: { error_type: "Backend" } });
});

test("a damaged checkpoint is not served", async () => {
  const damaged = await work.checkpoint("damaged");
  const file = join(damaged, "model.safetensors");
  writeFileSync(file, readFileSync(file).subarray(0, 500));
  await expect(work.serve(damaged)).rejects.toThrow(/model\.safetensors/);
});

describe("hostile texts are texts", () => {
  const HOSTILE = [
    "<script>alert(1)</script>",
    "\u001b[2J\u001b]0;owned\u0007",
    "\u202Egnp.exe\u2066",
    "a\u0000b",
    "\ud800 lone \udfff",
    "x".repeat(9000),
    "[CLS] [SEP] [PAD] <|endoftext|> </s>",
    "__proto__",
    "../../etc/passwd",
    "{prompt}{response}{{7*7}}",
  ];
  test.each(HOSTILE.map((text) => [JSON.stringify(text).slice(0, 40), text]))("%s", async (_, text) => {
    const before = work.log.length;
    const { status, body } = await post(`${server.url}/score`, { prompt: text, response: text });
    expect(status).toBe(200);
    expect(Number.isFinite(body.score)).toBe(true);
    const whole = await post(`${server.url}/get_reward`, { query: text });
    expect(whole.status).toBe(200);
    expect(work.log.length).toBe(before);
  });

  test("errors quote them as JSON alone", async () => {
    const response = await fetch(`${server.url}/score`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        messages: [
          { role: "user", content: "a" },
          { role: "<b>\u001b[31m", content: "b" },
        ],
      }),
    });
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    const text = await response.text();
    expect([...text].every((character) => character >= " ")).toBe(true);
  });
});
