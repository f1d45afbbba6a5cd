// Every door of the server gives the numbers of `scoreTexts`, whatever it is batched with, and says what was cut.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sigmoid } from "../../lib/ece";
import { initBackend } from "../../lib/engine/backend";
import { loadRewardModel } from "../../lib/checkpoints/checkpoint";
import { scoreTexts, type ScoreItem } from "../../lib/scoring/score";
import type { RunningServer } from "../../server/serve";
import { openWorkplace, post } from "./served";

const work = openWorkplace();
const PROMPT = "the cat";
const TEXTS = ["sat on the mat", "ran", "a b c d e f g h i j k l m n o p q r s t u v w x y z", ""];
let server: RunningServer;
let expected: readonly number[];
let wholeText: number;
let conversation: number;
/** The long text with its beginning cut off. */
let ending: number;
const MESSAGES = [
  { role: "system", content: "be brief" },
  { role: "user", content: "hello" },
  { role: "assistant", content: "good day" },
];

beforeAll(async () => {
  const dir = await work.checkpoint("tiny");
  server = await work.serve(dir);
  await initBackend();
  const loaded = await loadRewardModel(dir);
  const score = async (items: ScoreItem[]) => Array.from(await scoreTexts(loaded, items));
  expected = await score(TEXTS.map((response) => ({ prompt: PROMPT, response })));
  conversation = (await score([{ prompt: "System: be brief\n\nUser: hello", response: "good day" }]))[0];
  const plain = { ...loaded, settings: { ...loaded.settings, template: "{response}" } };
  wholeText = (await scoreTexts(plain, [{ prompt: "", response: "the cat sat" }]))[0];
  const left = { ...loaded, settings: { ...loaded.settings, truncation: "left" as const } };
  ending = (await scoreTexts(left, [{ prompt: PROMPT, response: TEXTS[2] }]))[0];
  expect(Math.abs(ending - expected[2])).toBeGreaterThan(1e-3);
  loaded.model.dispose();
});
afterAll(() => work.close());

const near = (value: number) => expect.closeTo(value, 5);

describe("/score", () => {
  test("one answer, with its length", async () => {
    const { status, body } = await post(`${server.url}/score`, { prompt: PROMPT, response: TEXTS[0] });
    expect(status).toBe(200);
    expect(body).toEqual({ score: near(expected[0]), tokens: expect.any(Number), truncated_tokens: 0 });
  });

  test("answers to one prompt; probabilities on request, by the stored temperature", async () => {
    const { body, headers } = await post(`${server.url}/score`, {
      prompt: PROMPT,
      responses: TEXTS,
      probability: true,
    });
    expect(body.scores).toEqual(expected.map(near));
    expect(body.best).toBe(expected.indexOf(Math.max(...expected)));
    expect(body.temperature).toBe(2);
    const weights = expected.map((score) => Math.exp(score / 2));
    const sum = weights.reduce((a, b) => a + b, 0);
    expect(body.probabilities).toEqual(weights.map((weight) => near(weight / sum)));
    expect(body.truncated_tokens[2]).toBeGreaterThan(0);
    expect(headers.get("x-truncated-texts")).toBe("1");
    expect(headers.get("x-truncated-tokens")).toBe(String(body.truncated_tokens[2]));
  });

  test("pairs", async () => {
    const pairs = [{ prompt: PROMPT, chosen: TEXTS[1], rejected: TEXTS[0] }];
    const { body } = await post(`${server.url}/score`, { pairs, probability: true });
    expect(body.pairs[0]).toMatchObject({ chosen_score: near(expected[1]), rejected_score: near(expected[0]) });
    expect(body.pairs[0].probability).toBeCloseTo(sigmoid((expected[1] - expected[0]) / 2), 6);
    expect((await post(`${server.url}/score`, { pairs })).body.pairs[0]).not.toHaveProperty("probability");
  });

  test("a conversation, as files of pairs are read", async () => {
    expect((await post(`${server.url}/score`, { messages: MESSAGES })).body.score).toBeCloseTo(conversation, 5);
    const named = [
      MESSAGES[0],
      { role: "Human", content: [{ type: "text", text: "hello" }] },
      { role: "gpt", content: "good day" },
    ];
    expect((await post(`${server.url}/score`, { messages: named })).body.score).toBeCloseTo(conversation, 5);
    const both = await post(`${server.url}/score`, { messages: [MESSAGES, MESSAGES] });
    expect(both.body.scores).toEqual([near(conversation), near(conversation)]);
  });

  test("many requests at a time get the scores they get alone", async () => {
    const order = Array.from({ length: 60 }, (_, i) => (i * 7) % TEXTS.length);
    const answers = await Promise.all(
      order.map((i) => post(`${server.url}/score`, { prompt: PROMPT, response: TEXTS[i] })),
    );
    expect(answers.map(({ body }) => body.score)).toEqual(order.map((i) => near(expected[i])));
  });
});

