// What every route works with.
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Admission } from "./admission";
import { estimateTokens } from "./admission";
import { JobRefused } from "./engine";
import { RequestFault } from "./faults";
import type { ItemScore, Job, JobFault, ModelFacts } from "./messages";
import type { Metrics } from "./metrics";
import type { ServedModel } from "./served";
import type { ServerSettings } from "./settings";

export interface Context {
  readonly settings: ServerSettings;
  readonly version: string;
  /** Whether a key is asked for. */
  readonly locked: boolean;
  readonly served: ServedModel;
  readonly admission: Admission;
  readonly metrics: Metrics;
  /** Whether the server is about to end. */
  draining(): boolean;
}

/** Texts of a request, and where each stands in it. */
export interface Ask extends Pick<Job, "items" | "maxLength" | "truncation"> {
  readonly refuseLong?: boolean;
  /** Path of the field that holds a text, such as `responses[3]`. */
  fieldOf(item: number): string;
}

/** The model in use. @throws RequestFault where there is none at the moment */
export function modelOf({ served }: Context): ModelFacts {
  const model = served.current()?.model;
  if (!model) throw new RequestFault("unavailable", "no model is loaded at the moment", { retryAfter: 5 });
  return model;
}

/**
 * Scores of a request's texts. Its place in the queue is taken before anything is tokenised; when the client goes, or the
 * time is up, what is not computed yet never will be. How many texts and tokens were cut stands in the answer's headers.
 *
 * @throws RequestFault
 */
export async function scoresFor(
  context: Context,
  ask: Ask,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<readonly ItemScore[]> {
  const { admission, served, settings, metrics } = context;
  const { items, maxLength, truncation, refuseLong = false } = ask;
  const longest = modelOf(context).maxLength;
  const characters = items.map((item) =>
    "whole" in item ? item.whole.length : item.prompt.length + item.response.length,
  );
  const place = admission.reserve({
    texts: items.length,
    bytes: characters.reduce((sum, count) => sum + 2 * count, 0),
    tokens: characters.reduce((sum, count) => sum + estimateTokens(count, longest), 0),
  });
  const stop = new AbortController();
  const gone = () => {
    if (reply.raw.writableFinished) return;
    metrics.dropped();
    stop.abort(new RequestFault("unavailable", "the client has gone"));
  };
  const timer = setTimeout(
    () =>
      stop.abort(
        new RequestFault("timeout", `expected scores within ${settings.request_seconds} s`, { retryAfter: 5 }),
      ),
    1000 * settings.request_seconds,
  );
  request.raw.socket.once("close", gone);
  try {
    const scores = await served.score({ items, maxLength, truncation, refuseLong }, stop.signal);
    metrics.scored(scores);
    place.release(scores.reduce((sum, { tokens }) => sum + tokens, 0));
    reply.header("x-truncated-texts", scores.filter(({ cut }) => cut > 0).length);
    reply.header(
      "x-truncated-tokens",
      scores.reduce((sum, { cut }) => sum + cut, 0),
    );
    return scores;
  } catch (error) {
    throw error instanceof JobRefused ? requestFault(error.fault, ask) : error;
  } finally {
    clearTimeout(timer);
    request.raw.socket.removeListener("close", gone);
    place.release();
  }
}

const CODES = {
  too_long: "tokenizer",
  too_large: "too_large",
  text: "tokenizer",
  not_finite: "not_finite",
  engine: "engine",
} as const;

function requestFault({ kind, message, item }: JobFault, ask: Ask): RequestFault {
  const field = item === undefined ? undefined : ask.fieldOf(item);
  return new RequestFault(CODES[kind], field ? `${field}: ${message}` : message, { field });
}
