// POST /v1/score, /v1/rerank and /classify as vLLM has them: scores pass through a sigmoid unless `use_activation` is false.
import { randomUUID } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { sigmoid } from "../../lib/ece";
import { modelOf, scoresFor, type Context } from "../context";
import { RequestFault } from "../faults";
import type { ItemScore, JobItem } from "../messages";
import { addRoute } from "../route";
import { refuseUnread } from "../unread";
import { conversationItem, messageOf } from "./score";

const common = {
  model: z.string().nullish(),
  use_activation: z.boolean().nullish().describe("false for raw rewards; absent means a sigmoid over each, as in vLLM"),
  truncate_prompt_tokens: z
    .union([z.literal(-1), z.int().min(1)])
    .nullish()
    .describe("most tokens of a text, -1 the model's; absent: a longer one is refused"),
  truncation_side: z
    .enum(["left", "right"])
    .nullish()
    .describe("the end that is cut; absent: as the checkpoint was trained"),
};
type Common = {
  use_activation?: boolean | null;
  truncate_prompt_tokens?: number | null;
  truncation_side?: "left" | "right" | null;
};

const usage = z.object({ prompt_tokens: z.int(), total_tokens: z.int() });
const listOf = (item: z.ZodType) =>
  z.object({
    id: z.string(),
    object: z.literal("list"),
    created: z.int(),
    model: z.string(),
    data: z.array(item),
    usage,
  });

export function addVllm(app: FastifyInstance, context: Context): void {
  addPairScores(app, context);
  for (const url of ["/v1/rerank", "/v2/rerank"]) addRerank(app, context, url); // Cohere's clients use either
  addClassify(app, context);
}

const TEXT: ReadonlySet<string> = new Set(["text"]);

/** What the dialect's fields ask for, done. */
async function compute(
  context: Context,
  what: { items: JobItem[]; fieldOf(i: number): string },
  { use_activation, truncate_prompt_tokens: limit, truncation_side: side }: Common,
  [request, reply]: readonly [FastifyRequest, FastifyReply],
): Promise<{ scores: readonly number[]; usage: z.output<typeof usage>; model: string }> {
  const cut = limit != null;
  const maxLength = cut && limit > 0 ? limit : undefined;
  const ask = { ...what, refuseLong: !cut, maxLength, truncation: side ?? undefined };
  const scores = await scoresFor(context, ask, request, reply).catch((error: unknown) => {
    const short = maxLength !== undefined && error instanceof RequestFault && error.code === "tokenizer";
    if (!short || !error.message.startsWith("max_length: ")) throw error;
    const field = "truncate_prompt_tokens";
    throw new RequestFault("validation", error.message.replace("max_length", field), { field });
  });
  const tokens = scores.reduce((sum: number, score: ItemScore) => sum + score.tokens, 0);
  return {
    scores: scores.map(({ score }) => (use_activation === false ? score : sigmoid(score))),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
    model: modelOf(context).name,
  };
}

const envelope = (kind: string) => ({
  id: `${kind}-${randomUUID()}`,
  object: "list" as const,
  created: Math.floor(Date.now() / 1000),
});

