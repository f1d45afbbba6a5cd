// GET /health, /info, /metrics and POST /reload.
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { InputError } from "../../lib/errors";
import { modelOf, type Context } from "../context";
import { RequestFault } from "../faults";
import { addRoute } from "../route";

const modelId = z.object({ name: z.string(), digest: z.string() });

export function addOperations(app: FastifyInstance, context: Context): void {
  const { settings, served, metrics, version } = context;
  addRoute(app, context.locked, {
    method: "GET",
    url: "/health",
    dialect: "rewardbook",
    open: true,
    summary: "200 while scores can be had, 503 while there is no model or the server is about to end",
    answer: z.object({ status: z.literal("ok") }),
    handle: () => {
      if (context.draining()) throw new RequestFault("unavailable", "the server is about to end");
      modelOf(context);
      return { status: "ok" };
    },
  });
  addRoute(app, context.locked, {
    method: "GET",
    url: "/info",
    dialect: "rewardbook",
    summary: "The model, how it reads texts, and the server's limits",
    answer: z.looseObject({
      model_id: z.string(),
      model_sha: z.string(),
      max_input_length: z.int(),
      version: z.string(),
    }),
    handle: () => infoOf(context),
  });
  addRoute(app, context.locked, {
    method: "GET",
    url: "/metrics",
    dialect: "rewardbook",
    summary: "Figures for Prometheus",
    media: "text/plain",
    handle: (_body, _request, reply) => {
      void reply.type(metrics.registry.contentType);
      return metrics.registry.metrics();
    },
  });
  addRoute(app, context.locked, {
    method: "POST",
    url: "/reload",
    dialect: "rewardbook",
    summary: "Loads the checkpoint's directory again; the old model answers until the new one is ready",
    answer: z.object({ previous: modelId.nullable(), model: modelId }),
    handle: async () => {
      try {
        const { previous, model } = await served.reload();
        metrics.reloaded();
        const idOf = ({ name, digest }: { name: string; digest: string }) => ({ name, digest });
        return { previous: previous && idOf(previous), model: idOf(model) };
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw new RequestFault("engine", `${error.message} (the model before it stays)`);
      }
    },
  });

  function infoOf(from: Context): Record<string, unknown> {
    const model = modelOf(from);
    const labels = { id2label: { "0": "LABEL_0" }, label2id: { LABEL_0: 0 } };
    return {
      model_id: model.name,
      model_sha: model.digest,
      model_dtype: model.precision === "bf16" ? "bfloat16" : "float32",
      model_type: { classifier: labels },
      max_input_length: model.maxLength,
      max_client_batch_size: settings.max_items,
      max_batch_tokens: settings.max_batch_tokens,
      max_concurrent_requests: settings.max_queue_items,
      max_body_bytes: settings.max_body_bytes,
      version,
      architecture: model.modelType,
      parameters: model.parameters,
      template: model.template,
      truncation: model.truncation,
      temperature: model.temperature,
      fresh_head: model.freshHead,
      backend: model.backend,
      threads: model.threads,
    };
  }
}
