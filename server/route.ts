// In: a route's schemas and handler. Out: the route in Fastify, checked without coercion and described in the OpenAPI document.
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Dialect } from "./dialects";
import { STATUS } from "./faults";
import { jsonSchemaOf, validatorOf } from "./validation";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Shape of the route's errors. */
    dialect?: Dialect;
    /** Whether the route asks for no key. */
    open?: boolean;
    /** Whether the route puts texts into the queue. */
    scores?: boolean;
  }
}

export interface Route<B extends z.ZodType> {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly dialect: Dialect;
  readonly summary: string;
  readonly description?: string;
  readonly open?: boolean;
  readonly body?: B;
  /** What status 200 answers; absent where it is not JSON. */
  readonly answer?: z.ZodType;
  /** Media type of an answer that is not JSON. */
  readonly media?: string;
  handle(body: z.output<B>, request: FastifyRequest, reply: FastifyReply): unknown;
}

const ERRORS: Readonly<Record<Dialect, z.ZodType>> = {
  rewardbook: z.object({ error: z.object({ code: z.string(), message: z.string(), field: z.string().optional() }) }),
  tei: z.object({ error: z.string(), error_type: z.string() }),
  vllm: z.object({
    error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.int() }),
  }),
  openrlhf: z.object({ detail: z.string() }),
};

/** Statuses that a route may answer beside 200. */
function statusesOf({
  method,
  dialect,
  open,
  body,
}: Pick<Route<z.ZodType>, "method" | "dialect" | "open" | "body">): number[] {
  const scoring = [400, 413, 415, 422, 429, dialect === "tei" ? 424 : 500, 503];
  return [
    ...(open ? [] : [401]),
    403,
    ...(body ? scoring : []),
    ...(method === "POST" && !body ? [409, 500] : []),
    ...(open ? [503] : []),
  ];
}

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: "not JSON, or nothing to score",
  401: "the key is missing or wrong",
  403: "a request from another site or under another name",
  409: "another reload is under way",
  413: "more bytes, texts or tokens than a request may have",
  415: "not application/json",
  422: "a field is at fault; the message names it",
  424: "the model failed; no score",
  429: "too much is in flight; Retry-After says when to try again",
  500: "the model failed; no score",
  503: "no model at the moment, or the time is up",
};

/** @param locked whether the server asks for a key */
export function addRoute<B extends z.ZodType = z.ZodUndefined>(
  app: FastifyInstance,
  locked: boolean,
  route: Route<B>,
): void {
  const { method, url, dialect, summary, description, open = false, body, answer, media } = route;
  const error = (status: number) => ({
    description: DESCRIPTIONS[status],
    ...(status === 429 && { headers: { "Retry-After": { type: "integer", description: "seconds" } } }),
    content: { "application/json": { schema: jsonSchemaOf(ERRORS[dialect], "output") } },
  });
  const ok = answer
    ? { content: { "application/json": { schema: jsonSchemaOf(answer, "output") } } }
    : { content: { [media!]: { schema: { type: "string" } } } };
  app.route({
    method,
    url,
    config: { dialect, open, scores: body !== undefined },
    validatorCompiler: body ? validatorOf(body, dialect === "tei" ? { empty: "empty" } : {}) : undefined,
    serializerCompiler: () => (data) => JSON.stringify(data),
    schema: {
      summary,
      description,
      tags: [TAGS[dialect]],
      ...(body && { body: jsonSchemaOf(body, "input") }),
      ...(locked && !open && { security: [{ key: [] }] }),
      response: {
        200: { description: "done", ...ok },
        ...Object.fromEntries(
          [...new Set(statusesOf(route))]
            .filter((status) => STATUSES.has(status) || status === 424)
            .map((status) => [status, error(status)]),
        ),
      },
    },
    handler: (request, reply) => route.handle(request.body as z.output<B>, request, reply),
  });
}

const STATUSES = new Set<number>(Object.values(STATUS));
const TAGS: Readonly<Record<Dialect, string>> = {
  rewardbook: "Rewardbook",
  tei: "Text Embeddings Inference",
  vllm: "vLLM",
  openrlhf: "OpenRLHF",
};
