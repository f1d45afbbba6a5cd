// A server that answers as Ray's dashboard does (measured with Ray 2.60), with the faults of a network on request.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

export interface HeadServerOptions {
  readonly token?: string;
  readonly tls?: { readonly key: string; readonly cert: string };
}

interface StoredJob {
  status: string;
  body: Record<string, unknown>;
}

/** What a test asks of it and reads from it. */
export interface HeadServer {
  readonly address: string;
  readonly jobs: Map<string, StoredJob>;
  readonly packages: Map<string, Buffer>;
  readonly files: Map<string, Buffer>;
  /** Requests as they came: method, path, headers. */
  readonly requests: { method: string; path: string; headers: IncomingMessage["headers"] }[];
  /**
   * Which connections are cut: the next so many before the request is read; those of the next such methods after it was
   * obeyed; the log's after so many characters.
   */
  cut: { before: number; after: string[]; logAfter: number[] };
  /** So many submissions find no agent yet. */
  starting: number;
  log: string;
  close(): Promise<void>;
}

export async function startHead({ token, tls }: HeadServerOptions = {}): Promise<HeadServer> {
  const head: Omit<HeadServer, "address" | "close"> = {
    jobs: new Map(),
    packages: new Map(),
    files: new Map(),
    requests: [],
    cut: { before: 0, after: [], logAfter: [] },
    starting: 0,
    log: "",
  };
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(request, response);
  const server: Server = tls ? createSecureServer(tls, listener) : createServer(listener);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    head.requests.push({ method, path: url, headers });
    if (head.cut.before > 0) {
      head.cut.before--;
      return void request.socket.destroy();
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { status, body } = obey(method, url, headers, Buffer.concat(chunks));
    if (head.cut.after[0] === method) {
      head.cut.after.shift();
      return void request.socket.destroy();
    }
    response.writeHead(status).end(body);
  }

  function obey(method: string, url: string, headers: IncomingMessage["headers"], body: Buffer) {
    const reply = (status: number, value: unknown) => ({
      status,
      body: typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value),
    });
    if (Object.keys(headers).some((name) => name.startsWith("sec-fetch")) && method !== "GET")
      return reply(405, "Method Not Allowed for browser traffic.");
    if (token !== undefined && headers.authorization !== `Bearer ${token}`) return reply(401, "Unauthorized");
    const { pathname, searchParams } = new URL(url, "http://head");
    const [, , room, id, verb] = pathname.split("/");
    if (pathname === "/api/version") return reply(200, { version: "4", ray_version: "2.60.0" });
    if (pathname === "/api/v0/logs/file")
      return reply(200, head.files.get(searchParams.get("filename") ?? "") ?? "A file is not found");
    if (room === "packages" && method === "PUT") return (head.packages.set(verb, body), reply(200, ""));
    if (room === "packages") return head.packages.has(verb) ? reply(200, "") : reply(404, "does not exist");
    if (room !== "jobs") return reply(404, "404: Not Found");
    if (method === "POST" && id === "") return submit(JSON.parse(body.toString()), reply);
    if (id === "")
      return reply(
        200,
        [...head.jobs].map(([name, job]) => describe(name, job)),
      );
    const job = head.jobs.get(id);
    if (!job) return reply(404, `Job ${id} does not exist`);
    if (verb === "logs") return reply(200, { logs: head.log });
    if (verb === "stop" && job.status !== "RUNNING") return reply(200, { stopped: false });
    if (verb === "stop") return ((job.status = "STOPPED"), reply(200, { stopped: true }));
    return reply(200, describe(id, job));
  }

  function submit<T>(body: Record<string, unknown>, reply: (status: number, value: unknown) => T): T {
    const id = String(body.submission_id);
    if (head.starting > 0) {
      head.starting--;
      return reply(500, "No available agent to submit job, please try again later.");
    }
    if (head.jobs.has(id))
      return reply(500, `Traceback (most recent call last):\nValueError: Job with submission_id ${id} already exists.`);
    head.jobs.set(id, { status: "RUNNING", body });
    return reply(200, { job_id: id, submission_id: id });
  }

  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket, request) => {
    head.requests.push({ method: "TAIL", path: request.url ?? "", headers: request.headers });
    // Ray's head passes our headers on to its agent and cannot read the compressed frames that come back.
    if ("sec-websocket-extensions" in request.headers) return socket.terminate();
    const limit = head.cut.logAfter.shift();
    const text = head.log.slice(0, limit);
    for (let at = 0; at < text.length; at += 7) socket.send(text.slice(at, at + 7)); // lines come in pieces
    if (limit === undefined) {
      for (const job of head.jobs.values()) if (job.status === "RUNNING") job.status = "SUCCEEDED";
      socket.close(1000);
    } else setTimeout(() => socket.terminate(), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    sockets.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return Object.assign(head, { address: `${tls ? "https" : "http"}://127.0.0.1:${port}`, close });
}

const describe = (submission_id: string, { status, body }: StoredJob) => ({
  submission_id,
  status,
  message: null,
  metadata: body.metadata,
  start_time: 1,
});

export const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");
