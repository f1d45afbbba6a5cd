// rewardbook remote stop: ends a job; what it has stored stays.
import type { Command } from "commander";
import { UsageError } from "../lib/errors";
import { createOutput } from "./output";
import { addPlace } from "./remoteStatus";

export function register(remote: Command): void {
  const command = remote
    .command("stop")
    .description("end the job of a run, or of an id; the same command with --resume goes on from its last checkpoint");
  addPlace(command).action(async (options) => {
    const out = createOutput(options.json === true);
    const { placeOfJob } = await import("../remote/jobs");
    const { head, id } = placeOfJob(options);
    if (id === null)
      throw new UsageError("remote stop: expected one job, got a whole cluster; give --run NAME or --id ID");
    const stopped = await head.stop(id);
    out.result(
      { submission_id: id, stopped },
      `job ${id} ${stopped ? "is being stopped" : "had ended; nothing to stop"}`,
    );
  });
}
