// POST /predict and /rerank as Text Embeddings Inference has them: scores pass through a sigmoid unless `raw_scores` is set, long texts are refused unless `truncate` is.
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { sigmoid } from "../../lib/ece";
import { scoresFor, type Context } from "../context";
import { addRoute } from "../route";

const flags = {
  truncate: z.boolean().nullish(),
  truncation_direction: z
    .enum(["Left", "Right"])
    .nullish()
    .describe("the end that is cut; absent: as the checkpoint was trained"),
  raw_scores: z.boolean().optional(),
};
type Cut = { readonly truncate?: boolean | null; readonly truncation_direction?: "Left" | "Right" | null };
const cutOf = ({ truncate, truncation_direction: end }: Cut) => ({
  refuseLong: truncate !== true,
  truncation: end == null ? undefined : end === "Left" ? ("left" as const) : ("right" as const),
});
const text = z.string().min(1);
const sequence = z.union([z.array(text).length(1), z.array(z.string()).length(2)]);
const prediction = z.object({ score: z.number(), label: z.string() });
const LABEL = "LABEL_0";

export function addTei(app: FastifyInstance, context: Context): void {
  addPredict(app, context);
  addRerank(app, context);
}

function addPredict(app: FastifyInstance, context: Context): void {
  addRoute(app, context.locked, {
    method: "POST",
    url: "/predict",
    dialect: "tei",
    summary: "Scores of texts or of prompt-answer pairs",
    description:
      "`inputs`: a string is a whole text as the model reads it; two strings are one prompt and its answer, not two texts; a batch is a list of such lists.",
    body: z.looseObject({
      inputs: z.union([text, sequence, z.array(sequence).min(1).max(context.settings.max_items)]),
      ...flags,
    }),
    answer: z.union([z.array(prediction), z.array(z.array(prediction))]),
    handle: async ({ inputs, raw_scores: raw = false, ...how }, request, reply) => {
      const sequences = sequencesOf(inputs);
      const batch = isBatch(inputs);
      const ask = {
        items: sequences.map(([first, second]) =>
          second === undefined ? { whole: first } : { prompt: first, response: second },
        ),
        ...cutOf(how),
        fieldOf: (i: number) => (batch ? `inputs[${i}]` : "inputs"),
      };
      const scores = await scoresFor(context, ask, request, reply);
      const predictions = scores.map(({ score }) => [{ score: raw ? score : sigmoid(score), label: LABEL }]);
      return batch ? predictions : predictions[0];
    },
  });
}

const isBatch = (inputs: string | string[] | string[][]): inputs is string[][] =>
  Array.isArray(inputs) && (inputs.length === 0 || Array.isArray(inputs[0]));

function sequencesOf(inputs: string | string[] | string[][]): string[][] {
  if (typeof inputs === "string") return [[inputs]];
  return isBatch(inputs) ? inputs : [inputs];
}

function addRerank(app: FastifyInstance, context: Context): void {
  addRoute(app, context.locked, {
    method: "POST",
    url: "/rerank",
    dialect: "tei",
    summary: "Answers to one prompt, best first",
    body: z.looseObject({
      query: z.string(),
      texts: z.array(z.string()).min(1).max(context.settings.max_items),
      return_text: z.boolean().optional(),
      ...flags,
    }),
    answer: z.array(z.object({ index: z.int(), score: z.number(), text: z.string().optional() })),
    handle: async (
      { query, texts, raw_scores: raw = false, return_text: withText = false, ...how },
      request,
      reply,
    ) => {
      const ask = {
        items: texts.map((response) => ({ prompt: query, response })),
        ...cutOf(how),
        fieldOf: (i: number) => `texts[${i}]`,
      };
      const scores = await scoresFor(context, ask, request, reply);
      return scores
        .map(({ score }, index) => ({ index, score, text: texts[index] }))
        .sort((a, b) => b.score - a.score || a.index - b.index)
        .map(({ index, score, text }) => ({ index, ...(withText && { text }), score: raw ? score : sigmoid(score) }));
    },
  });
}