describe("Text Embeddings Inference", () => {
  test("/predict: a string is a whole text, two strings are one pair, lists are a batch", async () => {
    const predict = async (inputs: unknown, more = {}) =>
      (await post(`${server.url}/predict`, { inputs, raw_scores: true, ...more })).body;
    expect(await predict("the cat sat")).toEqual([{ score: near(wholeText), label: "LABEL_0" }]);
    expect(await predict([PROMPT, TEXTS[0]])).toEqual([{ score: near(expected[0]), label: "LABEL_0" }]);
    expect(await predict([[PROMPT, TEXTS[1]], ["the cat sat"]])).toEqual([
      [{ score: near(expected[1]), label: "LABEL_0" }],
      [{ score: near(wholeText), label: "LABEL_0" }],
    ]);
    expect((await predict("the cat sat", { raw_scores: false }))[0].score).toBeCloseTo(sigmoid(wholeText), 5);
  });

  test("/rerank: sorted, with the texts on request", async () => {
    const { body } = await post(`${server.url}/rerank`, {
      query: PROMPT,
      texts: TEXTS.slice(0, 2),
      raw_scores: true,
      return_text: true,
    });
    const order = expected[0] >= expected[1] ? [0, 1] : [1, 0];
    expect(body).toEqual(order.map((index) => ({ index, text: TEXTS[index], score: near(expected[index]) })));
  });

  test("a long text is refused unless it may be cut", async () => {
    const refused = await post(`${server.url}/rerank`, { query: PROMPT, texts: [TEXTS[0], TEXTS[2]] });
    expect(refused.status).toBe(422);
    expect(refused.body).toEqual({
      error: expect.stringMatching(/^texts\[1\]: expected at most 20 tokens, got \d+$/),
      error_type: "Tokenizer",
    });
    const cut = await post(`${server.url}/rerank`, {
      query: PROMPT,
      texts: [TEXTS[2]],
      truncate: true,
      raw_scores: true,
    });
    expect(cut.body[0].score).toBeCloseTo(expected[2], 5);
    expect(cut.headers.get("x-truncated-texts")).toBe("1");
    const end = { truncate: true, truncation_direction: "Left", raw_scores: true };
    const left = await post(`${server.url}/rerank`, { query: PROMPT, texts: [TEXTS[2]], ...end });
    expect(left.body[0].score).toBeCloseTo(ending, 5);
    const predicted = await post(`${server.url}/predict`, { inputs: [PROMPT, TEXTS[2]], ...end });
    expect(predicted.body[0].score).toBeCloseTo(ending, 5);
  });

  test("its errors", async () => {
    expect(await post(`${server.url}/predict`, { inputs: [] })).toMatchObject({
      status: 400,
      body: { error_type: "Empty" },
    });
    expect(await post(`${server.url}/predict`, { inputs: 3 })).toMatchObject({
      status: 422,
      body: { error_type: "Validation" },
    });
  });
});

