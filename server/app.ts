// In: a served model and its limits. Out: the HTTP server, not listening yet.
import swagger from "@fastify/swagger";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Context } from "./context";
import { errorBody, statusOf, type Dialect } from "./dialects";
import { addDocs } from "./docs";
import { RequestFault } from "./faults";
import { checkKey, checkOrigin } from "./guard";
import { addPage } from "./page";
import { addOpenRlhf } from "./routes/openrlhf";
import { addOperations } from "./routes/operations";
import { addScore } from "./routes/score";
import { addTei } from "./routes/tei";
import { addVllm } from "./routes/vllm";
import { parseBody } from "./validation";

/** Nothing comes from elsewhere, nothing is inline, nobody frames the page. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/** Time to receive a request, and how long an idle connection is kept, ms. */
const RECEIVE_MS = 30_000;
const KEEP_ALIVE_MS = 75_000;
/** Loading a checkpoint may take longer than scores may. */
const RELOAD_MS = 600_000;

/** @param log gets faults that are ours, one line each */
export async function buildApp(context: Context, log: (line: string) => void): Promise<FastifyInstance> {
  const { settings, locked, admission, metrics } = context;
  const app = Fastify({
    logger: false,
    bodyLimit: settings.max_body_bytes,
    requestTimeout: RECEIVE_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: 0, // a request that waits for its scores is not idle; its own time limit ends it
    handlerTimeout: Math.max(RELOAD_MS, 2000 * settings.request_seconds),
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: false },
    frameworkErrors: refuseAddress,
  });
  const methods = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const one of [method].flat()) known.add(one);
    methods.set(url, known);
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: FastifyRequest, body: Buffer) =>
    parseBody(body),
  );
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(HEADERS);
    checkEncoding(request.headers["content-encoding"]);
    const { config } = request.routeOptions;
    if (!locked) checkOrigin(request.headers);
    else if (config.open !== true) checkKey(request.headers, settings.apiKey);
    if (config.scores === true && admission.full()) admission.reserve({ texts: 1, bytes: 0, tokens: 0 }).release();
  });
  app.addHook("onSend", async (_request, reply) => {
    if (context.draining()) reply.header("connection", "close"); // else the connection would be kept, and the end would wait for it
  });
  app.addHook("onResponse", async (request, reply) => {
    metrics.request(request.routeOptions.url ?? "other", reply.statusCode, reply.elapsedTime / 1000);
  });
  const unknown = (request: FastifyRequest): RequestFault => {
    const known = methods.get(request.url.split("?")[0]);
    if (!known) return new RequestFault("not_found", "no such path; /docs lists them");
    const allow = [...known].join(", ");
    return new RequestFault("method_not_allowed", `expected ${allow}, got ${request.method}`, { allow });
  };
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const fault = request.is404 ? unknown(request) : faultOf(error, settings.max_body_bytes);
    if (fault.code === "engine") log(`${request.method} ${request.routeOptions.url}: ${error.stack ?? error.message}`);
    const { retryAfter, allow } = fault.details;
    const dialect: Dialect = request.routeOptions.config.dialect ?? "rewardbook";
    if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
    if (allow !== undefined) reply.header("allow", allow);
    if (fault.code === "unauthorized") reply.header("www-authenticate", "Bearer");
    return reply
      .status(statusOf(fault, dialect))
      .type("application/json")
      .send(JSON.stringify(errorBody(fault, dialect)));
  });
  app.setNotFoundHandler(async (request) => {
    throw unknown(request);
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Rewardbook",
        version: context.version,
        description: "Rewards of answers, by a trained reward model.",
      },
      components: { securitySchemes: { key: { type: "http", scheme: "bearer" } } },
    },
  });
  app.after(() => {
    addScore(app, context);
    addTei(app, context);
    addVllm(app, context);
    addOpenRlhf(app, context);
    addOperations(app, context);
    addDocs(app);
    addPage(app);
  });
  await app.ready();
  return app;
}

/** An address that is none never reaches the hooks. */
function refuseAddress(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const fault = new RequestFault("malformed", error.message);
  void reply.headers(HEADERS).status(400).send(errorBody(fault, "rewardbook"));
}

/** A packed body could grow beyond every limit; its bytes are read as they come. */
function checkEncoding(encoding: string | undefined): void {
  if (encoding !== undefined && !/^\s*(identity)?\s*$/i.test(encoding))
    throw new RequestFault("media_type", "expected a body without Content-Encoding; send it unpacked");
}

/** Fastify's own refusals, and whatever is our fault. */
function faultOf(error: FastifyError | RequestFault, maxBodyBytes: number): RequestFault {
  if (error instanceof RequestFault) return error;
  if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE")
    return new RequestFault("too_large", `body: expected at most ${maxBodyBytes} bytes`);
  if (error.code === "FST_ERR_CTP_INVALID_MEDIA_TYPE")
    return new RequestFault("media_type", "expected Content-Type: application/json");
  if (error.statusCode === 503) return new RequestFault("unavailable", "the server is about to end", { retryAfter: 5 });
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new RequestFault("malformed", error.message);
  return new RequestFault("engine", "an error that is ours; the server's log has it");
}
