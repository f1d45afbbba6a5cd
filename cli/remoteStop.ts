// rewardbook remote stop: ends the job of a run; what it has stored stays.
import type { Command } from "commander";
import { createOutput } from "./output";

export function register(remote: Command): void {
  remote
    .command("stop")
    .description("end the job of a run; the same command with --resume goes on from its last checkpoint")
    .requiredOption("--run <name>", "name of a run that was handed over from here")
    .option("--json", "print one JSON object on stdout")
    .action(async (options) => {
      const out = createOutput(options.json === true);
      const { placeOfJob } = await import("../remote/jobs");
      const { head, id } = placeOfJob(options);
      await head.stop(id!);
      out.result({ submission_id: id, stopped: true }, `job ${id} is being stopped`);
    });
}
