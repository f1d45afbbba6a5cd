// A small model's directory, and a server of it on a free port.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer, type RunningServer } from "../../server/serve";
import { readServerSettings } from "../../server/settings";
import { makeModelDirectory } from "../checkpoints/modelDirectory";

export const SETTINGS = {
  template: "Q: {prompt} A: {response}",
  max_length: 20,
  truncation: "right",
  temperature: 2,
  run_id: "tiny",
};

export interface Workplace {
  readonly root: string;
  /** Writes a checkpoint. */
  checkpoint(name: string, family?: string, settings?: object): Promise<string>;
  /** Starts a server; it ends with the workplace. */
  serve(checkpoint: string, given?: Record<string, unknown>, key?: string): Promise<RunningServer>;
  readonly log: string[];
  close(): Promise<void>;
}

export function openWorkplace(): Workplace {
  const root = mkdtempSync(join(tmpdir(), "rewardbook-server-"));
  const servers: RunningServer[] = [];
  const log: string[] = [];
  return {
    root,
    log,
    checkpoint: async (name, family = "bert", settings = {}) => {
      const dir = join(root, name);
      await makeModelDirectory(dir, family);
      writeFileSync(join(dir, "rewardbook.json"), JSON.stringify({ ...SETTINGS, ...settings }));
      return dir;
    },
    serve: async (checkpoint, given = {}, key = "") => {
      const settings = readServerSettings(
        checkpoint,
        { port: 0, max_batch_tokens: 256, ...given },
        { RB_API_KEY: key },
      );
      const server = await startServer(settings, (line) => log.push(line));
      servers.push(server);
      return server;
    },
    close: async () => {
      await Promise.all(servers.map((server) => server.close()));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Whatever the server said. */
  readonly body: any;
}

/** One request with a JSON body. */
export async function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json", ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.json() };
}
