// GET /openapi.json, and /docs: the same as a page that needs no script.
import type { FastifyInstance } from "fastify";
import { escapeHtml } from "../lib/report/escape";

interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, { readonly schema: unknown }> }
  >;
}

export function addDocs(app: FastifyInstance): void {
  const options = { schema: { hide: true }, config: { open: true } } as const;
  app.get("/openapi.json", options, () => app.swagger());
  app.get("/docs", options, (_request, reply) => {
    void reply.type("text/html; charset=utf-8");
    return docsHtml(
      app.swagger() as unknown as {
        info: { title: string; version: string };
        paths: Record<string, Record<string, Operation>>;
      },
    );
  });
}

const code = (value: unknown) => `<pre><code>${escapeHtml(JSON.stringify(value, null, 2))}</code></pre>`;

function docsHtml({
  info,
  paths,
}: {
  info: { title: string; version: string };
  paths: Record<string, Record<string, Operation>>;
}): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? ""))];
  const sections = tags.map((tag) => {
    const ours = operations.filter(({ operation }) => (operation.tags?.[0] ?? "") === tag);
    return `<h2>${escapeHtml(tag)}</h2>${ours.map(operationHtml).join("")}`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Rewardbook: the score server's interface</title><link rel="icon" href="/page/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="/page/page.css"></head>
<body class="docs"><header><h1><a href="/">Rewardbook</a> interface ${escapeHtml(info.version)}</h1>
<p>The same as a document for programs: <a href="/openapi.json">openapi.json</a></p></header><main>${sections.join("")}</main></body></html>`;
}

function operationHtml({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const body = operation.requestBody?.content["application/json"]?.schema;
  const answers = Object.entries(operation.responses).map(([status, { description = "", content }]) => {
    const schema = status === "200" ? content?.["application/json"]?.schema : undefined;
    return `<dt>${escapeHtml(status)}</dt><dd>${escapeHtml(description)}${schema ? code(schema) : ""}</dd>`;
  });
  return `<details><summary><b>${method.toUpperCase()}</b> <code>${escapeHtml(path)}</code> ${escapeHtml(operation.summary ?? "")}</summary>
${operation.description ? `<p>${escapeHtml(operation.description)}</p>` : ""}${body ? `<h3>Body</h3>${code(body)}` : ""}<h3>Answers</h3><dl>${answers.join("")}</dl></details>`;
}
