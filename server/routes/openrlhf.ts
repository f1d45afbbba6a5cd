// POST /get_reward as OpenRLHF's remote reward model has it: whole texts in, raw rewards out.
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { modelOf, scoresFor, type Context } from "../context";
import { addRoute } from "../route";

export function addOpenRlhf(app: FastifyInstance, context: Context): void {
  const texts = z.union([z.string(), z.array(z.string()).min(1).max(context.settings.max_items)]);
  addRoute(app, context.locked, {
    method: "POST",
    url: "/get_reward",
    dialect: "openrlhf",
    summary: "Rewards of whole texts",
    description:
      "`query`: texts as the model reads them, prompt and answer rendered. Padding, and an end-of-sequence token that the tokenizer adds itself, may stand at their end.",
    body: z.looseObject({ query: texts, prompts: z.unknown().optional(), labels: z.unknown().optional() }),
    answer: z.object({
      rewards: z.array(z.number()),
      scores: z.array(z.number()),
      extra_logs: z.object({ truncated_tokens: z.array(z.int()) }),
    }),
    handle: async ({ query }, request, reply) => {
      const { padToken, eosToken, template } = modelOf(context);
      const ends = [padToken, ...(template === "chat" || eosToken === null ? [] : [eosToken])];
      const items = [query].flat().map((text) => ({ whole: withoutEnds(text, ends) }));
      const fieldOf = (i: number) => (Array.isArray(query) ? `query[${i}]` : "query");
      const scores = await scoresFor(context, { items, fieldOf }, request, reply);
      const rewards = scores.map(({ score }) => score);
      return { rewards, scores: rewards, extra_logs: { truncated_tokens: scores.map(({ cut }) => cut) } };
    },
  });
}

/** The text without the tokens at its beginning and its end that batching put there. */
function withoutEnds(text: string, tokens: readonly string[]): string {
  const [pad] = tokens;
  while (pad !== "" && text.startsWith(pad)) text = text.slice(pad.length);
  for (let token = endOf(text, tokens); token !== undefined; token = endOf(text, tokens))
    text = text.slice(0, -token.length);
  return text;
}

const endOf = (text: string, tokens: readonly string[]): string | undefined =>
  tokens.find((token) => token !== "" && text.endsWith(token));
