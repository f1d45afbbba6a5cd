// In: the files of a model. Out: an HTTP server that speaks the hub's routes: model info, file tree in pages, resolve with ranges and redirects.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubServer {
  readonly url: string;
  readonly requests: { method: string; path: string; range?: string; authorization?: string; host: string }[];
  /** How the next answers to a file go wrong, by path. */
  readonly faults: Map<string, ("cut" | "500" | "no-range" | "corrupt")[]>;
  close(): Promise<void>;
}

export const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");
const gitId = (data: Buffer) => createHash("sha1").update(`blob ${data.length}\0`).update(data).digest("hex");

/**
 * Reference for the routes: huggingface_hub's `hf_api.py` and `file_download.py`.
 *
 * @param options.token   asked for on every API route when given
 * @param options.gone    answers 404 to everything
 */
export async function startHub(
  name: string,
  files: Record<string, Buffer>,
  options: { token?: string; gone?: boolean } = {},
): Promise<HubServer> {
  const requests: HubServer["requests"] = [];
  const faults: HubServer["faults"] = new Map();
  const isLfs = (path: string) => path.endsWith(".safetensors") || path.endsWith(".bin");
  const entries = Object.entries(files).map(([path, data]) => ({
    type: "file",
    path,
    size: data.length,
    oid: gitId(data),
    ...(isLfs(path) && { lfs: { oid: sha256(data), size: data.length, pointerSize: 134 } }),
  }));

  /** Where large files are stored: another host, which must not see the token. */
  const storage = createServer((request, response) =>
    sendFile(decodeURIComponent(request.url!.slice(1)), request, response),
  );
  const json = (response: ServerResponse, status: number, value: unknown, headers: Record<string, string> = {}) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));

  function note(request: IncomingMessage): void {
    const { range, authorization, host = "" } = request.headers;
    requests.push({ method: request.method!, path: request.url!, range, authorization, host });
  }

  function sendFile(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.host!.startsWith("localhost")) note(request);
    const fault = faults.get(path)?.shift();
    if (fault === "500") return void json(response, 500, {});
    let data = files[path];
    if (fault === "corrupt") data = Buffer.from(data.map((byte) => byte ^ 1));
    const start = fault === "no-range" ? 0 : Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
    response.writeHead(start > 0 ? 206 : 200, {
      etag: `"${sha256(data)}"`,
      "content-length": data.length - start,
      "accept-ranges": "bytes",
      ...(start > 0 && { "content-range": `bytes ${start}-${data.length - 1}/${data.length}` }),
    });
    if (fault !== "cut") return void response.end(data.subarray(start));
    response.write(data.subarray(start, start + Math.ceil((data.length - start) / 2)));
    setTimeout(() => response.destroy(), 30);
  }

  const hub = createServer((request, response) => {
    note(request);
    const url = new URL(request.url!, "http://hub");
    const allowed = !options.token || request.headers.authorization === `Bearer ${options.token}`;
    if (options.gone) return void json(response, 404, { error: "Repository not found" });
    if (!allowed) return void json(response, 401, { error: "Access to this model is restricted" });
    if (
      new RegExp(`^/api/models/${name}/revision/(main|v1|${COMMIT})$`).test(url.pathname) ||
      url.pathname === `/api/models/${name}`
    ) {
      return void json(response, 200, {
        _id: "1",
        id: name,
        sha: COMMIT,
        private: false,
        gated: false,
        downloads: 0,
        likes: 0,
        lastModified: "2026-01-01T00:00:00Z",
      });
    }
    if (url.pathname === `/api/models/${name}/tree/${COMMIT}`) {
      const from = Number(url.searchParams.get("cursor") ?? 0),
        page = entries.slice(from, from + 4);
      const next = `http://${request.headers.host}${url.pathname}?cursor=${from + 4}`;
      return void json(response, 200, page, from + 4 < entries.length ? { link: `<${next}>; rel="next"` } : {});
    }
    const path = decodeURIComponent(url.pathname.replace(`/${name}/resolve/${COMMIT}/`, ""));
    if (!files[path]) return void json(response, 404, { error: "not found" });
    if (!isLfs(path)) return sendFile(path, request, response);
    response
      .writeHead(302, {
        location: `http://localhost:${(storage.address() as AddressInfo).port}/${encodeURIComponent(path)}`,
        "x-linked-etag": `"${sha256(files[path])}"`,
      })
      .end();
  });
  await Promise.all([hub, storage].map((server) => new Promise<void>((done) => server.listen(0, done))));
  return {
    url: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
    requests,
    faults,
    close: async () =>
      void (await Promise.all(
        [hub, storage].map(
          (server) =>
            new Promise((done) => {
              server.close(done);
              server.closeAllConnections();
            }),
        ),
      )),
  };
}
