// GET /: the page to try the model, three files without a build step.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { projectPath } from "../lib/files/paths";

const FILES: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "scores.js": "text/javascript; charset=utf-8",
  "parts.js": "text/javascript; charset=utf-8",
  "explanation.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
};

export function addPage(app: FastifyInstance): void {
  const options = { schema: { hide: true }, config: { open: true } } as const;
  for (const [name, type] of Object.entries(FILES)) {
    const content = readFileSync(join(projectPath("server", "page"), name));
    app.get(name === "index.html" ? "/" : `/page/${name}`, options, (_request, reply) =>
      reply.type(type).send(content),
    );
  }
}
