// In: a checkpoint and settings. Out: a server that runs until it is told to end, and then finishes what it has.
import { readFileSync } from "node:fs";
import { projectPath } from "../lib/files/paths";
import { createAdmission } from "./admission";
import { buildApp } from "./app";
import { createMetrics } from "./metrics";
import { serveModel } from "./served";
import type { ModelFacts } from "./messages";
import type { ServerSettings } from "./settings";

export interface RunningServer {
  /** Address, with the port that was taken. */
  readonly url: string;
  readonly model: ModelFacts;
  /** Swaps the checkpoint. */
  reload(): Promise<void>;
  /** Takes no more requests, answers those it has, ends the scoring process. */
  close(): Promise<void>;
}

/** How long the requests in flight may take once the server is to end, ms. */
const DRAIN_MS = 30_000;

/**
 * Starts the server.
 *
 * @param log gets what the operator should know, one line each
 * @throws InputError or UsageError when the checkpoint or the address cannot be used
 */
export async function startServer(settings: ServerSettings, log: (line: string) => void): Promise<RunningServer> {
  const { version } = JSON.parse(readFileSync(projectPath("package.json"), "utf8")) as { version: string };
  const admission = createAdmission(settings);
  let draining = false;
  let ready = (): boolean => false;
  const metrics = createMetrics(admission, () => ready());
  const served = await serveModel(settings, {
    onBatch: (batch) => {
      admission.observe(batch);
      metrics.batch(batch);
    },
    onReady: ({ tokensPerSecond }) => admission.begin(tokensPerSecond),
    onCrash: (message) => {
      metrics.restarted();
      log(`${message}; it is started again`);
    },
  });
  ready = () => served.current() !== null;
  const app = await buildApp(
    { settings, version, locked: settings.apiKey !== "", served, admission, metrics, draining: () => draining },
    log,
  );
  const url = await app.listen({ host: settings.host, port: settings.port }).catch(async (error: Error) => {
    await served.stop();
    throw error;
  });
  return {
    url,
    model: served.current()!.model,
    reload: async () => {
      const { previous, model } = await served.reload();
      metrics.reloaded();
      log(`reloaded: ${previous?.digest ?? "nothing"} → ${model.digest}`);
    },
    close: async () => {
      draining = true;
      const late = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS).unref();
      await app.close();
      clearTimeout(late);
      await served.stop();
    },
  };
}
