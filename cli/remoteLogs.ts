// rewardbook remote logs: what a job has printed and prints; a training that is done is fetched and finished here.
import type { Command } from "commander";
import { createOutput } from "./output";
import { detachable } from "./remoteTrain";
import { hooksFor, leave, reportRun } from "./train";

export function register(remote: Command): void {
  remote
    .command("logs")
    .description("come back to a training that was handed over: its log, and at its end its checkpoint")
    .requiredOption("--run <name>", "name of the run")
    .option("--address <text>", "where Ray's dashboard is now (default: where the job was sent)")
    .option("--ca <file>", "file of certificates (PEM) to trust for https (default: the run's)")
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      const { comeBack } = await import("../remote/train");
      await detachable(out, async () => {
        const { result, left } = await comeBack(options.run, { ...hooksFor(out), onLine: out.say }, options);
        if (result === null) return out.result({ run: options.run, left }, `checkpoint  ${left}`);
        reportRun(out, result);
        leave(result);
      });
    });
}
