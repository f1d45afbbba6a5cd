// rewardbook serve: a checkpoint in, an HTTP server that scores with it.
import { Option, type Command } from "commander";
import { InputError } from "../lib/errors";
import { readServerSettings, serverSchema } from "../server/settings";
import { startServer } from "../server/serve";
import { createOutput } from "./output";
import { addSchemaFlags } from "./flags";

export function register(program: Command): void {
  const command = program
    .command("serve")
    .description(
      "an HTTP server that scores with a checkpoint: /score, the routes of TEI, vLLM and OpenRLHF, a page to try it",
    )
    .requiredOption("--checkpoint <dir>", "Hugging Face directory of the reward model");
  addSchemaFlags(command, serverSchema.shape);
  command
    .addOption(new Option("--json", "print one JSON object on stdout once the server listens"))
    .action(async ({ checkpoint, json, ...options }) => {
      const out = createOutput(json === true);
      const given = Object.fromEntries(
        Object.entries(options).map(([name, value]) => [
          name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          value,
        ]),
      );
      const settings = readServerSettings(checkpoint, given);
      const started = performance.now();
      const server = await startServer(settings, out.say).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EADDRINUSE" && error.code !== "EACCES" && error.code !== "EADDRNOTAVAIL") throw error;
        throw new InputError(
          `serve: expected port ${settings.port} of ${settings.host} to be free, got ${error.code}; give another with --port`,
        );
      });
      const seconds = (performance.now() - started) / 1000;
      out.result(
        { url: server.url, pid: process.pid, seconds, model: server.model },
        `serving ${server.model.name} at ${server.url} after ${seconds.toFixed(1)} s; /docs lists the interface, SIGTERM ends, SIGHUP reloads`,
      );
      await untilEnd(server, out.say);
    });
}

/** Ends at SIGINT or SIGTERM, once the requests in flight are answered; a second one ends at once. */
function untilEnd(server: Awaited<ReturnType<typeof startServer>>, say: (text: string) => void): Promise<void> {
  return new Promise((resolve) => {
    let ending = false;
    const end = () => {
      if (ending) process.exit(1);
      ending = true;
      say("finishing the requests in flight");
      void server.close().then(resolve);
    };
    process.on("SIGINT", end).on("SIGTERM", end);
    process.on("SIGHUP", () => {
      server.reload().catch((error: Error) => say(`reload failed, the model before it stays: ${error.message}`));
    });
  });
}