describe("vLLM", () => {
  test("/v1/score: one to many and pairs, a sigmoid unless it is switched off", async () => {
    const raw = await post(`${server.url}/v1/score`, {
      text_1: PROMPT,
      text_2: TEXTS.slice(0, 2),
      use_activation: false,
      user: "me",
    });
    expect(raw.body).toMatchObject({ object: "list", model: "tiny", usage: { prompt_tokens: expect.any(Number) } });
    expect(raw.body.data).toEqual([0, 1].map((index) => ({ index, object: "score", score: near(expected[index]) })));
    const one = await post(`${server.url}/v1/score`, { queries: [PROMPT], documents: TEXTS[0] });
    expect(one.body.data[0].score).toBeCloseTo(sigmoid(expected[0]), 5);
    const uneven = await post(`${server.url}/v1/score`, { text_1: ["a", "b"], text_2: ["c"] });
    expect(uneven).toMatchObject({
      status: 422,
      body: { error: { param: "text_1", type: "BadRequestError", code: 422 } },
    });
  });

  test("the end that is cut", async () => {
    const cut = { truncate_prompt_tokens: -1, truncation_side: "left", use_activation: false };
    const { body } = await post(`${server.url}/v1/score`, { text_1: PROMPT, text_2: TEXTS[2], ...cut });
    expect(body.data[0].score).toBeCloseTo(ending, 5);
  });

  test.each(["v1", "v2"])("/%s/rerank: best first, the first n", async (version) => {
    const { body } = await post(`${server.url}/${version}/rerank`, {
      query: PROMPT,
      documents: [TEXTS[0], { text: TEXTS[1] }],
      top_n: 1,
      use_activation: false,
    });
    const best = expected[0] >= expected[1] ? 0 : 1;
    expect(body.results).toEqual([
      { index: best, document: { text: TEXTS[best] }, relevance_score: near(expected[best]) },
    ]);
  });

  test("/classify: whole texts and conversations; cut only when asked", async () => {
    const texts = await post(`${server.url}/classify`, { input: ["the cat sat"], use_activation: false });
    expect(texts.body.data).toEqual([{ index: 0, label: "LABEL_0", probs: [near(wholeText)], num_classes: 1 }]);
    const turns = await post(`${server.url}/classify`, {
      messages: MESSAGES,
      use_activation: false,
      truncate_prompt_tokens: -1,
    });
    expect(turns.body.data[0].probs[0]).toBeCloseTo(conversation, 5);
    const long = { text_1: PROMPT, text_2: TEXTS[2], use_activation: false };
    expect(await post(`${server.url}/v1/score`, long)).toMatchObject({
      status: 422,
      body: { error: { param: "text_2" } },
    });
    const cut = await post(`${server.url}/v1/score`, { ...long, truncate_prompt_tokens: -1 });
    expect(cut.body.data[0].score).toBeCloseTo(expected[2], 5);
  });
});

test("OpenRLHF /get_reward: whole texts, raw rewards, padding taken off", async () => {
  const { body } = await post(`${server.url}/get_reward`, {
    query: ["the cat sat", "the cat sat[PAD][PAD]"],
    prompts: ["the", "the"],
  });
  expect(body.rewards).toEqual([near(wholeText), near(wholeText)]);
  expect(body.scores).toEqual(body.rewards);
});

test("/health, /info and /metrics", async () => {
  const get = async (path: string) => fetch(`${server.url}${path}`);
  expect(await (await get("/health")).json()).toEqual({ status: "ok" });
  expect(await (await get("/info")).json()).toMatchObject({
    model_id: "tiny",
    max_input_length: 20,
    temperature: 2,
    fresh_head: false,
  });
  const metrics = await (await get("/metrics")).text();
  expect(metrics).toMatch(/^rewardbook_texts_total [1-9]/m);
  expect(metrics).toMatch(/^rewardbook_requests_total\{route="\/score",status="200"\} [1-9]/m);
  expect(metrics).toMatch(/^rewardbook_queue_texts 0$/m);
});