function addPairScores(app: FastifyInstance, context: Context): void {
  const texts = z.union([z.string(), z.array(z.string()).min(1).max(context.settings.max_items)]);
  addRoute(app, context.locked, {
    method: "POST",
    url: "/v1/score",
    dialect: "vllm",
    summary: "Scores of prompts with answers, one to one, one to many or in pairs",
    body: z.union([
      z.looseObject({ text_1: texts, text_2: texts, ...common }),
      z.looseObject({ queries: texts, documents: texts, ...common }),
      z.looseObject({ queries: texts, items: texts, ...common }),
    ]),
    answer: listOf(z.object({ index: z.int(), object: z.literal("score"), score: z.number() })),
    handle: async (body, request, reply) => {
      const [firstName, secondName] =
        "text_1" in body ? ["text_1", "text_2"] : "documents" in body ? ["queries", "documents"] : ["queries", "items"];
      const [first, second] = [firstName, secondName].map(
        (name) => [(body as Record<string, unknown>)[name]].flat() as string[],
      );
      if (first.length !== 1 && first.length !== second.length)
        throw new RequestFault(
          "validation",
          `${firstName}: expected 1 or ${second.length} texts, as many as ${secondName}, got ${first.length}`,
          { field: firstName },
        );
      const items = second.map((response, i) => ({ prompt: first.length === 1 ? first[0] : first[i], response }));
      const fieldOf = (i: number) =>
        Array.isArray((body as Record<string, unknown>)[secondName]) ? `${secondName}[${i}]` : secondName;
      const { scores, ...rest } = await compute(context, { items, fieldOf }, body, [request, reply]);
      return {
        ...envelope("score"),
        ...rest,
        data: scores.map((score, index) => ({ index, object: "score" as const, score })),
      };
    },
  });
}

function addRerank(app: FastifyInstance, context: Context, url: string): void {
  const document = z.union([z.string(), z.looseObject({ text: z.string() })]);
  addRoute(app, context.locked, {
    method: "POST",
    url,
    dialect: "vllm",
    summary: "Answers to one prompt, best first",
    body: z.looseObject({
      query: z.string(),
      documents: z.array(document).min(1).max(context.settings.max_items),
      top_n: z.int().min(0).nullish().describe("how many to return, 0 for all"),
      ...common,
    }),
    answer: z.object({
      id: z.string(),
      model: z.string(),
      usage,
      results: z.array(
        z.object({ index: z.int(), document: z.object({ text: z.string() }), relevance_score: z.number() }),
      ),
    }),
    handle: async ({ query, documents, top_n: top, ...how }, request, reply) => {
      documents.forEach((one, i) => typeof one === "object" && refuseUnread(one, TEXT, `documents[${i}]`));
      const texts = documents.map((one) => (typeof one === "string" ? one : one.text));
      const items = texts.map((response) => ({ prompt: query, response }));
      const fieldOf = (i: number) => `documents[${i}]`;
      const { scores, ...rest } = await compute(context, { items, fieldOf }, how, [request, reply]);
      const results = scores
        .map((score, index) => ({ index, document: { text: texts[index] }, relevance_score: score }))
        .sort((a, b) => b.relevance_score - a.relevance_score || a.index - b.index);
      return { id: envelope("rerank").id, ...rest, results: top ? results.slice(0, top) : results };
    },
  });
}

function addClassify(app: FastifyInstance, context: Context): void {
  addRoute(app, context.locked, {
    method: "POST",
    url: "/classify",
    dialect: "vllm",
    summary: "Scores of whole texts, or of a conversation that ends with the answer",
    body: z.union([
      z.looseObject({
        input: z.union([z.string(), z.array(z.string()).min(1).max(context.settings.max_items)]),
        ...common,
      }),
      z.looseObject({ messages: z.array(messageOf(z.looseObject)).min(2), ...common }),
    ]),
    answer: listOf(
      z.object({ index: z.int(), label: z.string().nullable(), probs: z.array(z.number()), num_classes: z.int() }),
    ),
    handle: async (body, request, reply) => {
      const what =
        "input" in body
          ? {
              items: [body.input as string | string[]].flat().map((whole) => ({ whole })),
              fieldOf: (i: number) => (Array.isArray(body.input) ? `input[${i}]` : "input"),
            }
          : { items: [conversationItem(body.messages, "messages")], fieldOf: () => "messages" };
      const { scores, ...rest } = await compute(context, what, body, [request, reply]);
      const data = scores.map((score, index) => ({ index, label: "LABEL_0", probs: [score], num_classes: 1 }));
      return { ...envelope("classify"), ...rest, data };
    },
  });
}
