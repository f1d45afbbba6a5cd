// POST /score, Rewardbook's own: raw rewards of answers, of pairs, of conversations, with what was cut and, on request, probabilities.
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { sigmoid } from "../../lib/ece";
import { RowFault } from "../../lib/pairs/faults";
import { promptText, readMessages } from "../../lib/pairs/formats/messages";
import type { Message } from "../../lib/pairs/pair";
import type { ScoreItem } from "../../lib/scoring/score";
import { modelOf, scoresFor, type Context } from "../context";
import { RequestFault } from "../faults";
import type { ItemScore } from "../messages";
import { addRoute } from "../route";

const part = z.strictObject({ type: z.literal("text"), text: z.string() });
const messageFields = { role: z.string().min(1), content: z.union([z.string(), z.array(part).min(1)]) };
/** A turn; its content as text or as parts of text. */
export const messageOf = <T>(object: (fields: typeof messageFields) => T): T => object(messageFields);
const conversation = z
  .array(messageOf(z.strictObject))
  .min(2)
  .describe("the prompt's turns and, last, the assistant's answer");
const probability = z
  .boolean()
  .optional()
  .describe("also the probabilities, by the temperature stored in the checkpoint");

const requestOf = (maxItems: number) =>
  z.union([
    z.strictObject({ prompt: z.string(), response: z.string() }),
    z.strictObject({ prompt: z.string(), responses: z.array(z.string()).min(1).max(maxItems), probability }),
    z.strictObject({
      pairs: z
        .array(z.strictObject({ prompt: z.string(), chosen: z.string(), rejected: z.string() }))
        .min(1)
        .max(Math.floor(maxItems / 2)),
      probability,
    }),
    z.strictObject({ messages: z.union([conversation, z.array(conversation).min(1).max(maxItems)]) }),
  ]);

const one = z.object({ score: z.number(), tokens: z.int(), truncated_tokens: z.int() });
const several = z.object({
  scores: z.array(z.number()),
  tokens: z.array(z.int()),
  truncated_tokens: z.array(z.int()),
  best: z.int().optional(),
  probabilities: z.array(z.number()).optional(),
  temperature: z.number().optional(),
});
const pairScore = z.object({
  chosen_score: z.number(),
  rejected_score: z.number(),
  probability: z.number().optional(),
  tokens: z.array(z.int()),
  truncated_tokens: z.array(z.int()),
});
const answer = z.union([one, several, z.object({ pairs: z.array(pairScore), temperature: z.number().optional() })]);

type Request = z.output<ReturnType<typeof requestOf>>;
type Conversation = z.output<typeof conversation>;

export function addScore(app: FastifyInstance, context: Context): void {
  addRoute(app, context.locked, {
    method: "POST",
    url: "/score",
    dialect: "rewardbook",
    summary: "Rewards of answers, pairs or conversations",
    description:
      "Scores are raw rewards, the same numbers as `rewardbook score`. Only differences of scores under one prompt have a meaning; " +
      "`probability` turns them into P(preferred) with the checkpoint's temperature (1 where it has none).",
    body: requestOf(context.settings.max_items),
    answer,
    handle: async (body, request, reply) => {
      const { items, fieldOf } = itemsOf(body);
      const scores = await scoresFor(context, { items, fieldOf }, request, reply);
      return answerOf(body, scores, modelOf(context).temperature ?? 1);
    },
  });
}

function itemsOf(body: Request): { items: ScoreItem[]; fieldOf: (item: number) => string } {
  if ("response" in body) return { items: [body], fieldOf: () => "response" };
  if ("responses" in body) {
    const { prompt, responses } = body;
    return { items: responses.map((response) => ({ prompt, response })), fieldOf: (i) => `responses[${i}]` };
  }
  if ("pairs" in body)
    return {
      items: body.pairs.flatMap(({ prompt, chosen, rejected }) => [
        { prompt, response: chosen },
        { prompt, response: rejected },
      ]),
      fieldOf: (i) => `pairs[${i >> 1}].${i % 2 === 0 ? "chosen" : "rejected"}`,
    };
  const several = conversationsOf(body.messages);
  const fieldOf = (i: number) => (isOne(body.messages) ? "messages" : `messages[${i}]`);
  return { items: several.map((turns, i) => conversationItem(turns, fieldOf(i))), fieldOf };
}

const isOne = (messages: Conversation | Conversation[]): messages is Conversation => !Array.isArray(messages[0]);
const conversationsOf = (messages: Conversation | Conversation[]): Conversation[] =>
  isOne(messages) ? [messages] : messages;

/** The last turn is the answer; the others are read as in files of pairs: rendered by a chat template, or made text. */
export function conversationItem(given: Conversation, field: string): ScoreItem {
  const turns = readTurns(given, field);
  const last = turns[turns.length - 1];
  const place = `${field}[${turns.length - 1}].role`;
  if (last.role !== "assistant")
    throw new RequestFault(
      "validation",
      `${place}: expected assistant, the answer to score, got ${JSON.stringify(last.role)}`,
      { field: place },
    );
  const promptMessages = turns.slice(0, -1);
  return { prompt: promptText(promptMessages), promptMessages, response: last.content };
}

/** Roles by their usual names; calls of tools, pictures and thoughts, which no text says, are refused. */
function readTurns(given: Conversation, field: string): Message[] {
  try {
    return readMessages(given, field);
  } catch (error) {
    if (!(error instanceof RowFault)) throw error;
    const [message] = error.message.split("; ");
    throw new RequestFault("validation", message, { field: message.split(": ")[0] });
  }
}

function answerOf(body: Request, scores: readonly ItemScore[], temperature: number): z.output<typeof answer> {
  if ("pairs" in body) {
    const wanted = body.probability === true;
    const pairs = body.pairs.map((_, i) => {
      const [chosen, rejected] = scores.slice(2 * i, 2 * i + 2);
      return {
        chosen_score: chosen.score,
        rejected_score: rejected.score,
        ...(wanted && { probability: sigmoid((chosen.score - rejected.score) / temperature) }),
        tokens: [chosen.tokens, rejected.tokens],
        truncated_tokens: [chosen.cut, rejected.cut],
      };
    });
    return { pairs, ...(wanted && { temperature }) };
  }
  if ("response" in body || ("messages" in body && isOne(body.messages)))
    return { score: scores[0].score, tokens: scores[0].tokens, truncated_tokens: scores[0].cut };
  const list = {
    scores: scores.map(({ score }) => score),
    tokens: scores.map(({ tokens }) => tokens),
    truncated_tokens: scores.map(({ cut }) => cut),
  };
  if ("messages" in body) return list;
  const best = list.scores.indexOf(Math.max(...list.scores));
  return { ...list, best, ...(body.probability && { probabilities: softmax(list.scores, temperature), temperature }) };
}

/** P(i is the best) = exp(rᵢ/T) / Σ exp(rⱼ/T): for two answers σ(Δ/T). */
function softmax(scores: readonly number[], temperature: number): number[] {
  const most = Math.max(...scores);
  const weights = scores.map((score) => Math.exp((score - most) / temperature));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
}
